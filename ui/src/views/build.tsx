// One build: its steps as a graph, what they print, and what people may say to it.
import { useState, type ReactNode } from "react";
import { Link, useLocation } from "wouter";
import { post } from "../api/client";
import { useData } from "../api/live";
import { useSession } from "../api/session";
import type { BuildStep, BuildView } from "../api/types";
import { count, duration, plural } from "../format";
import { Confirm, useAct } from "../parts/act";
import { Ago, Glyph, Loaded, Notice, ticked, useNow } from "../parts/basics";
import { Files } from "./build-files";
import { Tests } from "./build-tests";
import { Graph } from "./graph";
import { Log } from "./log";
import { ended, Result, Took } from "./pipelines";
import { titleOf } from "./steps";

export default function Build({ run, step }: { run: string; step: string | undefined }): ReactNode {
  const query = useData<BuildView>(`/builds/${run}`, 2000);
  return <Loaded query={query}>{(view) => <One view={view} chosen={step} />}</Loaded>;
}

/** What somebody wants to see first: what runs, else what failed, else what ran last; approvals have a panel of their own. */
function foremost(steps: BuildStep[]): BuildStep | undefined {
  const leaves = steps.filter((each) => !steps.some((other) => other.owner === each.key));
  const of = (...results: string[]) => leaves.find((each) => results.includes(each.result));
  const ran = leaves.filter((each) => each.runs > 0).sort((a, b) => (a.since ?? 0) - (b.since ?? 0));
  return of("running") ?? of("failure") ?? ran.at(-1) ?? leaves[0];
}

function One({ view, chosen }: { view: BuildView; chosen: string | undefined }): ReactNode {
  const { build, steps } = view;
  const [, go] = useLocation();
  const shown = steps.find((each) => each.key === chosen) ?? foremost(steps);
  const choose = (key: string) => go(`/pipelines/${build.run}/${encodeURIComponent(key)}`, { replace: true });
  return (
    <div className="stack">
      <div className="head flush">
        <div>
          <p className="small faint">
            <Link href="/pipelines">Pipelines</Link> / {build.pipeline}
          </p>
          <h1>
            {build.pipeline} <span className="faint">build {build.run}</span> <Result result={build.result} />
          </h1>
          <p className="lead">
            began <Ago at={build.at} />, {build.ended ? "took" : "has taken"} <Took build={build} />
            {view.generation > 0 && ` · restarted ${plural(view.generation, "time")}`}
            {build.reason && <> · {ticked(build.reason)}</>}
          </p>
          {!build.running && !ended(build.result) && <p className="note small">No process works on it now; <code>crossfade pipeline resume {build.run}</code> on the machine that began it goes on with it.</p>}
        </div>
        <Orders view={view} step={shown} />
      </div>
      {build.waiting.map((each) => (
        <Approval key={each} run={build.run} step={each} steps={steps} />
      ))}
      {view.trouble && <p className="note">The graph cannot be told: {view.trouble}</p>}
      <section className="panel" aria-label="Steps">
        <h2>
          Steps <span className="faint">{count(steps.length)} in all</span>
        </h2>
        <Graph steps={steps} stages={view.stages} chosen={shown?.key} choose={choose} />
      </section>
      <Tests run={build.run} steps={steps} />
      {/* Whoever reads a log stays with it when the build goes on to the next step. */}
      {shown && <StepPanel view={view} step={shown} pin={() => shown.key !== chosen && choose(shown.key)} />}
      <Files run={build.run} steps={steps} />
    </div>
  );
}

function StepPanel({ view, step, pin }: { view: BuildView; step: BuildStep; pin: () => void }): ReactNode {
  const now = useNow();
  return (
    <section className="panel" onFocus={pin} aria-label={`Log of ${step.title || step.name}`}>
      <h2>
        <span>
          {step.title || step.name} <Result result={step.result} />
        </span>
        <span className="faint">
          {step.since !== null && duration((step.ended ?? now) - step.since)}
          {step.attempt > 1 && ` · attempt ${step.attempt}`}
        </span>
      </h2>
      {step.reason && <p className="small faint">{ticked(step.reason)}</p>}
      {step.runs > 0 ? (
        <Log key={`${view.build.run}/${view.generation}/${step.key}`} run={view.build.run} step={step.key} live={step.ended === null} />
      ) : (
        <p className="faint">It has printed nothing yet.</p>
      )}
    </section>
  );
}

function Approval({ run, step, steps }: { run: string; step: string; steps: BuildStep[] }): ReactNode {
  const { may } = useSession();
  const act = useAct();
  const title = titleOf(steps, step);
  const next = steps.filter((each) => each.after.includes(step)).map((each) => each.title || each.name);
  const answer = (verb: "approve" | "deny") => act.run(() => post(`/builds/${run}/${verb}`, { step }));
  return (
    <section className="panel approval" aria-label={`Approval ${title}`}>
      <div>
        <h2>
          <Glyph tone="warn" size={16} /> “{title}” waits for your answer
        </h2>
        <p className="small">
          Approve: {next.length ? `${next.join(" and ")} ${next.length === 1 ? "runs" : "run"}` : "the build goes on"}. Deny: what comes after it does not run.
        </p>
        {act.problem && <Notice problem={act.problem} />}
      </div>
      {may("releaser") ? (
        <div className="buttons">
          <button type="button" className="primary" disabled={act.busy} onClick={() => void answer("approve")}>
            Approve
          </button>
          <button type="button" disabled={act.busy} onClick={() => void answer("deny")}>
            Deny
          </button>
        </div>
      ) : (
        <p className="small faint">This takes the role releaser.</p>
      )}
    </section>
  );
}

function Orders({ view, step }: { view: BuildView; step: BuildStep | undefined }): ReactNode {
  const { may } = useSession();
  const [asked, setAsked] = useState<"terminate" | "restart" | null>(null);
  const { build } = view;
  if (!may("developer")) return null;
  const over = ended(build.result);
  const name = step?.title || step?.name || "";
  return (
    <div className="buttons">
      {over && step && (
        <button type="button" onClick={() => setAsked("restart")}>
          Restart from {name}…
        </button>
      )}
      {!over && (
        <button type="button" onClick={() => setAsked("terminate")}>
          Terminate…
        </button>
      )}
      {asked === "restart" && step && (
        <Confirm
          title={`Restart build ${build.run} from ${name}?`}
          verb="Restart"
          effect={<p>{name} and what comes after it run again; what came before it keeps its results.</p>}
          command={() => post(`/builds/${build.run}/restart`, { step: step.key })}
          close={() => setAsked(null)}
        />
      )}
      {asked === "terminate" && (
        <Confirm
          title={`Terminate build ${build.run}?`}
          verb="Terminate"
          danger
          reason
          effect={<p>Steps that run are ended; what they have done stays done.</p>}
          command={(why) => post(`/builds/${build.run}/terminate`, { why })}
          close={() => setAsked(null)}
        />
      )}
    </div>
  );
}
