// Users → edges → clouds → revisions, as ribbons as wide as the shares that were measured.
import type { ReactNode } from "react";
import type { Flow, Traffic } from "../api/types";
import { percent, rate } from "../format";
import { useWidth } from "../parts/width";
import { colourOfCluster, colourOfRevision, revisionsOf } from "./series";

const FULL = 210;
const NODE = 12;
const THIN = 1.5;
const NARROW = 640;

/** Where the columns stand, in pixels; a narrow picture begins at the edges, and tells shares below names. */
interface Frame {
  width: number;
  narrow: boolean;
  users: number;
  edges: number;
  clouds: number;
  revisions: number;
  top: number;
  gap: number;
}

function frameOf(width: number): Frame {
  if (width < NARROW) return { width, narrow: true, users: 0, edges: 2, clouds: 0.28 * width, revisions: 0.66 * width, top: 42, gap: 46 };
  return { width, narrow: false, users: 2, edges: 0.25 * width, clouds: 0.52 * width, revisions: width - 190, top: 26, gap: 36 };
}

interface Place {
  y: number;
  height: number;
}

/** Nodes below each other, with room between them, around the middle of the picture. */
function stacked(shares: number[], height: number, { top, gap }: Frame): Place[] {
  const total = shares.reduce((sum, each) => sum + Math.max(THIN, each * FULL), 0) + gap * (shares.length - 1);
  let y = top + (height - total) / 2;
  return shares.map((share) => {
    const place = { y, height: Math.max(THIN, share * FULL) };
    y += place.height + gap;
    return place;
  });
}

function ribbon(x0: number, y0: number, x1: number, y1: number, width: number): string {
  const middle = (x0 + x1) / 2;
  return `M${x0} ${y0}C${middle} ${y0} ${middle} ${y1} ${x1} ${y1}L${x1} ${y1 + width}C${middle} ${y1 + width} ${middle} ${y0 + width} ${x0} ${y0 + width}Z`;
}

interface Shares {
  flow: Flow;
  share: number;
  failed: number;
  perSecond: number;
}

function sharesOf(traffic: Traffic): { measured: boolean; shares: Shares[] } {
  const total = traffic.flows.reduce((sum, each) => sum + (each.now?.requests ?? 0), 0);
  const shares = traffic.flows.map((flow) => ({
    flow,
    share: total ? (flow.now?.requests ?? 0) / total : flow.planned_percent / 100,
    failed: flow.now?.requests ? flow.now.failed / flow.now.requests : 0,
    perSecond: flow.now ? flow.now.requests / flow.now.seconds : 0,
  }));
  return { measured: total > 0, shares };
}

export function FlowPicture({ traffic }: { traffic: Traffic }): ReactNode {
  const [element, width] = useWidth<HTMLDivElement>(900);
  const frame = frameOf(width);
  const { measured, shares } = sharesOf(traffic);
  const revisions = revisionsOf(traffic);
  if (!shares.length) return <p className="faint">It runs nowhere yet: <code>crossfade deploy {traffic.application}</code> starts it.</p>;
  const rows = Math.max(shares.length, revisions.length, 1);
  const height = FULL + frame.gap * (rows - 1);
  const whole = stacked([1], height, frame)[0] as Place;
  const clouds = stacked(shares.map((each) => each.share), height, frame);
  const total = shares.reduce((sum, each) => sum + each.perSecond, 0);
  const edges = traffic.edges === 1 ? "1 edge" : `${traffic.edges} edges`;
  const ofRevision = revisions.map((revision) => shares.reduce((sum, each) => sum + (each.share * (each.flow.shares[revision] ?? 0)) / 100, 0));
  const ends = stacked(ofRevision, height, frame);
  const told = shares.map((each) => `${each.flow.cluster} ${percent(100 * each.share)}`).join(", ");
  return (
    <>
      <div ref={element}>
        <svg className={`flow ${measured ? "" : "planned"}`} width={width} height={height + frame.top + 18} role="img" aria-label={`users of ${traffic.application}: ${told}`}>
          <defs>
            <pattern id="failing" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
              <rect width="7" height="7" className="failing-ground" />
              <rect width="3" height="7" className="failing-line" />
            </pattern>
          </defs>
          {!frame.narrow && <path className="ribbon users" d={ribbon(frame.users + NODE, whole.y, frame.edges, whole.y, whole.height)} />}
          <Clouds frame={frame} shares={shares} places={clouds} whole={whole} traffic={traffic} />
          <Revisions frame={frame} shares={shares} clouds={clouds} ends={ends} revisions={revisions} traffic={traffic} />
          {!frame.narrow && <Node frame={frame} x={frame.users} place={whole} name="users" told={total ? `${rate(total)}/s` : ""} />}
          <Node frame={frame} x={frame.edges} place={whole} name={edges} told={frame.narrow && total ? `${rate(total)}/s` : ""} />
          {shares.map((each, index) => (
            <Node
              key={each.flow.cluster}
              frame={frame}
              x={frame.clouds}
              place={clouds[index] as Place}
              name={each.flow.cluster}
              told={`${percent(100 * each.share, 1)}${each.perSecond && !frame.narrow ? ` · ${rate(each.perSecond)}/s` : ""}`}
              failing={each.failed > 0 ? frame.narrow ? `${percent(100 * each.failed)} fail` : `${percent(100 * each.failed)} of tries fail` : ""}
              colour={colourOfCluster(traffic, each.flow.cluster)}
            />
          ))}
          {revisions.map((revision, index) => (
            <Node
              key={revision}
              frame={frame}
              x={frame.revisions}
              place={ends[index] as Place}
              name={revision}
              told={`${percent(100 * (ofRevision[index] ?? 0))}${revision === traffic.canary ? " · new" : revision === traffic.stable ? " · stable" : ""}`}
              colour={colourOfRevision(traffic, revision)}
            />
          ))}
        </svg>
      </div>
      {!measured && <p className="small faint">No requests at the edges just now: these are the shares that are planned.</p>}
    </>
  );
}

