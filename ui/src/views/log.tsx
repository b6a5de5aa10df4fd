// What a step prints, as it comes: only the lines in sight are drawn.
import { useEffect, useLayoutEffect, useRef, useState, type ReactNode } from "react";
import { count, plural } from "../format";
import { plain, spans } from "./ansi";
import { useLog, type Line, type LogLines } from "./log-lines";

const ROW = 20;
const BEYOND = 12;

type Row = { kind: "line"; at: number } | { kind: "run"; run: number; lines: number };

/** Which row stands where, without a list of all rows. */
class Rows {
  private readonly only: number[] | null;

  constructor(
    private readonly log: LogLines,
    private readonly folded: ReadonlySet<number>,
    only: number[] | null,
  ) {
    this.only = only;
  }

  private get plain(): boolean {
    return this.log.segments.length < 2;
  }

  get length(): number {
    if (this.only) return this.only.length;
    if (this.plain) return this.log.lines.length;
    return this.log.segments.reduce((sum, each) => sum + 1 + (this.folded.has(each.run) ? 0 : each.end - each.start), 0);
  }

  at(row: number): Row | null {
    if (this.only) return { kind: "line", at: this.only[row] ?? 0 };
    if (this.plain) return { kind: "line", at: row };
    let left = row;
    for (const each of this.log.segments) {
      if (left === 0) return { kind: "run", run: each.run, lines: each.end - each.start };
      left -= 1;
      const shown = this.folded.has(each.run) ? 0 : each.end - each.start;
      if (left < shown) return { kind: "line", at: each.start + left };
      left -= shown;
    }
    return null;
  }

  /** The row of the line at this position; -1 while it is folded away. */
  of(at: number): number {
    if (this.only) return this.only.indexOf(at);
    if (this.plain) return at;
    let row = 0;
    for (const each of this.log.segments) {
      row += 1;
      const folded = this.folded.has(each.run);
      if (at < each.end) return folded ? -1 : row + at - each.start;
      row += folded ? 0 : each.end - each.start;
    }
    return -1;
  }
}

