// One application: its revisions in every cluster, and where a cluster is not as wanted.
import type { ReactNode } from "react";
import { Link } from "wouter";
import { useData } from "../api/live";
import type { ApplicationRecord, InCluster, Revision } from "../api/types";
import { percent } from "../format";
import { Ago, Bar, Empty, Glyph, Loaded, Pill, ticked } from "../parts/basics";

export default function Application({ name }: { name: string }): ReactNode {
  const query = useData<ApplicationRecord>(`/applications/${name}`);
  return (
    <Loaded query={query}>
      {(record) => (
        <div className="stack">
          <div className="head flush">
            <div>
              <p className="small faint">
                <Link href="/applications">Applications</Link>
              </p>
              <h1>{name}</h1>
              <p className="lead">
                {record.spec.route?.host ?? "no route"} · namespace {record.spec.namespace} · chart <code>{record.spec.source.chart}</code>
              </p>
            </div>
            <div className="buttons">
              <Link href={`/traffic/${name}`}>Traffic</Link>
              {record.rollout > 0 && <Link href={`/rollouts/${name}`}>Rollout {record.rollout}</Link>}
            </div>
          </div>
          <Clusters name={name} />
          <Revisions record={record} />
        </div>
      )}
    </Loaded>
  );
}

function Clusters({ name }: { name: string }): ReactNode {
  const query = useData<InCluster[]>(`/applications/${name}/clusters`, 3000);
  return (
    <Loaded query={query}>
      {(clusters) =>
        clusters.length ? (
          <section className="clouds" aria-label="Revisions by cluster">
            {clusters.map((each) => (
              <Cluster key={each.cluster} there={each} />
            ))}
          </section>
        ) : (
          <Empty title="It runs nowhere yet" command={`crossfade deploy ${name}`}>
            A deployment installs a revision on every cluster that its placement names.
          </Empty>
        )
      }
    </Loaded>
  );
}

function Cluster({ there }: { there: InCluster }): ReactNode {
  return (
    <article className="panel cloud" aria-label={`${there.cluster}`}>
      <header>
        <h2>{there.cluster}</h2>
        {there.in_step ? <Pill tone="ok">as wanted</Pill> : <Pill tone="warn">drift</Pill>}
        <p className="small faint">{there.looked_at === null ? "not looked at yet" : <>looked at <Ago at={there.looked_at} /></>}</p>
      </header>
      <ul className="items compact" aria-label={`revisions on ${there.cluster}`}>
        {there.revisions.map((each) => (
          <li key={each.revision}>
            <div className="row">
              <Glyph tone={each.ready ? "ok" : each.wanted ? "warn" : "idle"} />
              <span className="mono">{each.revision}</span>
              <span className="faint small">{each.pods} pods</span>
              <span className="end">{percent(there.confirmed[each.revision] ?? 0)}</span>
            </div>
            <Bar value={there.confirmed[each.revision] ?? 0} tone="stable" label={`users on ${each.revision}`} />
            {(there.wanted[each.revision] ?? 0) !== (there.confirmed[each.revision] ?? 0) && (
              <p className="small faint">{percent(there.wanted[each.revision] ?? 0)} wanted</p>
            )}
          </li>
        ))}
      </ul>
      {there.drift.length > 0 && (
        <ul className="small note" aria-label={`drift on ${there.cluster}`}>
          {there.drift.map((each) => (
            <li key={each}>{ticked(each)}</li>
          ))}
        </ul>
      )}
    </article>
  );
}

function Revisions({ record }: { record: ApplicationRecord }): ReactNode {
  const kept = new Map(record.kept.map((each) => [each.revision.id, each.until]));
  const known = new Map<string, Revision>();
  for (const each of [record.active, ...record.kept.map((one) => one.revision), ...record.history]) if (each) known.set(each.id, each);
  if (!known.size) return null;
  return (
    <section className="panel scroll" aria-label="Revisions">
      <h2>
        Revisions <span className="faint">the stable one first</span>
      </h2>
      <table className="stacked">
        <thead>
          <tr>
            <th>Revision</th>
            <th>Chart</th>
            <th>Values</th>
            <th>Made</th>
            <th>Standing</th>
          </tr>
        </thead>
        <tbody>
          {[...known.values()].map((each) => (
            <tr key={each.id}>
              <td className="mono">{each.id}</td>
              <td data-label="Chart">{each.chart || "–"}</td>
              <td className="mono why" data-label="Values">{JSON.stringify(each.values)}</td>
              <td className="faint nowrap" data-label="Made">{each.created_at ? <Ago at={each.created_at} /> : "–"}</td>
              <td>
                {each.id === record.active?.id ? <Pill tone="ok">stable</Pill> : kept.has(each.id) ? <Pill tone="idle">kept running</Pill> : null}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