interface CloudsProps {
  frame: Frame;
  shares: Shares[];
  places: Place[];
  whole: Place;
  traffic: Traffic;
}

function Clouds({ frame, shares, places, whole, traffic }: CloudsProps): ReactNode {
  let from = whole.y;
  return shares.map((each, index) => {
    const place = places[index] as Place;
    const width = each.share * FULL;
    const failing = width * Math.min(1, each.failed);
    const begin = from;
    from += width;
    if (!width) return null;
    const x = frame.edges + NODE;
    return (
      <g key={each.flow.cluster}>
        <path className="ribbon" style={{ fill: colourOfCluster(traffic, each.flow.cluster) }} d={ribbon(x, begin, frame.clouds, place.y, width)} />
        <path className="stream" d={`M${x} ${begin + width / 2}C${(x + frame.clouds) / 2} ${begin + width / 2} ${(x + frame.clouds) / 2} ${place.y + width / 2} ${frame.clouds} ${place.y + width / 2}`} />
        {failing > 0 && <path className="ribbon fails" d={ribbon(x, begin, frame.clouds, place.y, Math.max(2, failing))} />}
      </g>
    );
  });
}

interface RevisionsProps {
  frame: Frame;
  shares: Shares[];
  clouds: Place[];
  ends: Place[];
  revisions: string[];
  traffic: Traffic;
}

function Revisions({ frame, shares, clouds, ends, revisions, traffic }: RevisionsProps): ReactNode {
  const used = ends.map((each) => each.y);
  return shares.map((each, index) => {
    let from = (clouds[index] as Place).y;
    return (
      <g key={each.flow.cluster}>
        {revisions.map((revision, at) => {
          const width = (each.share * FULL * (each.flow.shares[revision] ?? 0)) / 100;
          if (!width) return null;
          const begin = from;
          const end = used[at] ?? 0;
          from += width;
          used[at] = end + width;
          return <path key={revision} className="ribbon" style={{ fill: colourOfRevision(traffic, revision) }} d={ribbon(frame.clouds + NODE, begin, frame.revisions, end, width)} />;
        })}
      </g>
    );
  });
}

interface NodeProps {
  frame: Frame;
  x: number;
  place: Place;
  name: string;
  told?: string;
  failing?: string;
  colour?: string;
}

function Node({ frame, x, place, name, told, failing, colour }: NodeProps): ReactNode {
  const rest = (
    <>
      {told && <tspan className="told">{told}</tspan>}
      {failing && <tspan className="fail">{told ? " · " : ""}{failing}</tspan>}
    </>
  );
  return (
    <g>
      <rect className="node" x={x} y={place.y} width={NODE} height={place.height} rx="2" style={colour ? { fill: colour } : undefined} />
      <text x={x} y={place.y - (frame.narrow ? 22 : 8)} className="name">
        {name} {!frame.narrow && rest}
      </text>
      {frame.narrow && (
        <text x={x} y={place.y - 7} className="name below">
          {rest}
        </text>
      )}
    </g>
  );
}
