// The steps of a build as a graph, from left to right: what comes after what, stage by stage.
import type { ReactNode } from "react";
import type { BuildStep } from "../api/types";
import { duration } from "../format";
import { Glyph, useNow } from "../parts/basics";
import { TONES } from "./pipelines";

const COLUMN = 210;
const ROW = 58;
const BOX = { width: 176, height: 42 };

interface Placed {
  step: BuildStep;
  column: number;
  row: number;
  after: string[];
  /** Its own, or that of the step that it is part of. */
  stage: string;
}

/** Steps that contain others are not drawn themselves: what waits for them waits for all they contain. */
export function layout(steps: BuildStep[]): Placed[] {
  const inside = new Map<string, BuildStep[]>();
  for (const each of steps) inside.set(each.owner, [...(inside.get(each.owner) ?? []), each]);
  const known = new Map(steps.map((each) => [each.key, each]));
  const leavesOf = (key: string): string[] => inside.get(key)?.flatMap((each) => leavesOf(each.key)) ?? [key];
  const waits = (each: BuildStep): string[] => {
    const own = each.after.filter((key) => known.has(key)).flatMap(leavesOf);
    const owner = known.get(each.owner);
    return own.length || !owner ? own : waits(owner);
  };
  const stageOf = (each: BuildStep): string => each.stage || (known.has(each.owner) ? stageOf(known.get(each.owner) as BuildStep) : "");
  const leaves = steps.filter((each) => !inside.has(each.key));
  const after = new Map(leaves.map((each) => [each.key, waits(each).filter((key) => key !== each.key)]));
  const columns = new Map<string, number>();
  const column = (key: string, path: string[] = []): number => {
    const found = columns.get(key);
    if (found !== undefined) return found;
    const before = (after.get(key) ?? []).filter((other) => !path.includes(other));
    const at = before.length ? 1 + Math.max(...before.map((other) => column(other, [...path, key]))) : 0;
    columns.set(key, at);
    return at;
  };
  const used = new Map<number, number>();
  return leaves.map((step) => {
    const at = column(step.key);
    const row = used.get(at) ?? 0;
    used.set(at, row + 1);
    return { step, column: at, row, after: after.get(step.key) ?? [], stage: stageOf(step) };
  });
}

interface Props {
  steps: BuildStep[];
  stages: string[];
  chosen: string | undefined;
  choose: (key: string) => void;
}

export function Graph({ steps, stages, chosen, choose }: Props): ReactNode {
  const placed = layout(steps);
  const places = new Map(placed.map((each) => [each.step.key, each]));
  const width = COLUMN * (1 + Math.max(0, ...placed.map((each) => each.column)));
  const top = stages.length ? 26 : 0;
  const height = top + ROW * (1 + Math.max(0, ...placed.map((each) => each.row)));
  const y = (each: Placed) => top + each.row * ROW;
  return (
    <div className="graph" style={{ width, height }}>
      {stages.map((stage) => {
        const first = Math.min(...placed.filter((each) => each.stage === stage).map((each) => each.column));
        return Number.isFinite(first) ? (
          <span key={stage} className="stage" style={{ left: first * COLUMN }}>
            {stage}
          </span>
        ) : null;
      })}
      <svg width={width} height={height} aria-hidden="true">
        {placed.flatMap((each) =>
          each.after.map((key) => {
            const from = places.get(key);
            if (!from) return null;
            const [x0, y0] = [from.column * COLUMN + BOX.width, y(from) + BOX.height / 2];
            const [x1, y1] = [each.column * COLUMN, y(each) + BOX.height / 2];
            return <path key={`${key}>${each.step.key}`} d={`M${x0} ${y0}C${x0 + 18} ${y0} ${x1 - 18} ${y1} ${x1} ${y1}`} />;
          }),
        )}
      </svg>
      {placed.map((each) => (
        <button
          key={each.step.key}
          type="button"
          className={`step ${TONES[each.step.result] ?? "idle"}`}
          aria-pressed={each.step.key === chosen}
          style={{ left: each.column * COLUMN, top: y(each), width: BOX.width, height: BOX.height }}
          onClick={() => choose(each.step.key)}
          title={each.step.reason}
        >
          <Glyph tone={TONES[each.step.result] ?? "idle"} />
          <span>
            {each.step.title || each.step.name}
            <span className="small faint">
              {each.step.hook ? `${each.step.hook} · ` : ""}
              {each.step.result.replace("pending-approval", "waits")} <Lasted step={each.step} />
            </span>
          </span>
        </button>
      ))}
    </div>
  );
}

function Lasted({ step }: { step: BuildStep }): ReactNode {
  const now = useNow();
  if (step.since === null || step.result === "pending") return null;
  return <>{duration((step.ended ?? now) - step.since)}</>;
}
