// The commands on a rollout: the same words, and the same meaning, as on the command line.
import { useState, type ReactNode } from "react";
import { post } from "../api/client";
import { useSession } from "../api/session";
import type { Rollout } from "../api/types";
import { Confirm, useAct } from "../parts/act";
import { Notice } from "../parts/basics";
import { stepName } from "./rollout-timeline";
import { active } from "./rollouts";

interface Choice {
  command: string;
  name: string;
  primary?: boolean;
  /** What it does to users, for those commands that are asked again. */
  effect?: string;
  danger?: boolean;
}

/** What comes after the step that it stands at, in words about users. */
function onward({ state, strategy, canary }: Rollout, share: string): string {
  const at = Math.max(0, ...Object.values(state.clusters).map((each) => each.step));
  const next = strategy.steps[at + 1];
  const then = !next ? `all users move to ${canary.id}` : next.step === "setWeight" ? `${next.percent} % of users get ${canary.id}` : `the next one is “${stepName(next)}”`;
  return `The rollout goes past the step that it stands at: ${then}. ${share} of users have ${canary.id} now; a bad verdict still takes them back.`;
}

function choices(rollout: Rollout, share: string): Choice[] {
  const { state, canary, stable } = rollout;
  if (!active(rollout)) {
    const again: Choice = { command: "restart", name: "Deploy again…", effect: `${canary.id} is brought out again from the first step, as a new rollout.` };
    const back = stable?.id ?? "the revision before";
    if (state.outcome === "succeeded" && stable) {
      return [{ command: "undo", name: "Undo…", effect: `All users go back from ${canary.id} to ${back}; at once if it is kept running.`, danger: true }, again];
    }
    return state.outcome === "rolled-back" ? [{ command: "retry", name: "Retry…", effect: `${canary.id} gets users again, from the first step.` }, again] : [];
  }
  if (state.phase === "rolling-back") return [];
  const waiting = waitsForApproval(rollout);
  const found: Choice[] = [];
  if (waiting) found.push({ command: "approve", name: "Approve…", primary: true, effect: onward(rollout, share) });
  else found.push({ command: "promote", name: "Promote…", primary: true, effect: onward(rollout, share) });
  found.push(state.paused ? { command: "resume", name: "Resume" } : { command: "pause", name: "Pause" });
  found.push({
    command: "promote-full",
    name: "Promote fully…",
    effect: `All users move to ${canary.id} now, without the steps and verdicts that are left. It has ${share} of them.`,
  });
  if (stable) {
    found.push({ command: "abort", name: "Abort…", effect: `All users go back to ${stable.id}, on every cluster. ${share} of them are on ${canary.id} now.`, danger: true });
  }
  return found;
}

function waitsForApproval({ state, strategy }: Rollout): boolean {
  return Object.values(state.clusters).some(
    (each) => each.phase === "stepping" && !each.late && strategy.steps[each.step]?.step === "approval" && state.approved < each.step,
  );
}

export function Commands({ rollout, share }: { rollout: Rollout; share: string }): ReactNode {
  const { may } = useSession();
  const act = useAct();
  const [asked, setAsked] = useState<Choice | null>(null);
  const application = rollout.application;
  if (!may("releaser", application)) return <p className="small faint">Steering it takes the role releaser on {application}.</p>;
  const send = (command: string, why = "") => post(`/applications/${application}/rollout/${command}`, { why });
  return (
    <div className="steer">
      <div className="buttons" role="group" aria-label="Steer the rollout">
        {choices(rollout, share).map((each) => (
          <button
            key={each.command}
            type="button"
            className={each.primary ? "primary" : undefined}
            disabled={act.busy}
            onClick={() => (each.effect ? setAsked(each) : void act.run(() => send(each.command)))}
          >
            {each.name}
          </button>
        ))}
      </div>
      {act.problem && <Notice problem={act.problem} />}
      {asked && (
        <Confirm
          title={`${asked.name.replace("…", "")}: ${application}`}
          verb={asked.name.replace("…", "")}
          danger={asked.danger ?? false}
          reason={active(rollout)}
          effect={<p>{asked.effect}</p>}
          command={(why) => send(asked.command, why)}
          close={() => setAsked(null)}
        />
      )}
    </div>
  );
}

Commands.Swap = function Swap({ application, to }: { application: string; to: string }): ReactNode {
  const { may } = useSession();
  const [asked, setAsked] = useState(false);
  if (!may("releaser", application)) return null;
  return (
    <>
      <button type="button" className="end" onClick={() => setAsked(true)}>
        Swap back…
      </button>
      {asked && (
        <Confirm
          title={`Swap ${application} back to ${to}?`}
          verb="Swap back"
          danger
          effect={<p>{to} still runs: all users go back to it with one change of weights, without steps.</p>}
          command={(why) => post(`/applications/${application}/rollout/undo`, { to, why })}
          close={() => setAsked(false)}
        />
      )}
    </>
  );
};
