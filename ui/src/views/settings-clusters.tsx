// The clusters of the fleet: which there are, another one, and one less.
import { useState, type FormEvent, type ReactNode } from "react";
import { patch, post, remove } from "../api/client";
import { useCalmData } from "../api/live";
import { useSession } from "../api/session";
import type { ClusterChange, Member, Page } from "../api/types";
import { count, dollars } from "../format";
import { Confirm, Submit, useAct } from "../parts/act";
import { Dialog, Loaded, Notice, ticked } from "../parts/basics";
import { Differences } from "../parts/changes";

export function Clusters(): ReactNode {
  const { may } = useSession();
  const query = useCalmData<Page<Member>>("/fleet?limit=500");
  const [adding, setAdding] = useState(false);
  const [changing, setChanging] = useState<Member | null>(null);
  const [removing, setRemoving] = useState<string | null>(null);
  const admin = may("admin");
  return (
    <section className="panel scroll" aria-label="Clusters">
      <h2>
        Clusters
        {admin && (
          <button type="button" onClick={() => setAdding(true)}>
            Add a cluster…
          </button>
        )}
      </h2>
      <Loaded query={query}>
        {(page) => page.items.length === 0 ? (
          <p className="faint">
            No cluster yet. <code>crossfade fleet add</code> adds those of a kubeconfig, <code>crossfade sandbox up</code> makes some to try things on.
          </p>
        ) : (
          <table className="stacked">
            <thead>
              <tr>
                <th>Name</th>
                <th>Where</th>
                <th>Labels</th>
                <th>Capacity</th>
                <th>Price</th>
                <th>Kubernetes</th>
                <th>
                  <span className="hidden">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {page.items.map((each) => (
                <Row key={each.name} member={each} acts={admin ? { change: () => setChanging(each), remove: () => setRemoving(each.name) } : null} />
              ))}
            </tbody>
          </table>
        )}
      </Loaded>
      {adding && <Add close={() => setAdding(false)} />}
      {changing && <Change member={changing} close={() => setChanging(null)} />}
      {removing && (
        <Confirm
          title={`Remove ${removing} from the fleet?`}
          verb={`Remove ${removing}`}
          danger
          effect={<p>Its users go elsewhere. What runs there stays, and nobody looks after it any more.</p>}
          command={() => remove(`/fleet/${removing}`)}
          close={() => setRemoving(null)}
        />
      )}
    </section>
  );
}

function Row({ member, acts }: { member: Member; acts: { change: () => void; remove: () => void } | null }): ReactNode {
  const labels = Object.entries(member.labels);
  return (
    <tr>
      <td>
        <strong>{member.name}</strong>
      </td>
      <td data-label="Where">
        {member.provider} · {member.region} {member.preemptible && <span className="tag">preemptible</span>}
      </td>
      <td data-label="Labels">{labels.length ? labels.map(([key, value]) => <span className="tag" key={key}>{`${key}=${value}`}</span>) : "–"}</td>
      <td className="nowrap" data-label="Capacity">{member.capacity === null ? "–" : `${count(member.capacity)} requests/s`}</td>
      <td className="nowrap" data-label="Price">{member.usd_per_cpu_hour === null ? "–" : `${dollars(member.usd_per_cpu_hour)} per CPU and hour`}</td>
      <td className="faint" data-label="Kubernetes">{member.version || "–"}</td>
      <td className="number">
        {acts && (
          <>
            <button type="button" className="quiet" onClick={acts.change} aria-label={`Change ${member.name}`}>
              change…
            </button>
            <button type="button" className="quiet" onClick={acts.remove} aria-label={`Remove ${member.name}`}>
              remove…
            </button>
          </>
        )}
      </td>
    </tr>
  );
}

const written = (value: number | null): string => (value === null ? "" : String(value));

