// The first screen: is everything all right, what is moving, what needs me.
import type { ReactNode } from "react";
import { Link } from "wouter";
import { useData, useLive } from "../api/live";
import type { Moving, Need, Overview, Returning } from "../api/types";
import { percent, plural, rate } from "../format";
import { Ago, Bar, Empty, Glyph, Loaded, ticked, type Tone } from "../parts/basics";
import { Elsewhere } from "../parts/elsewhere";
import { Lines, newest } from "../parts/lines";
import { Cloud } from "./cloud";

export function Fleet(): ReactNode {
  const query = useData<Overview>("/overview", 1000);
  return <Loaded query={query}>{(overview) => <Screen overview={overview} />}</Loaded>;
}

const MOST_NEEDS = 12;
const MOST_MOVING = 8;

function Screen({ overview }: { overview: Overview }): ReactNode {
  if (!overview.clusters.length) {
    return (
      <Empty heading="h1" title="The fleet is empty" command="crossfade fleet add gcp --context prod-gke --provider gcp --region europe-west1">
        Tell the hub which Kubernetes clusters there are; Settings adds one, too. Without any: <code>crossfade sandbox up</code>, then <code>crossfade fleet add --sandbox</code>.
      </Empty>
    );
  }
  return (
    <div className="stack">
      <Headline overview={overview} />
      <div className="pair level">
        <section className="panel" aria-label="Moving">
          <h2>Moving</h2>
          {overview.moving.length + overview.returning.length ? (
            <ul className="items">
              {overview.moving.slice(0, MOST_MOVING).map((each) => (
                <MovingItem key={each.application} moving={each} />
              ))}
              {overview.moving.length > MOST_MOVING && (
                <li>
                  <Link href="/rollouts">and {plural(overview.moving.length - MOST_MOVING, "other rollout")}</Link>
                </li>
              )}
              {overview.returning.map((each) => (
                <ReturningItem key={each.cluster} returning={each} />
              ))}
            </ul>
          ) : (
            <Still applications={overview.applications} />
          )}
        </section>
        <section className="panel" aria-label="Needs you">
          <h2>Needs you</h2>
          {overview.needs.length ? (
            <ul className="items">
              {overview.needs.slice(0, MOST_NEEDS).map((each, index) => (
                <NeedItem key={`${each.what}/${index}`} need={each} />
              ))}
              {overview.needs.length > MOST_NEEDS && <li className="faint">and {plural(overview.needs.length - MOST_NEEDS, "other thing")}</li>}
            </ul>
          ) : (
            <p className="faint">Nothing waits for anybody.</p>
          )}
        </section>
      </div>
      <section aria-label="Clouds" className="clouds">
        {overview.clusters.map((each) => (
          <Cloud key={each.name} card={each} />
        ))}
      </section>
      <Recent />
    </div>
  );
}

function headline(overview: Overview): { tone: Tone; text: string } {
  const urgent = overview.needs.filter((each) => each.urgent);
  const lost = overview.clusters.filter((each) => ["lost", "data-plane-down", "both-down"].includes(each.health));
  if (overview.clusters.every((each) => each.health === "unknown")) return { tone: "idle", text: "Nothing is known yet; the hub begins to look" };
  if (lost.length === overview.clusters.length) return { tone: "bad", text: "No cloud is known to serve" };
  if (lost.length) {
    const names = lost.map((each) => each.name).join(" and ");
    const others = overview.clusters.filter((each) => !lost.includes(each) && each.share > 0).map((each) => each.name);
    return { tone: "bad", text: `${names} ${lost.length === 1 ? "is" : "are"} lost; users are served by ${others.join(" and ") || "nobody"}` };
  }
  if (urgent.length) return { tone: "bad", text: `${urgent[0]?.what}${urgent.length > 1 ? `, and ${urgent.length - 1} more` : ""}` };
  const waiting = overview.needs.length;
  if (waiting) return { tone: "warn", text: waiting === 1 ? "Users are served; one thing waits for you" : `Users are served; ${waiting} things wait for you` };
  if (overview.returning.length) return { tone: "moving", text: "Users are served; some are on their way back" };
  if (overview.moving.length) {
    const what = overview.moving.length === 1 ? `users of ${overview.moving[0]?.application} are` : `${overview.moving.length} applications are`;
    return { tone: "moving", text: `All is well; ${what} moving to a new version` };
  }
  return { tone: "ok", text: "Everything is all right" };
}

