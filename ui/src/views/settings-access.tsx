// Who may do what: tokens for programs, accounts for people.
import { useState, type FormEvent, type ReactNode } from "react";
import { patch, post, remove } from "../api/client";
import { useCalmData } from "../api/live";
import { useSession } from "../api/session";
import type { Account, Grant, Role, Token } from "../api/types";
import { dateTime } from "../format";
import { Confirm, Submit, useAct } from "../parts/act";
import { Ago, Command, Dialog, Loaded, Notice, Pill } from "../parts/basics";

const ROLES: Role[] = ["viewer", "developer", "releaser", "admin"];

function told(grants: Grant[]): string {
  return grants.map((each) => `${each.role} on ${each.application === "*" ? "all applications" : each.application}${each.cluster === "*" ? "" : `, ${each.cluster}`}`).join("; ");
}

function GrantFields({ highest }: { highest: Role }): ReactNode {
  return (
    <>
      <label>
        Role
        <select name="role" defaultValue="viewer">
          {ROLES.slice(0, ROLES.indexOf(highest) + 1).map((each) => (
            <option key={each}>{each}</option>
          ))}
        </select>
      </label>
      <label>
        On the application (* is all)
        <input name="application" defaultValue="*" required />
      </label>
      <label>
        On the cluster (* is all)
        <input name="cluster" defaultValue="*" required />
      </label>
    </>
  );
}

const grantOf = (form: FormData): Grant => ({
  role: form.get("role") as Role,
  application: String(form.get("application")),
  cluster: String(form.get("cluster")),
});

