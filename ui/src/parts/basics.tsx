// The small things that every view is made of.
import { useEffect, useRef, useState, type ReactNode } from "react";
import type { Problem } from "../api/client";
import { age, dateTime } from "../format";

export type Tone = "ok" | "warn" | "bad" | "moving" | "idle";

const SHAPES: Record<Tone, ReactNode> = {
  ok: <path d="M3.2 8.4 6.6 11.6 12.8 4.6" fill="none" stroke="currentColor" strokeWidth="2.2" strokeLinecap="round" strokeLinejoin="round" />,
  warn: <path d="M8 1.8 15 14H1z" fill="currentColor" />,
  bad: <path d="M3.5 3.5l9 9m0-9-9 9" stroke="currentColor" strokeWidth="2.4" strokeLinecap="round" />,
  moving: <path d="M3 8h9M8.5 4 12.5 8l-4 4" fill="none" stroke="currentColor" strokeWidth="2.2" strokeLinecap="round" strokeLinejoin="round" />,
  idle: <circle cx="8" cy="8" r="4.2" fill="none" stroke="currentColor" strokeWidth="2" />,
};

/** A sign that is told by its shape, not by its colour alone. */
export function Glyph({ tone, size = 14 }: { tone: Tone; size?: number }): ReactNode {
  return (
    <svg className={`glyph ${tone}`} width={size} height={size} viewBox="0 0 16 16" aria-hidden="true">
      {SHAPES[tone]}
    </svg>
  );
}

export function Pill({ tone, children }: { tone: Tone; children: ReactNode }): ReactNode {
  return (
    <span className={`pill ${tone}`}>
      <Glyph tone={tone} size={11} />
      {children}
    </span>
  );
}

/** A share as a bar; its number is said beside it. */
export function Bar({ value, tone = "canary", label }: { value: number; tone?: string; label: string }): ReactNode {
  const width = Math.min(100, Math.max(0, value));
  return (
    <div className="bar" role="img" aria-label={`${label}: ${Math.round(width)} %`}>
      <div className={`fill ${tone}`} style={{ transform: `scaleX(${width / 100})` }} />
    </div>
  );
}

/** Seconds since the epoch, every second. */
export function useNow(): number {
  const [now, setNow] = useState(() => Date.now() / 1000);
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now() / 1000), 1000);
    return () => window.clearInterval(timer);
  }, []);
  return now;
}

export function Ago({ at }: { at: number }): ReactNode {
  const now = useNow();
  return (
    <time dateTime={new Date(at * 1000).toISOString()} title={dateTime(at)}>
      {age(now - at)} ago
    </time>
  );
}

export function Notice({ problem, retry }: { problem: Problem; retry?: () => void }): ReactNode {
  return (
    <div className="notice" role="alert">
      <Glyph tone="bad" />
      <div>
        <strong>{ticked(problem.message)}</strong>
        {problem.hint && <p>{ticked(problem.hint)}</p>}
      </div>
      {retry && (
        <button type="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

/** Text whose words in backticks are shown as code. */
export function ticked(text: string): ReactNode {
  return text.split("`").map((part, index) => (index % 2 ? <code key={index}>{part}</code> : part));
}

interface EmptyProps {
  title: string;
  children?: ReactNode;
  command?: string;
  /** Where the view has no heading of its own. */
  heading?: "h1" | "h2";
}

/** What is to be done next where there is nothing yet. */
export function Empty({ title, children, command, heading: Heading = "h2" }: EmptyProps): ReactNode {
  return (
    <div className="empty">
      <Heading>{title}</Heading>
      {children && <p>{children}</p>}
      {command && <Command text={command} />}
    </div>
  );
}

export function Command({ text }: { text: string }): ReactNode {
  const [copied, setCopied] = useState(false);
  const copy = () =>
    navigator.clipboard.writeText(text).then(
      () => setCopied(true),
      () => undefined,
    );
  return (
    <div className="command">
      <code>{text}</code>
      <button type="button" className="quiet" onClick={copy} aria-label={`Copy ${text}`}>
        {copied ? "copied" : "copy"}
      </button>
    </div>
  );
}

export function Loading(): ReactNode {
  return (
    <div className="loading" role="status">
      <span className="hidden">loading</span>
    </div>
  );
}

interface QueryLike<T> {
  data: T | undefined;
  error: Problem | null;
  refetch: () => unknown;
}

/** What a query says; what it said last when it fails now.  That the hub is away is told once, above every view. */
export function Loaded<T>({ query, children }: { query: QueryLike<T>; children: (data: T) => ReactNode }): ReactNode {
  const { data, error } = query;
  const again = error?.status === 404 ? {} : { retry: () => void query.refetch() };
  if (data === undefined) return error ? <Notice problem={error} {...again} /> : <Loading />;
  return (
    <>
      {error && error.status !== 0 && <Notice problem={error} {...again} />}
      {children(data)}
    </>
  );
}

/** The keyboard goes on where it was, or at the view where that is gone. */
export function focusAgain(before: Element | null): void {
  if (document.activeElement && document.activeElement !== document.body) return;
  const place = before?.isConnected ? before : document.getElementById("main");
  if (place instanceof HTMLElement) place.focus({ preventScroll: true });
}

/** A question in a dialog of its own; Escape says no. */
export function Dialog({ title, children, close }: { title: string; children: ReactNode; close: () => void }): ReactNode {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = element.current;
    const before = document.activeElement;
    dialog?.showModal();
    return () => {
      dialog?.close();
      focusAgain(before);
    };
  }, []);
  return (
    <dialog ref={element} aria-label={title} onCancel={close} onClick={(event) => event.target === element.current && close()}>
      <div className="dialog">
        <h2>{title}</h2>
        {children}
      </div>
    </dialog>
  );
}
