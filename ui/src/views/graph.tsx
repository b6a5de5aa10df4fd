// The steps of a build as a graph, from left to right: what comes after what, stage by stage.
import type { CSSProperties, ReactNode } from "react";
import type { BuildStep } from "../api/types";
import { duration } from "../format";
import { Glyph, useNow } from "../parts/basics";
import { useWidth } from "../parts/width";
import { TONES } from "./pipelines";

const GAP = 16;
const WIDEST = 232;
const NARROWEST = 108;
const BETWEEN = 26;
/** A name has two lines where boxes are narrower. */
const ONE_LINE = 200;
const LINE = 18;
/** Around the picture, for the ring of the step that is chosen. */
const EDGE = 3;
/** Where there is room for no more than two columns, steps stand below each other. */
const NARROW = 480;

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

export function Graph(props: Props): ReactNode {
  const [element, width] = useWidth<HTMLDivElement>(900);
  return (
    <div ref={element} className={width < NARROW ? "" : "scroll"}>
      {width < NARROW ? <List {...props} /> : <Picture {...props} room={width} />}
    </div>
  );
}

/** One below the other in the order of their columns, stage by stage. */
function List({ steps, chosen, choose }: Props): ReactNode {
  const placed = layout(steps).sort((a, b) => a.column - b.column || a.row - b.row);
  return (
    <ol className="steps">
      {placed.map((each, index) => (
        <li key={each.step.key}>
          {each.stage && each.stage !== placed[index - 1]?.stage && <span className="small faint">{each.stage}</span>}
          <StepButton step={each.step} pressed={each.step.key === chosen} choose={choose} />
        </li>
      ))}
    </ol>
  );
}

function Picture({ steps, stages, chosen, choose, room }: Props & { room: number }): ReactNode {
  const placed = layout(steps);
  const places = new Map(placed.map((each) => [each.step.key, each]));
  const columns = 1 + Math.max(0, ...placed.map((each) => each.column));
  // As wide as there is room for: of a box that is cut off nobody knows.
  const box = Math.max(NARROWEST, Math.min(WIDEST, Math.floor((room - 2 * EDGE - BETWEEN * (columns - 1)) / columns)));
  const high = 44 + (box < ONE_LINE ? LINE : 0);
  const step = box + BETWEEN;
  const top = stages.length ? 26 : 0;
  const width = step * (columns - 1) + box;
  const height = top + (high + GAP) * Math.max(0, ...placed.map((each) => each.row)) + high;
  const y = (each: Placed) => top + each.row * (high + GAP);
  return (
    <div className="graph" style={{ width, height }}>
      {stages.map((stage) => {
        const first = Math.min(...placed.filter((each) => each.stage === stage).map((each) => each.column));
        return Number.isFinite(first) ? (
          <span key={stage} className="stage" style={{ left: first * step }}>
            {stage}
          </span>
        ) : null;
      })}
      <svg width={width} height={height} aria-hidden="true">
        {placed.flatMap((each) =>
          each.after.map((key) => {
            const from = places.get(key);
            if (!from) return null;
            const [x0, y0] = [from.column * step + box, y(from) + high / 2];
            const [x1, y1] = [each.column * step, y(each) + high / 2];
            return <path key={`${key}>${each.step.key}`} d={`M${x0} ${y0}C${x0 + 18} ${y0} ${x1 - 18} ${y1} ${x1} ${y1}`} />;
          }),
        )}
      </svg>
      {placed.map((each) => (
        <StepButton
          key={each.step.key}
          step={each.step}
          pressed={each.step.key === chosen}
          choose={choose}
          tight={box < ONE_LINE}
          place={{ position: "absolute", left: each.column * step, top: y(each), width: box, height: high }}
        />
      ))}
    </div>
  );
}

interface ButtonProps {
  step: BuildStep;
  pressed: boolean;
  choose: (key: string) => void;
  place?: CSSProperties;
  /** Whether there is room for one word on how it stands. */
  tight?: boolean;
}

function StepButton({ step, pressed, choose, place, tight = false }: ButtonProps): ReactNode {
  const waits = step.result === "pending-approval";
  const told = waits ? (tight ? "waits" : "waits for approval") : step.result;
  const name = step.title || step.name;
  return (
    <button
      type="button"
      className={`step ${TONES[step.result] ?? "idle"}`}
      aria-pressed={pressed}
      style={place}
      onClick={() => choose(step.key)}
      title={step.reason ? `${name}: ${step.reason}` : name}
    >
      <Glyph tone={TONES[step.result] ?? "idle"} />
      <span>
        <span className="name">{name}</span>
        <span className="small faint">
          {step.hook ? `${step.hook} · ` : ""}
          {tight && step.result === "success" ? <span className="hidden">{told}</span> : told} {(!tight || step.result === "success") && <Lasted step={step} />}
        </span>
      </span>
    </button>
  );
}

function Lasted({ step }: { step: BuildStep }): ReactNode {
  const now = useNow();
  if (step.since === null || step.result === "pending" || step.result === "skipped") return null;
  return <>{duration((step.ended ?? now) - step.since)}</>;
}
