// Who is told of rollouts, and whether it arrives.
import type { ReactNode } from "react";
import { Link } from "wouter";
import { useCalmData } from "../api/live";
import type { ApplicationRow, Notified, Page } from "../api/types";
import { Ago, Loaded, Pill, useNow } from "../parts/basics";
import { duration, plural } from "../format";

const MOST = 50;

export function Notifications(): ReactNode {
  const query = useCalmData<Page<ApplicationRow>>(`/applications?limit=${MOST}`);
  return (
    <section className="panel scroll" aria-label="Notifications">
      <h2>
        Notifications <span className="faint">each application&apos;s file says who is told, under spec.notifications</span>
      </h2>
      <Loaded query={query}>
        {(page) =>
          page.items.length ? (
            <>
              <table className="stacked">
                <thead>
                  <tr>
                    <th>Application</th>
                    <th>Who is told</th>
                    <th>Of what</th>
                    <th>Does it arrive?</th>
                  </tr>
                </thead>
                <tbody>
                  {page.items.map((each) => (
                    <Told key={each.name} name={each.name} />
                  ))}
                </tbody>
              </table>
              {page.next && <p className="faint small">The first {MOST} applications are shown.</p>}
            </>
          ) : (
            <p className="faint">No application yet.</p>
          )
        }
      </Loaded>
    </section>
  );
}

function Told({ name }: { name: string }): ReactNode {
  const { data, error } = useCalmData<Notified[]>(`/applications/${name}/notifications`);
  const application = <Link href={`/applications/${name}`}>{name}</Link>;
  if (!data?.length) {
    return (
      <tr>
        <td>{application}</td>
        <td colSpan={3} className="faint" data-label="Who is told">
          {data ? "nobody" : error ? `cannot be told: ${error.message}` : ""}
        </td>
      </tr>
    );
  }
  return data.map((each, index) => (
    <tr key={each.name}>
      <td>{index === 0 && application}</td>
      <td data-label="Who is told">
        <strong>{each.name}</strong> <span className="faint small">{each.channel}, {each.to}</span>
      </td>
      <td className="small" data-label="Of what">{each.on.join(", ")}</td>
      <td data-label="Does it arrive?">
        <Arrives notified={each} />
      </td>
    </tr>
  ));
}

function Arrives({ notified: { last, waiting, attempts, error, next_at } }: { notified: Notified }): ReactNode {
  const now = useNow();
  const lost = last.lost_at !== null && last.lost_at > (last.sent_at ?? 0);
  return (
    <>
      {error ? <Pill tone="warn">delayed</Pill> : lost ? <Pill tone="bad">given up</Pill> : last.sent_at !== null ? <Pill tone="ok">arrived</Pill> : <Pill tone="idle">nothing sent yet</Pill>}
      <div className="small faint">
        {error && (
          <p>
            {plural(waiting, "message waits", "messages wait")}, {plural(attempts, "try", "tries")}: {error}
            {next_at !== null && next_at > now && `; again in ${duration(next_at - now)}`}
          </p>
        )}
        {last.lost_at !== null && (lost || error) && (
          <p>
            <Ago at={last.lost_at} />: {last.lost}
          </p>
        )}
        {last.sent_at !== null && (
          <p>
            last sent <Ago at={last.sent_at} />: {last.sent}
          </p>
        )}
      </div>
    </>
  );
}