export function Tokens(): ReactNode {
  const query = useCalmData<Token[]>("/tokens");
  const [making, setMaking] = useState(false);
  const [revoking, setRevoking] = useState<Token | null>(null);
  return (
    <section className="panel scroll" aria-label="Tokens">
      <h2>
        Tokens
        <button type="button" onClick={() => setMaking(true)}>
          Make a token…
        </button>
      </h2>
      <Loaded query={query}>
        {(tokens) =>
          tokens.length ? (
            <table className="stacked">
              <thead>
                <tr>
                  <th>Name</th>
                  <th>Owner</th>
                  <th>May</th>
                  <th>Expires</th>
                  <th>
                    <span className="hidden">Actions</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {tokens.map((each) => (
                  <tr key={each.id}>
                    <td>
                      <strong>{each.name}</strong>
                    </td>
                    <td data-label="Owner">{each.owner}</td>
                    <td data-label="May">{told(each.grants)}</td>
                    <td className="faint nowrap" data-label="Expires">{dateTime(each.expires_at)}</td>
                    <td className="number">
                      <button type="button" className="quiet" onClick={() => setRevoking(each)} aria-label={`Revoke ${each.name}`}>
                        revoke…
                      </button>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          ) : (
            <p className="faint">No token yet. Programs send one as <code>Authorization: Bearer TOKEN</code>; it never allows more than its owner may do.</p>
          )
        }
      </Loaded>
      {making && <MakeToken close={() => setMaking(false)} />}
      {revoking && (
        <Confirm
          title={`Revoke ${revoking.name}?`}
          verb="Revoke"
          danger
          effect={<p>Whatever uses this token is refused from now on.</p>}
          command={() => remove(`/tokens/${revoking.id}`)}
          close={() => setRevoking(null)}
        />
      )}
    </section>
  );
}

function Secretly({ title, text, close }: { title: string; text: string; close: () => void }): ReactNode {
  return (
    <Dialog title={title} close={close}>
      <p>It is not shown again:</p>
      <Command text={text} />
      <div className="buttons end">
        <button type="button" className="primary" onClick={close}>
          Done
        </button>
      </div>
    </Dialog>
  );
}

function MakeToken({ close }: { close: () => void }): ReactNode {
  const { session } = useSession();
  const act = useAct();
  const [made, setMade] = useState<string | null>(null);
  const highest = ROLES.filter((role) => session?.grants.some((each) => each.role === role)).at(-1) ?? "viewer";
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const body = { name: form.get("name"), days: Number(form.get("days")), grants: [grantOf(form)] };
    void act.run(async () => setMade((await post<{ text: string }>("/tokens", body)).text));
  };
  if (made) return <Secretly title="The new token" text={made} close={close} />;
  return (
    <Dialog title="Make a token" close={close}>
      <form className="stack" onSubmit={submit}>
        <label>
          What it is for
          <input name="name" required maxLength={100} placeholder="deploys of colors" />
        </label>
        <GrantFields highest={highest} />
        <label>
          Days until it expires
          <input name="days" type="number" min="1" max="365" defaultValue="90" />
        </label>
        <Submit act={act} verb="Make it" close={close} />
      </form>
    </Dialog>
  );
}

export function Accounts(): ReactNode {
  const query = useCalmData<Account[]>("/accounts");
  const [adding, setAdding] = useState(false);
  const [asked, setAsked] = useState<{ about: Account; order: "password" | "switch" } | null>(null);
  const [password, setPassword] = useState<string | null>(null);
  return (
    <section className="panel scroll" aria-label="Accounts">
      <h2>
        Accounts
        <button type="button" onClick={() => setAdding(true)}>
          Add an account…
        </button>
      </h2>
      <Loaded query={query}>
        {(accounts) => (
          <table className="stacked">
            <thead>
              <tr>
                <th>Name</th>
                <th>May</th>
                <th>Since</th>
                <th>
                  <span className="hidden">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {accounts.map((each) => (
                <AccountRow key={each.name} account={each} ask={(order) => setAsked({ about: each, order })} />
              ))}
            </tbody>
          </table>
        )}
      </Loaded>
      {adding && <AddAccount close={() => setAdding(false)} />}
      {asked?.order === "password" && <NewPassword name={asked.about.name} made={setPassword} close={() => setAsked(null)} />}
      {asked?.order === "switch" && <Switch account={asked.about} close={() => setAsked(null)} />}
      {password && <Secretly title="The new password" text={password} close={() => setPassword(null)} />}
    </section>
  );
}

function AccountRow({ account, ask }: { account: Account; ask: (order: "password" | "switch") => void }): ReactNode {
  const { name, grants, created_at, issuer, disabled } = account;
  return (
    <tr>
      <td>
        <strong>{name}</strong> {disabled && <Pill tone="idle">disabled</Pill>}
      </td>
      <td data-label="May">{told(grants)}</td>
      <td className="faint nowrap" data-label="Since">
        {created_at > 0 && <Ago at={created_at} />}
      </td>
      <td className="number nowrap">
        {!issuer && (
          <button type="button" className="quiet" onClick={() => ask("password")} aria-label={`New password of ${name}`}>
            new password…
          </button>
        )}
        <button type="button" className="quiet" onClick={() => ask("switch")} aria-label={`${disabled ? "Enable" : "Disable"} ${name}`}>
          {disabled ? "enable…" : "disable…"}
        </button>
      </td>
    </tr>
  );
}

function NewPassword({ name, made, close }: { name: string; made: (password: string) => void; close: () => void }): ReactNode {
  return (
    <Confirm
      title={`A new password for ${name}?`}
      verb="Make a new password"
      danger
      effect={<p>The old one counts no more, and {name} is signed out everywhere; its tokens end. The new one is shown once.</p>}
      command={async () => made((await post<{ password: string }>(`/accounts/${encodeURIComponent(name)}/password`)).password)}
      close={close}
    />
  );
}

function Switch({ account: { name, disabled }, close }: { account: Account; close: () => void }): ReactNode {
  return (
    <Confirm
      title={disabled ? `Enable ${name}?` : `Disable ${name}?`}
      verb={disabled ? `Enable ${name}` : `Disable ${name}`}
      danger={!disabled}
      effect={disabled ? <p>{name} may sign in again, with the same rights as before.</p> : <p>{name} is signed out, and neither password nor tokens of {name} count until somebody enables it again.</p>}
      command={() => patch(`/accounts/${encodeURIComponent(name)}`, { disabled: !disabled })}
      close={close}
    />
  );
}

function AddAccount({ close }: { close: () => void }): ReactNode {
  const act = useAct();
  const [made, setMade] = useState<string | null>(null);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const body = { name: form.get("name"), grants: [grantOf(form)] };
    void act.run(async () => setMade((await post<{ password: string }>("/accounts", body)).password));
  };
  if (made) return <Secretly title="The password of the new account" text={made} close={close} />;
  return (
    <Dialog title="Add an account" close={close}>
      <form className="stack" onSubmit={submit}>
        <label>
          Name
          <input name="name" required maxLength={100} autoComplete="off" />
        </label>
        <GrantFields highest="admin" />
        <Submit act={act} verb="Add" close={close} />
      </form>
    </Dialog>
  );
}

export function Password(): ReactNode {
  const { session, signOut } = useSession();
  const act = useAct();
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const body = { old_password: form.get("old"), new_password: form.get("new") };
    if (await act.run(() => post("/session/password", body))) await signOut();
  };
  return (
    <section className="panel" aria-label="Your password">
      <h2>
        Your password <span className="faint">changing it signs {session?.account} out everywhere, and ends all tokens</span>
      </h2>
      <form className="row wrap" onSubmit={(event) => void submit(event)}>
        <label>
          The old one
          <input name="old" type="password" required autoComplete="current-password" />
        </label>
        <label>
          The new one
          <input name="new" type="password" required autoComplete="new-password" />
        </label>
        <button disabled={act.busy}>Change it</button>
      </form>
      {act.problem && <Notice problem={act.problem} />}
    </section>
  );
}
