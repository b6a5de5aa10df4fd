// Waves and steps, one row a cluster: what is done, where it stands, what is left.
import { Fragment, type ReactNode } from "react";
import { useCalmData } from "../api/live";
import type { ClusterOfRollout, Member, Page, Progress, RolloutView, Step, Wave } from "../api/types";
import { duration, percent } from "../format";
import { Bar, Glyph, ticked, type Tone } from "../parts/basics";
import { HEALTH } from "./cloud";

export function stepName(step: Step): string {
  switch (step.step) {
    case "setWeight":
      return `${step.percent} %`;
    case "pause":
      return step.seconds == null ? "wait for you" : `wait ${duration(step.seconds)}`;
    case "setScale":
      return step.percent == null ? "scale with users" : `scale ${step.percent} %`;
    case "setHeaderRoute":
      return "header route";
    case "setMirror":
      return `mirror ${step.percent} %`;
    case "analysis":
      return step.run ? `analysis ${step.run}` : "analysis";
    case "approval":
      return "approval";
    case "ramp":
      return `ramp to ${step.max_percent} %`;
    default:
      return step.step;
  }
}

function waveOf(waves: Wave[], cluster: string, labels: Record<string, string>): number {
  const index = waves.findIndex((wave) => {
    const wanted = Object.entries(wave.match_labels);
    return wave.clusters.includes(cluster) || (wanted.length > 0 && wanted.every(([key, value]) => labels[key] === value));
  });
  return index < 0 ? waves.length : index;
}

export function Timeline({ view }: { view: RolloutView }): ReactNode {
  const fleet = useCalmData<Page<Member>>("/fleet?limit=500").data?.items ?? [];
  const { strategy, state } = view.rollout;
  const labels = new Map(fleet.map((each) => [each.name, each.labels]));
  const waves = new Map<number, ClusterOfRollout[]>();
  for (const each of view.clusters) {
    const wave = waveOf(strategy.waves, each.cluster, labels.get(each.cluster) ?? {});
    waves.set(wave, [...(waves.get(wave) ?? []), each]);
  }
  const direct = view.rollout.swap || !view.rollout.stable;
  const steps = direct ? [] : strategy.steps;
  return (
    <section className="panel scroll" aria-label="Waves and steps">
      <h2>
        Waves and steps <span className="faint">{strategy.kind}</span>
      </h2>
      <table className="timeline">
        <thead>
          <tr>
            <th scope="col">Cluster</th>
            {steps.map((each, index) => (
              <th key={index} scope="col">
                {stepName(each)}
              </th>
            ))}
            <th scope="col">all users</th>
            <th scope="col" title="as the cluster's data plane confirms it">
              On the new one
            </th>
            <th scope="col" title="ready / wanted">
              Pods, new and old
            </th>
          </tr>
        </thead>
        <tbody>
          {[...waves].sort(([a], [b]) => a - b).map(([wave, clusters]) => (
            <Fragment key={wave}>
              {waves.size > 1 && (
                <tr className="wave">
                  <th colSpan={steps.length + 4} scope="rowgroup">
                    Wave {wave + 1}
                    {state.phase !== "ended" && wave === state.wave && " · now"}
                  </th>
                </tr>
              )}
              {clusters.map((each) => (
                <Row key={each.cluster} cluster={each} progress={state.clusters[each.cluster]} steps={steps} said={state.reason} />
              ))}
            </Fragment>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function cell(progress: Progress | undefined, index: number, steps: number): "done" | "now" | "todo" | "back" {
  if (!progress || progress.phase === "waiting" || progress.phase === "installing") return "todo";
  if (progress.phase === "back") return "back";
  if (progress.phase === "done") return "done";
  const at = Math.min(progress.step, steps);
  return index < at ? "done" : index === at ? "now" : "todo";
}

const PHASES: Record<string, string> = { stepping: "at a step", back: "taken back", waiting: "waits for its turn" };
const SAID = { done: "done", now: "now", todo: "to come", back: "taken back" };

interface RowProps {
  cluster: ClusterOfRollout;
  progress: Progress | undefined;
  steps: Step[];
  /** What is told of the whole rollout, and so not again of each cluster. */
  said: string;
}

function Row({ cluster, progress, steps, said }: RowProps): ReactNode {
  const tone: Tone = HEALTH[cluster.health]?.tone ?? "idle";
  const told = progress?.reason || cluster.trouble;
  return (
    <>
      <tr>
        <th scope="row">
          <Glyph tone={tone} /> {cluster.cluster} {tone !== "ok" && <span className="small faint">{HEALTH[cluster.health]?.text ?? cluster.health}</span>}
          <div className="small faint">
            {PHASES[progress?.phase ?? cluster.phase] ?? progress?.phase ?? cluster.phase}
            {progress?.late && ", catching up"} · {percent(cluster.user_percent)}
            <span className="wide-only"> of all users</span>
          </div>
        </th>
        {[...steps, null].map((_, index) => {
          const state = cell(progress, index, steps.length);
          return (
            <td key={index} className={`cell ${state}`}>
              <span>
                <span className="hidden">{SAID[state]}</span>
              </span>
            </td>
          );
        })}
        <td className="share">
          {cluster.percent === null ? <span className="faint">none</span> : percent(cluster.percent)}
          <Bar value={cluster.percent ?? 0} label={`new revision on ${cluster.cluster}`} />
        </td>
        <td className="nowrap">
          {cluster.canary_pods || "none"} <span className="faint">and {cluster.stable_pods || "none"}</span>
        </td>
      </tr>
      {told && !said.includes(told) && progress?.phase !== "done" && (
        <tr className="told">
          <td colSpan={steps.length + 4} className="small faint">
            {ticked(told)}
          </td>
        </tr>
      )}
    </>
  );
}
