// What a step has printed, kept apart from what is drawn of it: ten thousand lines a second may come.
import { useEffect, useRef, useState } from "react";
import { addressOf } from "../api/client";
import type { LogLine } from "../api/types";
import { lookAfter, plain } from "./ansi";

export const MOST = 300_000;
/** So many of the oldest are dropped at once, as each drop moves all that stay. */
const DROPPED = 50_000;

export interface Line extends LogLine {
  /** How it begins to look, of a line that has colours; they are made out when it is drawn. */
  look?: string;
}

export interface Segment {
  run: number;
  start: number;
  end: number;
}

export class LogLines {
  lines: Line[] = [];
  segments: Segment[] = [];
  dropped = 0;
  ended: string | null = null;
  /** How text looks at the end of the newest line: colours go on over lines until they are ended. */
  private look = "";
  private found: { words: string; upTo: number; at: number[] } = { words: "", upTo: 0, at: [] };

  add(more: LogLine[]): void {
    for (const each of more) {
      const last = this.segments.at(-1);
      if (last?.run === each.run) last.end += 1;
      else {
        this.segments.push({ run: each.run, start: this.lines.length, end: this.lines.length + 1 });
        this.look = "";
      }
      const changes = each.text.includes("\u001b");
      this.lines.push(this.look || changes ? { ...each, look: this.look } : each);
      if (changes) this.look = lookAfter(each.text, this.look);
    }
    if (this.lines.length > MOST) this.drop();
  }

  /** Positions of lines that have these words, in any case; only what is new is searched. */
  matches(words: string): number[] {
    if (this.found.words !== words) this.found = { words, upTo: 0, at: [] };
    for (let at = this.found.upTo; words && at < this.lines.length; at += 1) {
      if (plain(this.lines[at]?.text ?? "").toLowerCase().includes(words)) this.found.at.push(at);
    }
    this.found.upTo = this.lines.length;
    return this.found.at;
  }

  private drop(): void {
    this.lines = this.lines.slice(DROPPED);
    this.dropped += DROPPED;
    this.segments = this.segments
      .map((each) => ({ run: each.run, start: Math.max(0, each.start - DROPPED), end: each.end - DROPPED }))
      .filter((each) => each.end > 0);
    this.found = { words: "", upTo: 0, at: [] };
  }
}

/** Between two drawings: nobody reads faster, and the page stays at hand however much comes. */
const CALM_MS = 90;

/** Follow the log of a step. */
export function useLog(run: string, step: string): LogLines {
  const log = useRef<LogLines>(new LogLines());
  const [, draw] = useState(0);
  useEffect(() => {
    const mine = new LogLines();
    log.current = mine;
    let timer = 0;
    let drawn = -CALM_MS;
    const soon = () => {
      timer ||= window.setTimeout(() => {
        timer = 0;
        drawn = performance.now();
        draw((count) => count + 1);
      }, Math.max(0, drawn + CALM_MS - performance.now()));
    };
    const source = new EventSource(addressOf(`/builds/${run}/log?step=${encodeURIComponent(step)}`));
    source.addEventListener("lines", (event) => {
      mine.add((JSON.parse(event.data) as { lines: LogLine[] }).lines);
      soon();
    });
    source.addEventListener("end", (event) => {
      mine.ended = (JSON.parse(event.data) as { result: string }).result;
      source.close();
      soon();
    });
    soon();
    return () => {
      source.close();
      window.clearTimeout(timer);
    };
  }, [run, step]);
  return log.current;
}
