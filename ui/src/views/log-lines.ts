// What a step has printed, kept apart from what is drawn of it: ten thousand lines a second may come.
import { useEffect, useRef, useState } from "react";
import { addressOf } from "../api/client";
import type { LogLine } from "../api/types";
import { spans, type Span } from "./ansi";

export const MOST = 300_000;
/** So many of the oldest are dropped at once, as each drop moves all that stay. */
const DROPPED = 50_000;

export interface Line extends LogLine {
  /** Pieces of a line that has colours; the others are their text. */
  spans?: Span[];
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
      this.lines.push(this.look || each.text.includes("\u001b") ? this.coloured(each) : each);
    }
    if (this.lines.length > MOST) this.drop();
  }

  /** Positions of lines that have these words, in any case; only what is new is searched. */
  matches(words: string): number[] {
    if (this.found.words !== words) this.found = { words, upTo: 0, at: [] };
    for (let at = this.found.upTo; words && at < this.lines.length; at += 1) {
      if (this.lines[at]?.text.toLowerCase().includes(words)) this.found.at.push(at);
    }
    this.found.upTo = this.lines.length;
    return this.found.at;
  }

  private coloured({ number, run, text }: LogLine): Line {
    const read = spans(text, this.look);
    this.look = read.look;
    return { number, run, text: read.spans.map((each) => each.text).join(""), spans: read.spans };
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

/** Follow the log of a step; draws again once a frame at most, however much comes. */
export function useLog(run: string, step: string): LogLines {
  const log = useRef<LogLines>(new LogLines());
  const [, draw] = useState(0);
  useEffect(() => {
    const mine = new LogLines();
    log.current = mine;
    let frame = 0;
    const soon = () => {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        draw((count) => count + 1);
      });
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
      cancelAnimationFrame(frame);
    };
  }, [run, step]);
  return log.current;
}
