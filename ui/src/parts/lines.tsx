// History as it comes: when, of what, and the hub's words.
import type { ReactNode } from "react";
import { Link } from "wouter";
import type { Line } from "../api/types";
import { dateTime, moment } from "../format";
import { ticked } from "./basics";

/** What people read; verdicts of the judge, plans of the edges and who did what are told elsewhere. */
export const worthTelling = (line: Line): boolean => /^(rollout|cluster|edges|application|dns|build|gate)\//.test(line.subject);

/** Whether the later one says the same with other figures, as while something is counted. */
export const repeats = (earlier: string, later: string): boolean => shape(earlier) === shape(later);
const shape = (reason: string): string => reason.replace(/\d+(\.\d+)?/g, "#");

/** The newest ones, newest first; of several things that one subject says within a second, or again and again, the last. */
export function newest(lines: Line[], most: number): Line[] {
  const told = lines.filter(worthTelling);
  const last = told.filter((line, index) => {
    const next = told.slice(index + 1).find((each) => each.subject === line.subject);
    return !next || (next.at - line.at > 1 && !repeats(line.reason, next.reason));
  });
  return last.slice(-most).reverse();
}

/** What something is about, in words, as a link where there is a view of it. */
export function Subject({ of }: { of: string }): ReactNode {
  const [kind = "", name = ""] = of.split(/\/(.*)/);
  const rollout = /^(.*)\.0*(\d+)/.exec(name);
  if (["rollout", "run", "gate"].includes(kind) && rollout) {
    return <Link href={`/rollouts/${rollout[1]}/${rollout[2]}`}>{`${rollout[1]} · rollout ${rollout[2]}`}</Link>;
  }
  if (kind === "build") return <Link href={`/pipelines/${name}`}>{`build ${name}`}</Link>;
  if (kind === "application") return <Link href={`/applications/${name}`}>{name}</Link>;
  if (["account", "token", "secret", "pipeline"].includes(kind)) return `${kind} ${name}`;
  return name || kind;
}

export function Lines({ lines }: { lines: Line[] }): ReactNode {
  return (
    <ol className="lines">
      {lines.map((line) => (
        <li key={line.number}>
          <time dateTime={new Date(line.at * 1000).toISOString()} title={dateTime(line.at)}>{moment(line.at)}</time>
          <span className="subject" title={line.subject}><Subject of={line.subject} /></span>
          <span className="said">{ticked(line.reason)}</span>
        </li>
      ))}
    </ol>
  );
}
