// Users → edges → clouds → revisions, as ribbons as wide as the shares that were measured.
import type { ReactNode } from "react";
import type { Flow, Traffic } from "../api/types";
import { percent, rate } from "../format";
import { colourOfCluster, colourOfRevision, revisionsOf } from "./series";

const WIDTH = 1000;
const FULL = 210;
const GAP = 34;
const TOP = 26;
const COLUMNS = { users: 4, edges: 250, clouds: 520, revisions: 800 };
const NODE = 12;
const THIN = 1.5;

interface Place {
  y: number;
  height: number;
}

/** Nodes below each other, with room between them, around the middle of the picture. */
function stacked(shares: number[], height: number): Place[] {
  const total = shares.reduce((sum, each) => sum + Math.max(THIN, each * FULL), 0) + GAP * (shares.length - 1);
  let y = TOP + (height - total) / 2;
  return shares.map((share) => {
    const place = { y, height: Math.max(THIN, share * FULL) };
    y += place.height + GAP;
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
  const { measured, shares } = sharesOf(traffic);
  const revisions = revisionsOf(traffic);
  if (!shares.length) return <p className="faint">It runs nowhere yet: <code>crossfade deploy {traffic.application}</code> starts it.</p>;
  const rows = Math.max(shares.length, revisions.length, 1);
  const height = FULL + GAP * (rows - 1);
  const whole = stacked([1], height)[0] as Place;
  const clouds = stacked(shares.map((each) => each.share), height);
  const ofRevision = revisions.map((revision) => shares.reduce((sum, each) => sum + (each.share * (each.flow.shares[revision] ?? 0)) / 100, 0));
  const ends = stacked(ofRevision, height);
  const told = shares.map((each) => `${each.flow.cluster} ${percent(100 * each.share)}`).join(", ");
  return (
    <>
      <div className="scroll">
        <svg className={`flow ${measured ? "" : "planned"}`} viewBox={`0 0 ${WIDTH} ${height + TOP + 22}`} role="img" aria-label={`users of ${traffic.application}: ${told}`}>
          <defs>
            <pattern id="failing" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
              <rect width="7" height="7" className="failing-ground" />
              <rect width="3" height="7" className="failing-line" />
            </pattern>
          </defs>
          <path className="ribbon users" d={ribbon(COLUMNS.users + NODE, whole.y, COLUMNS.edges, whole.y, whole.height)} />
          <Clouds shares={shares} places={clouds} whole={whole} traffic={traffic} />
          <Revisions shares={shares} clouds={clouds} ends={ends} revisions={revisions} traffic={traffic} />
          <Node x={COLUMNS.users} place={whole} name="users" />
          <Node x={COLUMNS.edges} place={whole} name={traffic.edges === 1 ? "1 edge" : `${traffic.edges} edges`} />
          {shares.map((each, index) => (
            <Node
              key={each.flow.cluster}
              x={COLUMNS.clouds}
              place={clouds[index] as Place}
              name={each.flow.cluster}
              told={`${percent(100 * each.share)}${each.perSecond ? ` · ${rate(each.perSecond)}/s` : ""}`}
              failing={each.failed > 0 ? `${percent(100 * each.failed)} of tries fail` : ""}
              colour={colourOfCluster(traffic, each.flow.cluster)}
            />
          ))}
          {revisions.map((revision, index) => (
            <Node
              key={revision}
              x={COLUMNS.revisions}
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
  shares: Shares[];
  places: Place[];
  whole: Place;
  traffic: Traffic;
}

function Clouds({ shares, places, whole, traffic }: CloudsProps): ReactNode {
  let from = whole.y;
  return shares.map((each, index) => {
    const place = places[index] as Place;
    const width = each.share * FULL;
    const failing = width * Math.min(1, each.failed);
    const begin = from;
    from += width;
    if (!width) return null;
    const x = COLUMNS.edges + NODE;
    return (
      <g key={each.flow.cluster}>
        <path className="ribbon" style={{ fill: colourOfCluster(traffic, each.flow.cluster) }} d={ribbon(x, begin, COLUMNS.clouds, place.y, width)} />
        <path className="stream" d={`M${x} ${begin + width / 2}C${(x + COLUMNS.clouds) / 2} ${begin + width / 2} ${(x + COLUMNS.clouds) / 2} ${place.y + width / 2} ${COLUMNS.clouds} ${place.y + width / 2}`} />
        {failing > 0 && <path className="ribbon fails" d={ribbon(x, begin, COLUMNS.clouds, place.y, Math.max(2, failing))} />}
      </g>
    );
  });
}

interface RevisionsProps {
  shares: Shares[];
  clouds: Place[];
  ends: Place[];
  revisions: string[];
  traffic: Traffic;
}

function Revisions({ shares, clouds, ends, revisions, traffic }: RevisionsProps): ReactNode {
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
          return <path key={revision} className="ribbon" style={{ fill: colourOfRevision(traffic, revision) }} d={ribbon(COLUMNS.clouds + NODE, begin, COLUMNS.revisions, end, width)} />;
        })}
      </g>
    );
  });
}

interface NodeProps {
  x: number;
  place: Place;
  name: string;
  told?: string;
  failing?: string;
  colour?: string;
}

function Node({ x, place, name, told, failing, colour }: NodeProps): ReactNode {
  return (
    <g>
      <rect className="node" x={x} y={place.y} width={NODE} height={place.height} rx="2" style={colour ? { fill: colour } : undefined} />
      <text x={x} y={place.y - 8} className="name">
        {name} {told && <tspan className="told">{told}</tspan>}
        {failing && <tspan className="fail"> · {failing}</tspan>}
      </text>
    </g>
  );
}
