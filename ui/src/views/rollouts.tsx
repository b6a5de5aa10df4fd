// The newest rollout of each application; those under way first.
import type { ReactNode } from "react";
import { Link } from "wouter";
import { useCalmData } from "../api/live";
import type { Page, Rollout } from "../api/types";
import { percent } from "../format";
import { Ago, Bar, Empty, Loaded, Pill, ticked, type Tone } from "../parts/basics";

export const active = (rollout: Rollout): boolean => rollout.state.phase !== "ended";

export const canaryPercent = (rollout: Rollout): number =>
  Math.max(0, ...Object.values(rollout.state.clusters).map((each) => each.percent));

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

export default function Rollouts(): ReactNode {
  const query = useCalmData<Page<Rollout>>("/rollouts?limit=500");
  return (
    <>
      <div className="head">
        <h1>Rollouts</h1>
      </div>
      <Loaded query={query}>{(page) => <List rollouts={page.items} />}</Loaded>
    </>
  );
}

function List({ rollouts }: { rollouts: Rollout[] }): ReactNode {
  if (!rollouts.length) {
    return (
      <Empty title="No rollout yet" command="crossfade deploy colors --set image.tag=2.0">
        Applications come with <code>crossfade apply -f crossfade.yaml</code>; each new version is brought out by a rollout that moves users a slice at a time.
      </Empty>
    );
  }
  const sorted = [...rollouts].sort((a, b) => Number(active(b)) - Number(active(a)) || b.started_at - a.started_at);
  return (
    <div className="panel scroll">
      <table>
        <thead>
          <tr>
            <th>Application</th>
            <th>State</th>
            <th>Revisions</th>
            <th>New one</th>
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
        <span className="faint small">{rollout.number}</span>
      </td>
      <td>
        <Pill tone={tone}>{text}</Pill>
      </td>
      <td className="mono nowrap">
        <span className="faint">{rollout.stable?.id ?? "first"}</span> → {rollout.canary.id}
      </td>
      <td className="share">
        {percent(share)}
        <Bar value={share} label={`users of ${rollout.application} on the new revision`} />
      </td>
      <td className="why">{ticked(rollout.state.reason)}</td>
      <td className="faint nowrap">
        <Ago at={rollout.started_at} />
      </td>
    </tr>
  );
}