function Headline({ overview }: { overview: Overview }): ReactNode {
  const { tone, text } = headline(overview);
  return (
    <div className="headline">
      <span className={`lamp ${tone}`}>
        <Glyph tone={tone} size={22} />
      </span>
      <div>
        <h1>
          <span role="status">{text}</span>
        </h1>
        <p className="faint">
          {plural(overview.clusters.length, "cloud")} · {overview.serving} of {plural(overview.applications, "application")} {overview.serving === 1 ? "serves" : "serve"} users ·{" "}
          {overview.rps > 0 ? `${rate(overview.rps)} requests/s` : overview.counted_by ? <Elsewhere hub={overview.counted_by} /> : "no requests at the edges"}
          {overview.failed_rps > 0 && <span className="failing"> · {rate(overview.failed_rps)} failed tries/s</span>}
        </p>
      </div>
    </div>
  );
}

function MovingItem({ moving }: { moving: Moving }): ReactNode {
  const back = moving.phase === "rolling-back";
  return (
    <li>
      <div className="row">
        <Link href={`/rollouts/${moving.application}`}>
          <strong>{moving.application}</strong>
        </Link>
        <span className="mono faint">
          {moving.stable ?? "nothing"} → {moving.canary}
        </span>
        <strong className="end">{percent(moving.percent)}</strong>
      </div>
      <Bar value={moving.percent} tone={back ? "bad" : "canary"} label={`users of ${moving.application} on the new revision`} />
      <p className="small faint clamp">
        {moving.phase}
        {moving.steps > 0 && moving.phase === "progressing" && ` · step ${Math.min(moving.step + 1, moving.steps)} of ${moving.steps}`} · {ticked(moving.reason)}
      </p>
    </li>
  );
}

function ReturningItem({ returning }: { returning: Returning }): ReactNode {
  return (
    <li>
      <div className="row">
        <strong>users come back to {returning.cluster}</strong>
        <strong className="end">{percent(returning.percent)}</strong>
      </div>
      <Bar value={returning.percent} tone="users" label={`share of ${returning.cluster} that is back`} />
      <p className="small faint clamp">{ticked(returning.reason)}</p>
    </li>
  );
}

function Still({ applications }: { applications: number }): ReactNode {
  if (applications) return <p className="faint">No rollout is under way.</p>;
  return (
    <p className="faint">
      No application yet: <code>crossfade apply -f crossfade.yaml</code>, then <code>crossfade deploy NAME</code>.
    </p>
  );
}

function NeedItem({ need }: { need: Need }): ReactNode {
  const where = need.build ? `/pipelines/${need.build}` : need.application ? `/rollouts/${need.application}` : null;
  const what = where ? <Link href={where}>{need.what}</Link> : need.cluster ? <a href={`#cloud-${need.cluster}`}>{need.what}</a> : need.what;
  return (
    <li>
      <div className="row">
        <Glyph tone={need.urgent ? "bad" : "warn"} />
        {need.urgent && <span className="hidden">urgent: </span>}
        <strong>{what}</strong>
      </div>
      {need.why && <p className="small faint clamp indent">{ticked(need.why)}</p>}
    </li>
  );
}

function Recent(): ReactNode {
  const lines = newest(useLive().lines, 8);
  if (!lines.length) return null;
  return (
    <section className="panel" aria-label="What happened last">
      <h2>
        What happened last <span className="faint">{lines[0] && <Ago at={lines[0].at} />}</span>
      </h2>
      <Lines lines={lines} />
    </section>
  );
}
