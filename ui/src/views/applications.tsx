// All applications; Helm releases and routes are made from each one's file.
import { useState, type ReactNode } from "react";
import { Link } from "wouter";
import { useCalmData } from "../api/live";
import { useSession } from "../api/session";
import type { ApplicationRow, Page } from "../api/types";
import { Empty, Loaded, Pill } from "../parts/basics";
import { Apply } from "./apply";

export default function Applications(): ReactNode {
  const [words, setWords] = useState("");
  const [applying, setApplying] = useState(false);
  const { may } = useSession();
  const query = useCalmData<Page<ApplicationRow>>("/applications?limit=500");
  const many = (query.data?.items.length ?? 0) > 8;
  return (
    <>
      <div className="head">
        <h1>Applications</h1>
        {may("developer") && (
          <button type="button" onClick={() => setApplying(true)}>
            Apply a file…
          </button>
        )}
        {applying && <Apply close={() => setApplying(false)} />}
        {many && <input value={words} onChange={(event) => setWords(event.target.value)} placeholder="find an application" aria-label="Find an application" />}
      </div>
      <Loaded query={query}>
        {(page) =>
          page.items.length ? (
            <>
              <List applications={page.items.filter((each) => each.name.includes(words.trim()))} />
              {page.next && <p className="faint small">The first {page.items.length} are shown; <code>crossfade rollout list</code> has all.</p>}
            </>
          ) : (
            <Empty title="No application yet" command="crossfade apply -f crossfade.yaml">
              One file says where an application&apos;s chart is, on which clusters it runs, and how users move to a new version.
            </Empty>
          )
        }
      </Loaded>
    </>
  );
}

function List({ applications }: { applications: ApplicationRow[] }): ReactNode {
  if (!applications.length) return <p className="faint">No application has this in its name.</p>;
  return (
    <div className="panel scroll">
      <table className="stacked">
        <thead>
          <tr>
            <th>Application</th>
            <th>Users</th>
            <th>Stable revision</th>
            <th>Namespace</th>
            <th>Newest rollout</th>
            <th>Traffic</th>
          </tr>
        </thead>
        <tbody>
          {applications.map((each) => (
            <tr key={each.name}>
              <td>
                <Link href={`/applications/${each.name}`}>
                  <strong>{each.name}</strong>
                </Link>
              </td>
              <td data-label="Users">{each.serves ? <Pill tone="ok">serves</Pill> : <Pill tone="idle">none yet</Pill>}</td>
              <td className="mono" data-label="Stable revision">{each.revision ?? "–"}</td>
              <td data-label="Namespace">{each.namespace}</td>
              <td data-label="Newest rollout">{each.rollout ? <Link href={`/rollouts/${each.name}`}>{`rollout ${each.rollout}`}</Link> : <span className="faint">none</span>}</td>
              <td data-label="Traffic">
                <Link href={`/traffic/${each.name}`} aria-label={`Traffic of ${each.name}`}>
                  show
                </Link>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
