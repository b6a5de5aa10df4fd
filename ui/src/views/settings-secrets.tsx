// Secrets of the hub: their names; values are set, and never shown.
import { useState, type FormEvent, type ReactNode } from "react";
import { put, remove } from "../api/client";
import { useCalmData } from "../api/live";
import type { SecretName } from "../api/types";
import { Confirm, Submit, useAct } from "../parts/act";
import { Ago, Dialog, Loaded } from "../parts/basics";

export function Secrets(): ReactNode {
  const query = useCalmData<SecretName[]>("/secrets");
  const [setting, setSetting] = useState<string | null>(null);
  const [removing, setRemoving] = useState<string | null>(null);
  return (
    <section className="panel scroll" aria-label="Secrets">
      <h2>
        Secrets
        <button type="button" onClick={() => setSetting("")}>
          Set a secret…
        </button>
      </h2>
      <Loaded query={query}>
        {(secrets) =>
          secrets.length ? (
            <ul className="items compact">
              {secrets.map((each) => (
                <li key={each.name} className="row">
                  <span className="mono">{each.name}</span>
                  <span className="faint small">
                    set <Ago at={each.at} />
                  </span>
                  <button type="button" className="quiet end" onClick={() => setSetting(each.name)}>
                    replace…
                  </button>
                  <button type="button" className="quiet" onClick={() => setRemoving(each.name)}>
                    remove…
                  </button>
                </li>
              ))}
            </ul>
          ) : (
            <p className="faint">No secret yet. They are kept sealed, and can be set and removed, never read.</p>
          )
        }
      </Loaded>
      {setting !== null && <Put name={setting} close={() => setSetting(null)} />}
      {removing && (
        <Confirm
          title={`Remove ${removing}?`}
          verb="Remove"
          danger
          effect={<p>What refers to {removing} fails from then on.</p>}
          command={() => remove(`/secrets/${removing}`)}
          close={() => setRemoving(null)}
        />
      )}
    </section>
  );
}

function Put({ name, close }: { name: string; close: () => void }): ReactNode {
  const act = useAct();
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const path = `/secrets/${encodeURIComponent(String(form.get("name")))}`;
    if (await act.run(() => put(path, { value: form.get("value") }))) close();
  };
  return (
    <Dialog title={name ? `Replace ${name}` : "Set a secret"} close={close}>
      <form className="stack" onSubmit={(event) => void submit(event)}>
        <label>
          Name
          <input name="name" defaultValue={name} readOnly={name !== ""} required maxLength={253} autoComplete="off" />
        </label>
        <label>
          Value
          <input name="value" type="password" required autoComplete="new-password" />
        </label>
        <Submit act={act} verb="Keep it" close={close} />
      </form>
    </Dialog>
  );
}
