// The band that holds the ratio of the new revision to the stable one, as it narrows with time.
import type { ReactNode } from "react";
import type { Verdict } from "../api/types";
import { clock } from "../format";
import { useWidth } from "../parts/width";

const HEIGHT = 120;
const LEFT = 44;
const LEAST = 1 / 8;
export const MOST = 8;
const LINES = [0.25, 1, 4];

/** Ratios are told in factors: half as many is as far from equal as twice as many. */
function y(ratio: number): number {
  const clamped = Math.min(MOST, Math.max(LEAST, ratio));
  return HEIGHT * (1 - Math.log(clamped / LEAST) / Math.log(MOST / LEAST));
}

interface Props {
  name: string;
  points: Verdict[];
  tolerated: number;
  limit: number;
}

export function Band(props: Props): ReactNode {
  const [element, width] = useWidth<HTMLDivElement>(420);
  return (
    <div ref={element}>
      <Picture {...props} width={width} />
    </div>
  );
}

function Picture({ name, points, tolerated, limit, width }: Props & { width: number }): ReactNode {
  const known = points.filter((each) => each.bands[name]);
  const first = known[0];
  const last = known.at(-1);
  if (!first || !last || known.length < 2) return <p className="faint small blank">The band is drawn from the second verdict on.</p>;
  const span = Math.max(1, last.at - first.at);
  const x = (at: number) => LEFT + ((width - LEFT) * (at - first.at)) / span;
  const edge = (of: (band: [number, number | null]) => number) => known.map((each) => `${x(each.at).toFixed(1)},${y(of(each.bands[name] as [number, number | null])).toFixed(1)}`);
  const top = edge(([, high]) => high ?? MOST);
  const bottom = edge(([low]) => low);
  return (
    <svg className="chart" width={width} height={HEIGHT + 16} role="img" aria-label={`${name}: band of the ratio of new to stable, from ${clock(first.at)} to ${clock(last.at)}`}>
      {LINES.map((ratio) => (
        <g key={ratio}>
          <line x1={LEFT} x2={width} y1={y(ratio)} y2={y(ratio)} className={ratio === 1 ? "axis strong" : "axis"} />
          <text x={LEFT - 6} y={y(ratio) + 4} textAnchor="end">
            {ratio === 1 ? "same" : `×${ratio < 1 ? "¼" : ratio}`}
          </text>
        </g>
      ))}
      {limit < MOST && (
        <line x1={LEFT} x2={width} y1={y(limit)} y2={y(limit)} className="limit">
          <title>{`must be proven to be below ×${limit.toFixed(2)}; ×${tolerated.toFixed(2)} is tolerated`}</title>
        </line>
      )}
      <polygon points={[...top, ...bottom.toReversed()].join(" ")} className="band" />
      <polyline points={top.join(" ")} className="edge" />
      <polyline points={bottom.join(" ")} className="edge" />
      <text x={LEFT} y={HEIGHT + 14}>
        {clock(first.at)}
      </text>
      <text x={width} y={HEIGHT + 14} textAnchor="end">
        {clock(last.at)}
      </text>
    </svg>
  );
}
