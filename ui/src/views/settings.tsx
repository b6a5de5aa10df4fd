// Clusters, who may do what, secrets, and who is told: what is set once and seldom looked at.
import type { ReactNode } from "react";
import { useCalmData } from "../api/live";
import { useSession } from "../api/session";
import type { ApplicationRecord, ApplicationRow, Page } from "../api/types";
import { Loaded } from "../parts/basics";
import { Accounts, Password, Tokens } from "./settings-access";
import { Clusters } from "./settings-clusters";
import { Secrets } from "./settings-secrets";

export default function Settings(): ReactNode {
  const { may } = useSession();
  const admin = may("admin");
  return (
    <>
      <div className="head">
        <h1>Settings</h1>
      </div>
      <div className="stack">
        <Clusters />
        <Tokens />
        {admin && <Accounts />}
        {admin && <Secrets />}
        <Notifications />
        <Password />
      </div>
    </>
  );
}

const MOST = 50;

function Notifications(): ReactNode {
  const query = useCalmData<Page<ApplicationRow>>(`/applications?limit=${MOST}`);
  return (
    <section className="panel" aria-label="Notifications">
      <h2>
        Notifications <span className="faint">each application&apos;s file says who is told, under spec.notifications</span>
      </h2>
      <Loaded query={query}>
        {(page) =>
          page.items.length ? (
            <ul className="items compact">
              {page.items.map((each) => (
                <Told key={each.name} name={each.name} />
              ))}
            </ul>
          ) : (
            <p className="faint">No application yet.</p>
          )
        }
      </Loaded>
    </section>
  );
}

function Told({ name }: { name: string }): ReactNode {
  const { data } = useCalmData<ApplicationRecord>(`/applications/${name}`);
  const channels = data?.spec.notifications?.length ?? 0;
  return (
    <li className="row">
      <strong>{name}</strong>
      <span className={channels ? "" : "faint"}>{channels ? `tells ${channels} ${channels === 1 ? "channel" : "channels"}` : "tells nobody"}</span>
    </li>
  );
}
