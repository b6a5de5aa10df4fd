// The newest rollout of each application; those under way first.
import { useState, type ReactNode } from "react";
import { Link } from "wouter";
import { useCalmData } from "../api/live";
import type { Page, Rollout, RolloutView } from "../api/types";
import { percent } from "../format";
import { Ago, Bar, Empty, Loaded, Pill, ticked, type Tone } from "../parts/basics";

export const active = (rollout: Rollout): boolean => rollout.state.phase !== "ended";

const percents = (rollout: Rollout): number[] => Object.values(rollout.state.clusters).map((each) => each.percent);

export const canaryPercent = (rollout: Rollout): number => Math.max(0, ...percents(rollout));

/** Of all its users: clusters that are at different steps, as in waves, count by their users. */
export function reached({ rollout, clusters }: RolloutView): number {
  const users = clusters.reduce((sum, each) => sum + each.user_percent, 0);
  if (!active(rollout) || !users) return canaryPercent(rollout);
  return clusters.reduce((sum, each) => sum + each.user_percent * (each.percent ?? 0), 0) / users;
}

/** As `20 %`, or `0 – 100 %` where clusters differ. */
function range(rollout: Rollout): string {
  const all = percents(rollout);
  const least = Math.min(...all);
  const most = canaryPercent(rollout);
  return all.length && least < most ? `${percent(least).replace(" %", "")} – ${percent(most)}` : percent(most);
}

export function standing(rollout: Rollout): { tone: Tone; text: string } {
  const { phase, outcome, paused, pending } = rollout.state;
  if (phase === "ended") {
    if (outcome === "succeeded") return { tone: "ok", text: "succeeded" };
    if (outcome === "rolled-back") return { tone: "bad", text: "rolled back" };
    return { tone: "idle", text: outcome || "ended" };
  }
  if (phase === "rolling-back") return { tone: "bad", text: pending.length ? `rolling back, pending ${pending.join(", ")}` : "rolling back" };
  if (paused) return { tone: "warn", text: "paused" };
  if (rollout.state.interruption) return { tone: "warn", text: "stands still" };
  return { tone: "moving", text: phase };
}

const MANY = 8;

export default function Rollouts(): ReactNode {
  const query = useCalmData<Page<Rollout>>("/rollouts?limit=500");
  const [words, setWords] = useState("");
  return (
    <>
      <div className="head">
        <h1>Rollouts</h1>
        {(query.data?.items.length ?? 0) > MANY && (
          <input value={words} onChange={(event) => setWords(event.target.value)} placeholder="find an application" aria-label="Find an application" />
        )}
      </div>
      <Loaded query={query}>
        {(page) => (
          <>
            <List rollouts={page.items} words={words} />
            {page.next && <p className="faint small">The first {page.items.length} are shown; <code>crossfade rollout list</code> has all.</p>}
          </>
        )}
      </Loaded>
    </>
  );
}

function List({ rollouts, words }: { rollouts: Rollout[]; words: string }): ReactNode {
  if (!rollouts.length) {
    return (
      <Empty title="No rollout yet" command="crossfade deploy colors --set image.tag=2.0">
        Applications come with <code>crossfade apply -f crossfade.yaml</code>; each new version is brought out by a rollout that moves users a slice at a time.
      </Empty>
    );
  }
  const sorted = rollouts.filter((each) => each.application.includes(words.trim())).sort((a, b) => Number(active(b)) - Number(active(a)) || b.started_at - a.started_at);
  if (!sorted.length) return <p className="faint">No application has this in its name.</p>;
  return (
    <div className="panel scroll">
      <table className="stacked">
        <thead>
          <tr>
            <th>Application</th>
            <th>State</th>
            <th>Revisions</th>
            <th>On the new one</th>
            <th>Why</th>
            <th>Started</th>
          </tr>
        </thead>
        <tbody>
          {sorted.map((each) => (
            <Row key={each.application} rollout={each} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ rollout }: { rollout: Rollout }): ReactNode {
  const { tone, text } = standing(rollout);
  const share = canaryPercent(rollout);
  return (
    <tr>
      <td>
        <Link href={`/rollouts/${rollout.application}`}>
          <strong>{rollout.application}</strong>
        </Link>{" "}
        <span className="faint small nowrap">rollout {rollout.number}</span>
      </td>
      <td>
        <Pill tone={tone}>{text}</Pill>
      </td>
      <td className="mono" data-label="Revisions">
        <span className="faint">{rollout.stable?.id ?? "first"}</span> → {rollout.canary.id}
      </td>
      <td className="share" data-label="On the new one">
        {range(rollout)}
        <Bar value={share} label={`users of ${rollout.application} on the new revision, at most`} />
      </td>
      <td className="why" data-label="Why">{ticked(rollout.state.reason)}</td>
      <td className="faint nowrap" data-label="Started">
        <Ago at={rollout.started_at} />
      </td>
    </tr>
  );
}
