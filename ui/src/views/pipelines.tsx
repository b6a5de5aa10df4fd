// Builds, newest first; those that wait for somebody say so.
import { useState, type ReactNode } from "react";
import { Link } from "wouter";
import { useData } from "../api/live";
import { useSession } from "../api/session";
import type { BuildRow, Page } from "../api/types";
import { duration } from "../format";
import { Ago, Empty, Loaded, Pill, ticked, useNow, type Tone } from "../parts/basics";

export const TONES: Record<string, Tone> = {
  pending: "idle",
  running: "moving",
  "pending-approval": "warn",
  success: "ok",
  approved: "ok",
  failure: "bad",
  denied: "bad",
  skipped: "idle",
  terminating: "warn",
  terminated: "idle",
};

export const ended = (result: string): boolean => !["pending", "running", "pending-approval", "terminating"].includes(result);

export function Result({ result }: { result: string }): ReactNode {
  return <Pill tone={TONES[result] ?? "idle"}>{result.replace("pending-approval", "waits for approval")}</Pill>;
}

export default function Pipelines(): ReactNode {
  const { may } = useSession();
  if (!may("viewer")) {
    return (
      <Empty heading="h1" title="Builds are for those who may see all applications">
        A build may deploy any of them, so that it takes the role viewer on all applications and clusters.
      </Empty>
    );
  }
  return <Builds />;
}

function Builds(): ReactNode {
  const [pipeline, setPipeline] = useState("");
  const query = useData<Page<BuildRow>>("/builds?limit=200", 3000);
  return (
    <>
      <div className="head">
        <h1>Pipelines</h1>
        {(query.data?.items.length ?? 0) > 5 && (
          <input value={pipeline} onChange={(event) => setPipeline(event.target.value)} placeholder="find a pipeline" aria-label="Find a pipeline" />
        )}
      </div>
      <Loaded query={query}>
        {(page) =>
          page.items.length ? (
            <>
              <List builds={page.items.filter((each) => each.pipeline.includes(pipeline.trim()))} />
              {page.next && <p className="faint small">The newest {page.items.length} are shown; <code>crossfade pipeline list</code> has all.</p>}
            </>
          ) : (
            <Empty title="No build yet" command="crossfade pipeline run codefresh.yml">
              Pipelines are files that Codefresh reads, too; <code>crossfade pipeline validate</code> says what is wrong with one.
            </Empty>
          )
        }
      </Loaded>
    </>
  );
}

function List({ builds }: { builds: BuildRow[] }): ReactNode {
  if (!builds.length) return <p className="faint">No build of a pipeline with this in its name.</p>;
  return (
    <div className="panel scroll">
      <table className="stacked">
        <thead>
          <tr>
            <th>Build</th>
            <th>Pipeline</th>
            <th>Result</th>
            <th>Why</th>
            <th>Took</th>
            <th>Began</th>
          </tr>
        </thead>
        <tbody>
          {builds.map((each) => (
            <tr key={each.run}>
              <td>
                <Link href={`/pipelines/${each.run}`}>
                  <strong>
                    <span className="narrow-only">build </span>
                    {each.run}
                  </strong>
                </Link>
              </td>
              <td data-label="Pipeline">{each.pipeline}</td>
              <td>
                <Result result={each.result} />
              </td>
              <td className="why" data-label="Why">{ticked(each.waiting.length ? `waits for an answer at ${each.waiting.join(", ")}` : each.reason)}</td>
              <td className="nowrap" data-label="Took">
                <Took build={each} />
              </td>
              <td className="faint nowrap" data-label="Began">
                <Ago at={each.at} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function Took({ build }: { build: { at: number; ended: number | null } }): ReactNode {
  const now = useNow();
  return <>{duration((build.ended ?? now) - build.at)}</>;
}
