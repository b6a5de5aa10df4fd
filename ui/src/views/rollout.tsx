// One rollout: where each cluster stands, what the judge knows, what comes next, and the commands.
import type { ReactNode } from "react";
import { Link } from "wouter";
import { useCalmData, useData } from "../api/live";
import type { ApplicationRecord, Chapter, Page, Rollout as RolloutData, RolloutView } from "../api/types";
import { dateTime, moment, percent } from "../format";
import { Ago, Empty, Loaded, Pill, ticked } from "../parts/basics";
import { repeats } from "../parts/lines";
import { Commands } from "./rollout-commands";
import { Judge } from "./rollout-judge";
import { Timeline } from "./rollout-timeline";
import { active, reached, standing } from "./rollouts";

export default function Rollout({ application, number }: { application: string; number: string | undefined }): ReactNode {
  const known = useData<ApplicationRecord>(`/applications/${application}`);
  return (
    <Loaded query={known}>
      {({ rollout: newest }) => {
        if (!newest) {
          return (
            <Empty heading="h1" title={`${application} has no rollout yet`} command={`crossfade deploy ${application}`}>
              A deployment makes a revision and moves users to it.
            </Empty>
          );
        }
        return <One newest={newest} number={number ? Number(number) : newest} application={application} />;
      }}
    </Loaded>
  );
}

function One({ application, number, newest }: { application: string; number: number; newest: number }): ReactNode {
  const query = useData<RolloutView>(`/applications/${application}/rollouts/${number}`, 2000);
  return (
    <Loaded query={query}>
      {(view) => (
        <div className="stack">
          <Head view={view} newest={number === newest} />
          <Timeline view={view} />
          <Judge rollout={view.rollout} />
          <div className="pair">
            <History application={application} number={number} live={active(view.rollout)} />
            <div className="stack">
              {number === newest && <HotSwap application={application} idle={!active(view.rollout)} />}
              <Others application={application} number={number} />
            </div>
          </div>
        </div>
      )}
    </Loaded>
  );
}

function Head({ view, newest }: { view: RolloutView; newest: boolean }): ReactNode {
  const { rollout } = view;
  const { tone, text } = standing(rollout);
  return (
    <>
      <div className="head flush">
        <div>
          <p className="small faint">
            <Link href="/rollouts">Rollouts</Link> / <Link href={`/applications/${rollout.application}`}>{rollout.application}</Link>
          </p>
          <h1>
            {rollout.application} <span className="faint">rollout {rollout.number}</span> <Pill tone={tone}>{text}</Pill>
          </h1>
          <p className="lead">
            <span className="mono">{rollout.stable?.id ?? "nothing"}</span> → <strong className="mono">{rollout.canary.id}</strong>
            {" · "}
            <span title={dateTime(rollout.started_at)}>
              began <Ago at={rollout.started_at} />
            </span>
            {rollout.swap && " · hot swap"}
          </p>
        </div>
        <div className="share-big">
          <span className="big" data-testid="canary-percent">
            {percent(reached(view))}
          </span>
          <span className="small faint">of users on the new revision</span>
        </div>
      </div>
      <section className="panel next" aria-label="Next decision">
        <div>
          <h2>{active(rollout) ? "Next" : "Ended"}</h2>
          <p role="status">{ticked(rollout.state.reason || "the hub has not decided yet")}</p>
          {view.remarks.map((each) => (
            <p key={each} className="small faint">
              {ticked(each)}
            </p>
          ))}
        </div>
        {newest && <Commands rollout={rollout} share={percent(reached(view))} />}
      </section>
    </>
  );
}

function History({ application, number, live }: { application: string; number: number; live: boolean }): ReactNode {
  const query = useCalmData<{ chapters: Chapter[] }>(`/applications/${application}/rollouts/${number}/history`);
  return (
    <section className="panel" aria-label="History">
      <h2>
        History <span className="faint">{live ? "as it is decided" : <code>crossfade rollout why {application} --replay</code>}</span>
      </h2>
      <Loaded query={query}>{({ chapters }) => <Chapters chapters={chapters} />}</Loaded>
    </section>
  );
}

const MOST_CHAPTERS = 60;

function Chapters({ chapters }: { chapters: Chapter[] }): ReactNode {
  const told = chapters.filter((each) => each.kind !== "verdict");
  // Of several decisions within a second the last one says where it came to.
  const shown = told
    .filter((each, index) => {
      const next = told[index + 1];
      return each.kind === "command" || next?.kind !== "decision" || (next.at - each.at > 1 && !repeats(each.reason, next.reason));
    })
    .slice(-MOST_CHAPTERS)
    .reverse();
  return (
    <ol className="lines history">
      {shown.map((each, index) => (
        <li key={`${each.at}-${index}`}>
          <time title={dateTime(each.at)}>{moment(each.at)}</time>
          <span className={each.kind === "command" ? "tag" : "subject"}>{each.kind === "command" ? "person" : shareOf(each)}</span>
          <span className="said">{ticked(each.reason)}</span>
        </li>
      ))}
    </ol>
  );
}

function shareOf(chapter: Chapter): string {
  const value = chapter.facts.percent;
  return typeof value === "number" ? percent(value) : "";
}

function HotSwap({ application, idle }: { application: string; idle: boolean }): ReactNode {
  const query = useData<ApplicationRecord>(`/applications/${application}`);
  return (
    <section className="panel" aria-label="Hot swap">
      <h2>Hot swap</h2>
      <Loaded query={query}>
        {(record) =>
          record.kept.length ? (
            <ul className="items">
              {record.kept.map(({ revision, until }) => (
                <li key={revision.id} className="row">
                  <span className="mono">{revision.id}</span>
                  <span className="small faint">runs without users {until === null ? "for ever" : <>until <time title={dateTime(until)}>{moment(until)}</time></>}</span>
                  {idle && <Commands.Swap application={application} to={revision.id} />}
                </li>
              ))}
            </ul>
          ) : (
            <p className="faint">No older revision is kept running; going back would install one again.</p>
          )
        }
      </Loaded>
    </section>
  );
}

function Others({ application, number }: { application: string; number: number }): ReactNode {
  const { data } = useCalmData<Page<RolloutData>>(`/applications/${application}/rollouts?limit=20`);
  return (
    <section className="panel" aria-label="Rollouts of this application">
      <h2>All its rollouts</h2>
      <ul className="items compact">
        {data?.items.map((each) => {
          const { tone, text } = standing(each);
          return (
            <li key={each.number} className="row">
              <Link href={`/rollouts/${each.application}/${each.number}`} aria-current={each.number === number ? "true" : undefined}>
                {each.number}
              </Link>
              <span className="mono">{each.canary.id}</span>
              <Pill tone={tone}>{text}</Pill>
              <span className="small faint end">
                <Ago at={each.started_at} />
              </span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