const linked = (): number => Number(/^#L(\d+)$/.exec(window.location.hash)?.[1] ?? 0);

export function Log({ run, step, live }: { run: string; step: string; live: boolean }): ReactNode {
  const log = useLog(run, step);
  const [words, setWords] = useState("");
  const [only, setOnly] = useState(false);
  const [folded, setFolded] = useState<ReadonlySet<number>>(new Set());
  const [marked, setMarked] = useState(linked);
  const [following, setFollowing] = useState(!marked);
  const [current, setCurrent] = useState(0);
  const [sight, setSight] = useState({ top: 0, height: 400 });
  const pane = useRef<HTMLDivElement>(null);
  const sought = words.trim().toLowerCase();
  const matches = log.matches(sought);
  const going = live && !log.ended;
  const rows = new Rows(log, folded, only && sought ? matches : null);

  const show = (at: number) => {
    const row = rows.of(at);
    if (row >= 0) pane.current?.scrollTo({ top: Math.max(0, row * ROW - sight.height / 3) });
  };
  const jump = (by: number) => {
    if (!matches.length) return;
    const next = (current + by + matches.length) % matches.length;
    setCurrent(next);
    setFollowing(false);
    show(matches[next] ?? 0);
  };
  useLayoutEffect(() => {
    const element = pane.current;
    if (!element) return;
    if (following) element.scrollTo({ top: element.scrollHeight });
    // A log that is whole is as high as its lines, so that nothing stands far below an empty box.
    if (element.clientHeight !== sight.height) setSight({ top: element.scrollTop, height: element.clientHeight });
  });
  const arrived = marked > 0 && log.lines.length > 0 && (log.lines.at(-1)?.number ?? 0) >= marked;
  useEffect(() => {
    if (arrived) show(log.lines.findIndex((each) => each.number === marked));
    // Only when the line has come, not with each line after it.
  }, [arrived, marked]);
  const scrolled = () => {
    const element = pane.current;
    if (!element) return;
    setSight({ top: element.scrollTop, height: element.clientHeight });
    setFollowing(element.scrollHeight - element.scrollTop - element.clientHeight < ROW * 2);
  };
  const mark = (number: number) => {
    window.history.replaceState(null, "", `#L${number}`);
    setMarked(number);
    setFollowing(false);
  };
  const fold = (each: number) => setFolded((known) => (known.has(each) ? new Set([...known].filter((one) => one !== each)) : new Set([...known, each])));

  const first = Math.max(0, Math.floor(sight.top / ROW) - BEYOND);
  const last = Math.min(rows.length, Math.ceil((sight.top + sight.height) / ROW) + BEYOND);
  const drawn: ReactNode[] = [];
  for (let row = first; row < last; row += 1) {
    const each = rows.at(row);
    if (!each) continue;
    const style = { transform: `translateY(${row * ROW}px)` };
    if (each.kind === "run") {
      drawn.push(
        <button key={`run ${each.run}`} type="button" className="log-run" style={style} aria-expanded={!folded.has(each.run)} onClick={() => fold(each.run)}>
          {folded.has(each.run) ? "▸" : "▾"} run {each.run} · {plural(each.lines, "line")}
        </button>,
      );
      continue;
    }
    const line = log.lines[each.at];
    if (!line) continue;
    drawn.push(
      <div key={line.number} className={`log-line ${line.number === marked ? "marked" : ""}`} style={style}>
        <a href={`#L${line.number}`} onClick={(event) => (event.preventDefault(), mark(line.number))} aria-label={`line ${line.number}`}>
          {line.number}
        </a>
        <code>{drawnText(line, sought)}</code>
      </div>,
    );
  }
  return (
    <div className="log">
      <div className="log-bar">
        <input
          type="search"
          value={words}
          onChange={(event) => {
            setWords(event.target.value);
            setCurrent(0);
          }}
          onKeyDown={(event) => event.key === "Enter" && jump(event.shiftKey ? -1 : 1)}
          placeholder="search the log"
          aria-label="Search the log"
        />
        {sought && (
          <>
            <span className="small faint" role="status">
              {matches.length ? `${count(current + 1)} of ${count(matches.length)}` : "not found"}
            </span>
            <button type="button" onClick={() => jump(-1)} aria-label="Match before">
              ↑
            </button>
            <button type="button" onClick={() => jump(1)} aria-label="Next match">
              ↓
            </button>
            <button type="button" aria-pressed={only} onClick={() => setOnly(!only)}>
              only matches
            </button>
          </>
        )}
        <span className="small faint end" data-testid="log-count">
          {plural(log.lines.length + log.dropped, "line")}{log.dropped > 0 && `, the newest ${count(log.lines.length)} shown`}
          {going ? " · live" : ""}
        </span>
        {going && (
          <button type="button" aria-pressed={following} onClick={() => setFollowing(!following)}>
            Follow
          </button>
        )}
        {!going && !following && (
          <button type="button" onClick={() => setFollowing(true)}>
            To the end
          </button>
        )}
      </div>
      <div className="log-pane" style={going ? undefined : { height: Math.max(3, rows.length + 1) * ROW }} ref={pane} onScroll={scrolled} tabIndex={0} role="log" aria-label="Lines" aria-live="off">
        <div style={{ height: rows.length * ROW }}>{drawn}</div>
      </div>
    </div>
  );
}

function drawnText(line: Line, sought: string): ReactNode {
  const text = plain(line.text);
  // A word that is looked for may go over several colours: its line is shown plain.
  if (sought && text.toLowerCase().includes(sought)) return lit(text, sought);
  if (line.look === undefined) return text;
  return spans(line.text, line.look).spans.map((each, index) => (
    <span key={index} className={each.look || undefined}>
      {each.text}
    </span>
  ));
}

function lit(text: string, words: string): ReactNode {
  const at = text.toLowerCase().indexOf(words);
  if (at < 0) return text;
  const end = at + words.length;
  return (
    <>
      {text.slice(0, at)}
      <mark>{text.slice(at, end)}</mark>
      {text.slice(end)}
    </>
  );
}