/** What a cluster carries and costs; nothing changes before one has seen what would. */
function Change({ member, close }: { member: Member; close: () => void }): ReactNode {
  const [capacity, setCapacity] = useState(written(member.capacity));
  const [price, setPrice] = useState(written(member.usd_per_cpu_hour));
  const [seen, setSeen] = useState<{ body: string; change: ClusterChange } | null>(null);
  const act = useAct();
  const body = { capacity: capacity.trim() ? Number(capacity) : null, usd_per_cpu_hour: price.trim() ? Number(price) : null };
  const current = seen?.body === JSON.stringify(body) ? seen.change : null;
  const news = current !== null && current.differences.length > 0;
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (news) {
      if (await act.run(() => patch(`/fleet/${member.name}`, body))) close();
      return;
    }
    await act.run(async () => setSeen({ body: JSON.stringify(body), change: await post<ClusterChange>(`/fleet/${member.name}/preview`, body) }));
  };
  return (
    <Dialog title={`What ${member.name} carries and costs`} close={close}>
      <p className="small faint">
        What <code>crossfade fleet add {member.name} --capacity --usd-per-cpu-hour</code> does. An empty field: nobody says.
      </p>
      <form className="stack" onSubmit={(event) => void submit(event)}>
        <label>
          Requests per second that it carries
          <input value={capacity} onChange={(event) => setCapacity(event.target.value)} type="number" min="1" step="1" />
        </label>
        <label>
          US dollars per CPU and hour
          <input value={price} onChange={(event) => setPrice(event.target.value)} type="number" min="0" step="any" />
        </label>
        {current && (
          <section className="effect" aria-live="polite" aria-label={`What changes of ${member.name}`}>
            <Differences differences={current.differences} nothing={["not told", "not told"]} />
            {current.remarks.map((each) => (
              <p key={each} className="note small">
                {ticked(each)}
              </p>
            ))}
            {!news && <p className="small faint">Nothing changes.</p>}
          </section>
        )}
        {act.problem && <Notice problem={act.problem} />}
        <div className="buttons end">
          <button type="button" onClick={close}>
            Cancel
          </button>
          <button className="primary" disabled={act.busy || (current !== null && !news)}>
            {act.busy ? "…" : news ? `Change ${member.name}` : "See what changes"}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

const FIELDS: { name: string; label: string; required?: boolean; type?: string; hint?: string }[] = [
  { name: "name", label: "Name", required: true },
  { name: "context", label: "Context in the kubeconfig", required: true },
  { name: "kubeconfig", label: "Kubeconfig, an absolute path on the hub's machine", required: true },
  { name: "provider", label: "Provider", hint: "gcp, aws, onprem" },
  { name: "region", label: "Region" },
  { name: "labels", label: "Labels", hint: "tier=prod, zone=a" },
  { name: "capacity", label: "Requests per second that it carries", type: "number" },
  { name: "usd_per_cpu_hour", label: "US dollars per CPU and hour", type: "number" },
];

function wanted(form: FormData): Record<string, unknown> {
  const text = (name: string) => String(form.get(name) ?? "").trim();
  const pairs = text("labels").split(",").map((each) => each.split("=").map((part) => part.trim()));
  const body: Record<string, unknown> = {
    name: text("name"),
    context: text("context"),
    kubeconfig: text("kubeconfig"),
    preemptible: form.get("preemptible") === "on",
    labels: Object.fromEntries(pairs.filter(([key]) => key).map(([key, value = ""]) => [key, value])),
  };
  for (const name of ["provider", "region"]) if (text(name)) body[name] = text(name);
  for (const name of ["capacity", "usd_per_cpu_hour"]) if (text(name)) body[name] = Number(text(name));
  return body;
}

function Add({ close }: { close: () => void }): ReactNode {
  const act = useAct();
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const body = wanted(new FormData(event.currentTarget));
    if (await act.run(() => post("/fleet", body))) close();
  };
  return (
    <Dialog title="Add a cluster" close={close}>
      <form className="stack" onSubmit={(event) => void submit(event)}>
        {FIELDS.map((each) => (
          <label key={each.name}>
            {each.label}
            <input name={each.name} required={each.required ?? false} type={each.type ?? "text"} min="0" step="any" placeholder={each.hint} />
          </label>
        ))}
        <label className="check">
          <input type="checkbox" name="preemptible" /> It may be taken away at any time (preemptible)
        </label>
        <Submit act={act} verb="Add" close={close} />
      </form>
    </Dialog>
  );
}
