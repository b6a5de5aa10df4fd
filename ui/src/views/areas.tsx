// Requests per second of the last half hour, stacked; what failed, and when something happened.
import { useState, type PointerEvent, type ReactNode } from "react";
import type { Line, Traffic } from "../api/types";
import { clock, rate } from "../format";
import { newest } from "../parts/lines";
import { useWidth } from "../parts/width";
import { colourOfCluster, colourOfRevision, revisionsOf } from "./series";

const HEIGHT = 220;
const LEFT = 44;
const BELOW = 22;
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
  return [1, 2, 3, 4, 5, 6, 8, 10].map((each) => each * power).find((each) => each >= value * 1.05) ?? 10 * power;
}

export function Areas({ traffic, by }: { traffic: Traffic; by: "cluster" | "revision" }): ReactNode {
  const [element, width] = useWidth<HTMLDivElement>(900);
  const [pointed, setPointed] = useState<number | null>(null);
  const times = stretches(traffic);
  const few = times.length < 3;
  const series = seriesOf(traffic, times, by);
  const failed = failures(traffic, times);
  const first = times[0] ?? 0;
  const last = times.at(-1) ?? 0;
  const most = ceiling(Math.max(...times.map((_, index) => series.reduce((sum, each) => sum + (each.values[index] ?? 0), 0))));
  const x = (at: number) => LEFT + ((width - LEFT) * (at - first)) / Math.max(1, last - first);
  const y = (value: number) => ABOVE + HEIGHT * (1 - value / most);
  const point = (event: PointerEvent<SVGSVGElement>) => {
    const part = (event.clientX - event.currentTarget.getBoundingClientRect().left - LEFT) / (width - LEFT);
    setPointed(part < 0 ? null : first + part * (last - first));
  };
  // Of the stretch that is pointed at, else of the newest one.
  const told = pointed === null ? times.length - 1 : nearest(times, pointed);
  const newestTold = series.map((each) => `${each.name} ${rate(each.values.at(-1) ?? 0)}/s`).join(", ");
  return (
    <>
      <div ref={element}>
        {few ? (
          <p className="faint">The hub has just begun to count; the picture grows with time.</p>
        ) : (
          <svg
            className="chart"
            width={width}
            height={ABOVE + HEIGHT + BELOW}
            role="img"
            aria-label={`requests per second by ${by}, from ${clock(first)} to ${clock(last)}; at the end ${newestTold}`}
            onPointerMove={point}
            onPointerLeave={() => setPointed(null)}
          >
            <Scale most={most} y={y} width={width} />
            <Stack series={series} times={times} x={x} y={y} />
            {failed.some((each) => each > 0) && <path className="failures" d={area(failed, times.map(() => 0), times, x, y)} />}
            <Hours first={first} last={last} x={x} width={width} />
            <Marks lines={newest(traffic.marks, MOST_MARKS)} first={first} last={last} x={x} />
            {pointed !== null && <line className="pointed" x1={x(times[told] ?? 0)} x2={x(times[told] ?? 0)} y1={ABOVE} y2={ABOVE + HEIGHT} />}
          </svg>
        )}
      </div>
      {!few && (
        <p className="key">
          <span className="nowrap">{clock(times[told] ?? 0)}</span>
          {series.map((each) => (
            <span key={each.name} className="nowrap">
              <span className="swatch" style={{ background: each.colour }} />
              {each.name} <strong>{rate(each.values[told] ?? 0)}/s</strong>
            </span>
          ))}
          <span className="nowrap">
            <span className="swatch failing-swatch" />
            failed tries <strong>{rate(failed[told] ?? 0)}/s</strong>
          </span>
          <span className="faint nowrap">▾ something happened, told below</span>
        </p>
      )}
    </>
  );
}

/** The place of the stretch that a time is in. */
function nearest(times: number[], at: number): number {
  const next = times.findIndex((each) => each > at);
  return next < 0 ? times.length - 1 : Math.max(0, next - 1);
}

const STEPS = [15, 30, 60, 120, 300, 600];
const LEAST_STEP = 84;

/** Round times below the picture, as many as there is room for. */
function Hours({ first, last, x, width }: { first: number; last: number; x: Scaled; width: number }): ReactNode {
  const step = STEPS.find((each) => ((width - LEFT) * each) / Math.max(1, last - first) >= LEAST_STEP) ?? 600;
  const times = [];
  for (let at = Math.ceil(first / step) * step; at <= last; at += step) times.push(at);
  return times.map((at) => (
    <g key={at}>
      <line className="axis strong" x1={x(at)} x2={x(at)} y1={ABOVE + HEIGHT} y2={ABOVE + HEIGHT + 4} />
      <text x={Math.min(x(at), width - 24)} y={ABOVE + HEIGHT + 17} textAnchor="middle">
        {step < 60 ? clock(at) : clock(at).slice(0, 5)}
      </text>
    </g>
  ));
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

function Scale({ most, y, width }: { most: number; y: Scaled; width: number }): ReactNode {
  return [0, most / 2, most].map((value) => (
    <g key={value}>
      <line className="axis" x1={LEFT} x2={width} y1={y(value)} y2={y(value)} />
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
