// The new revision beside the stable one: figures, the band of the ratio over time, harm that is left.
import type { ReactNode } from "react";
import { useData } from "../api/live";
import type { Analysis, Metric, Page, Rollout, Verdict } from "../api/types";
import { count, percent } from "../format";
import { Bar, Loaded, ticked } from "../parts/basics";
import { Band, MOST } from "./band";
import { active } from "./rollouts";

export function Judge({ rollout }: { rollout: Rollout }): ReactNode {
  const path = `/applications/${rollout.application}/rollouts/${rollout.number}/analysis`;
  const query = useData<Analysis | null>(path);
  return (
    <section className="panel" aria-label="Analysis">
      <h2>
        New against stable <span className="faint">{query.data ? ticked(query.data.reason) : ""}</span>
      </h2>
      <Loaded query={query}>
        {(analysis) =>
          analysis ? (
            <Known analysis={analysis} path={path} live={active(rollout)} />
          ) : (
            <p className="faint">{unjudged(rollout)}</p>
          )
        }
      </Loaded>
    </section>
  );
}

function unjudged(rollout: Rollout): string {
  if (rollout.swap || !rollout.stable) return "All users were moved at once: there is nothing to judge.";
  if (!rollout.analysis.judge) return "Nothing is judged against stable: the application's file does not ask for it.";
  return "The judge begins when the first user meets the new revision.";
}

function Known({ analysis, path, live }: { analysis: Analysis; path: string; live: boolean }): ReactNode {
  const points = useData<Page<Verdict>>(`${path}/points?limit=500`, live ? 4000 : undefined).data?.items ?? [];
  return (
    <div className="judge">
      <Budget analysis={analysis} />
      <div className="bands">
        {analysis.metrics.map((each) => (
          <MetricCard key={each.name} metric={each} points={points} />
        ))}
      </div>
    </div>
  );
}

function Budget({ analysis }: { analysis: Analysis }): ReactNode {
  const left = Math.max(0, analysis.budget - analysis.harmed);
  const share = analysis.budget ? (100 * left) / analysis.budget : 0;
  // Evidence grows by factors: its bar is as long as its logarithm.
  const against = Math.max(0, Math.min(100, (100 * Math.log(Math.max(1, analysis.evidence))) / Math.log(analysis.threshold)));
  return (
    <dl className="gauges">
      <div>
        <dt>Harm budget left, in requests</dt>
        <dd>
          <strong>{count(left)}</strong> <span className="faint">of {count(analysis.budget)} that it may spoil</span>
          <Bar value={share} tone={share < 25 ? "bad" : share < 50 ? "warn" : "ok"} label="harm budget left" />
        </dd>
      </div>
      <div>
        <dt>Evidence against it</dt>
        <dd>
          <strong>{analysis.evidence < 10 ? analysis.evidence.toFixed(1) : count(analysis.evidence)}</strong>{" "}
          <span className="faint">at {count(analysis.threshold)} users are taken back</span>
          <Bar value={against} tone={against > 60 ? "bad" : "stable"} label="evidence against the new revision" />
        </dd>
      </div>
      <div>
        <dt>Share that the budget allows next</dt>
        <dd>
          <strong>{percent(analysis.next_percent)}</strong>
          <span className="faint"> {analysis.proven ? "proven" : "not proven yet"}</span>
          <Bar value={analysis.next_percent} label="share allowed next" />
        </dd>
      </div>
    </dl>
  );
}

function MetricCard({ metric, points }: { metric: Metric; points: Verdict[] }): ReactNode {
  const { counted } = metric;
  const high = metric.high === null ? "∞" : metric.high.toFixed(2);
  return (
    <figure className="metric">
      <figcaption>
        <h3>{nameOf(metric.name)}</h3>
        <span className="small">
          ratio to stable <strong>{`${metric.low.toFixed(2)} – ${high}`}</strong>
        </span>
      </figcaption>
      <Band name={metric.name} points={points} tolerated={metric.tolerated} limit={metric.limit} />
      <p className="small faint">
        new {share(counted.new_events, counted.new_requests)} of {count(counted.new_requests)} · stable {share(counted.stable_events, counted.stable_requests)} of {count(counted.stable_requests)}
        {metric.gates && metric.needed > 0 && ` · proof takes about ${count(metric.needed)} more requests`}
        {metric.gates && metric.limit < MOST && ` · to be proven below ×${metric.limit.toFixed(2)} (dashed)`}
      </p>
    </figure>
  );
}

/** As people say it: `slower-50ms` counts answers that took longer. */
function nameOf(metric: string): string {
  const slower = /^slower-(\d+)ms$/.exec(metric);
  return slower ? `slower than ${slower[1]} ms` : metric;
}

function share(events: number, requests: number): string {
  return requests ? `${((100 * events) / requests).toFixed(2)} %` : "–";
}
