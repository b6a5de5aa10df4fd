// Requests per second of the last half hour, stacked; what failed, and when something happened.
import type { ReactNode } from "react";
import type { Line, Traffic } from "../api/types";
import { clock, rate } from "../format";
import { newest } from "../parts/lines";
import { colourOfCluster, colourOfRevision, revisionsOf } from "./series";

const WIDTH = 1000;
const HEIGHT = 220;
const LEFT = 44;
const BELOW = 20;
const ABOVE = 18;
const MOST_MARKS = 12;

interface Series {
  name: string;
  colour: string;
  values: number[];
}

/** The stretches that are shown, oldest first; the one under way is not whole yet. */
function stretches(traffic: Traffic): number[] {
  const step = traffic.bucket_seconds;
  const last = traffic.at - (traffic.at % step) - step;
  const first = Math.min(...traffic.flows.flatMap((each) => each.history.map((point) => point.at)), last);
  const found = [];
  for (let at = first; at <= last; at += step) found.push(at);
  return found;
}

function seriesOf(traffic: Traffic, times: number[], by: "cluster" | "revision"): Series[] {
  const position = new Map(times.map((at, index) => [at, index]));
  const blank = () => times.map(() => 0);
  const all = new Map<string, number[]>();
  const names = by === "cluster" ? traffic.flows.map((each) => each.cluster) : revisionsOf(traffic);
  for (const name of names) all.set(name, blank());
  for (const flow of traffic.flows) {
    for (const point of flow.history) {
      const index = position.get(point.at);
      if (index === undefined) continue;
      const parts = by === "cluster" ? { [flow.cluster]: point.requests } : point.revisions;
      for (const [name, requests] of Object.entries(parts)) {
        const values = all.get(name);
        if (values) values[index] = (values[index] ?? 0) + requests / point.seconds;
      }
    }
  }
  const colour = by === "cluster" ? colourOfCluster : colourOfRevision;
  return [...all].map(([name, values]) => ({ name, values, colour: colour(traffic, name) }));
}

function failures(traffic: Traffic, times: number[]): number[] {
  const found = new Map(times.map((at) => [at, 0]));
  for (const flow of traffic.flows) {
    for (const point of flow.history) if (found.has(point.at)) found.set(point.at, (found.get(point.at) ?? 0) + point.failed / point.seconds);
  }
  return [...found.values()];
}

/** The next round number above, so that the scale does not tremble. */
function ceiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, value)));
  return [1, 1.5, 2, 3, 4, 5, 7.5, 10].map((each) => each * power).find((each) => each >= value * 1.05) ?? 10 * power;
}

export function Areas({ traffic, by }: { traffic: Traffic; by: "cluster" | "revision" }): ReactNode {
  const times = stretches(traffic);
  if (times.length < 3) return <p className="faint">The hub has just begun to count; the picture grows with time.</p>;
  const series = seriesOf(traffic, times, by);
  const failed = failures(traffic, times);
  const first = times[0] ?? 0;
  const last = times.at(-1) ?? 0;
  const most = ceiling(Math.max(...times.map((_, index) => series.reduce((sum, each) => sum + (each.values[index] ?? 0), 0))));
  const x = (at: number) => LEFT + ((WIDTH - LEFT) * (at - first)) / Math.max(1, last - first);
  const y = (value: number) => ABOVE + HEIGHT * (1 - value / most);
  return (
    <>
      <div className="scroll">
      <svg className="chart wide" viewBox={`0 0 ${WIDTH} ${ABOVE + HEIGHT + BELOW}`} role="img" aria-label={`requests per second by ${by}, from ${clock(first)} to ${clock(last)}`}>
        <Scale most={most} y={y} />
        <Stack series={series} times={times} x={x} y={y} />
        {failed.some((each) => each > 0) && <path className="failures" d={area(failed, times.map(() => 0), times, x, y)} />}
        <Marks lines={newest(traffic.marks, MOST_MARKS)} first={first} last={last} x={x} />
        <text x={LEFT} y={ABOVE + HEIGHT + 15}>
          {clock(first)}
        </text>
        <text x={WIDTH} y={ABOVE + HEIGHT + 15} textAnchor="end">
          {clock(last)}
        </text>
      </svg>
      </div>
      <p className="key">
        {series.map((each) => (
          <span key={each.name}>
            <span className="swatch" style={{ background: each.colour }} />
            {each.name}
          </span>
        ))}
        <span>
          <span className="swatch failing-swatch" />
          failed tries
        </span>
        <span className="faint">▾ something happened</span>
      </p>
    </>
  );
}

type Scaled = (value: number) => number;

function area(top: number[], bottom: number[], times: number[], x: Scaled, y: Scaled): string {
  const over = times.map((at, index) => `${x(at).toFixed(1)} ${y(top[index] ?? 0).toFixed(1)}`);
  const under = times.map((at, index) => `${x(at).toFixed(1)} ${y(bottom[index] ?? 0).toFixed(1)}`).reverse();
  return `M${over.join("L")}L${under.join("L")}Z`;
}

function Stack({ series, times, x, y }: { series: Series[]; times: number[]; x: Scaled; y: Scaled }): ReactNode {
  let below = times.map(() => 0);
  return series.map((each) => {
    const bottom = below;
    const top = bottom.map((value, index) => value + (each.values[index] ?? 0));
    below = top;
    return <path key={each.name} className="area" style={{ fill: each.colour }} d={area(top, bottom, times, x, y)} />;
  });
}

function Scale({ most, y }: { most: number; y: Scaled }): ReactNode {
  return [0, most / 2, most].map((value) => (
    <g key={value}>
      <line className="axis" x1={LEFT} x2={WIDTH} y1={y(value)} y2={y(value)} />
      <text x={LEFT - 6} y={y(value) + 4} textAnchor="end">
        {rate(value)}/s
      </text>
    </g>
  ));
}

function Marks({ lines, first, last, x }: { lines: Line[]; first: number; last: number; x: Scaled }): ReactNode {
  return lines
    .filter((each) => each.at >= first && each.at <= last)
    .map((each) => (
      <g key={each.number} className="mark">
        <title>{`${clock(each.at)} ${each.subject}: ${each.reason}`}</title>
        <line x1={x(each.at)} x2={x(each.at)} y1={ABOVE - 4} y2={ABOVE + HEIGHT} />
        <path d={`M${x(each.at) - 5} ${ABOVE - 12}h10l-5 8z`} />
      </g>
    ));
}
