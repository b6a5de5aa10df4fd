// One stream of events for the whole page: what happens, and that something has changed.
import { useQuery, useQueryClient, type UseQueryResult } from "@tanstack/react-query";
import { createContext, useContext, useEffect, useMemo, useState, type ReactNode } from "react";
import { get, Problem, addressOf } from "./client";
import type { Line, Page } from "./types";

export type Connection = "connected" | "connecting";

interface Live {
  connection: Connection;
  lines: Line[];
}

const Context = createContext<Live>({ connection: "connecting", lines: [] });
const MOST_LINES = 200;
const LEAST_MS = 1000;

/** Call `act` now, and at most once a second however often it is asked for. */
function throttled(act: () => void): { ask: () => void; stop: () => void } {
  let timer: number | undefined;
  let last = 0;
  const run = () => {
    timer = undefined;
    last = performance.now();
    act();
  };
  return {
    ask: () => {
      timer ??= window.setTimeout(run, Math.max(0, last + LEAST_MS - performance.now()));
    },
    stop: () => window.clearTimeout(timer),
  };
}

/** Open the stream; it goes on after the last event that was seen, also when the hub was away. */
function follow(known: () => number, hear: { line: (line: Line) => void; tick: () => void; state: (c: Connection) => void }): () => void {
  let source: EventSource;
  let again: number | undefined;
  const open = () => {
    const since = known();
    source = new EventSource(addressOf(since ? `/events?since=${since}` : "/events"));
    source.onopen = () => {
      hear.state("connected");
      hear.tick();
    };
    source.onerror = () => {
      hear.state("connecting");
      // A browser tries again by itself unless it was answered with an error.
      if (source.readyState === EventSource.CLOSED) again = window.setTimeout(open, 2000);
    };
    source.addEventListener("line", (event) => hear.line(JSON.parse(event.data) as Line));
    source.addEventListener("tick", () => hear.tick());
  };
  open();
  return () => {
    window.clearTimeout(again);
    source.close();
  };
}

export function LiveProvider({ children }: { children: ReactNode }): ReactNode {
  const queries = useQueryClient();
  const [connection, setConnection] = useState<Connection>("connecting");
  const [lines, setLines] = useState<Line[]>([]);
  useEffect(() => {
    let newest = 0;
    const add = (more: Line[]) =>
      setLines((known) => {
        const fresh = more.filter((each) => !known.some((old) => old.number === each.number));
        if (!fresh.length) return known;
        return [...known, ...fresh].sort((a, b) => a.number - b.number).slice(-MOST_LINES);
      });
    const changed = throttled(() => void queries.invalidateQueries({ predicate: (each) => each.meta?.live === true }));
    const stop = follow(() => newest, {
      line: (line) => {
        newest = Math.max(newest, line.number);
        add([line]);
      },
      tick: changed.ask,
      state: setConnection,
    });
    // What happened before the page was opened.
    get<Page<Line>>("/overview/news").then((page) => add(page.items), () => undefined);
    return () => {
      stop();
      changed.stop();
    };
  }, [queries]);
  const value = useMemo(() => ({ connection, lines }), [connection, lines]);
  return <Context.Provider value={value}>{children}</Context.Provider>;
}

export const useLive = (): Live => useContext(Context);

/** What the hub says at this path, asked again whenever something has changed, and every so many milliseconds. */
export function useData<T>(path: string, every?: number): UseQueryResult<T, Problem> {
  return useQuery<T, Problem>({
    queryKey: [path],
    queryFn: () => get<T>(path),
    refetchInterval: every ?? false,
    meta: { live: true },
  });
}

const CALM_MS = 5000;

/** The same for what is long and changes seldom: with a thousand applications something changes all the time. */
export function useCalmData<T>(path: string): UseQueryResult<T, Problem> {
  return useQuery<T, Problem>({
    queryKey: [path],
    queryFn: () => get<T>(path),
    refetchInterval: CALM_MS,
    meta: { acted: true },
  });
}
