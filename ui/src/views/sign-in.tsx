import { useQuery } from "@tanstack/react-query";
import { useEffect, useState, type FormEvent, type ReactNode } from "react";
import { get, addressOf, Problem } from "../api/client";
import { useSession } from "../api/session";
import { useAct } from "../parts/act";
import { Notice } from "../parts/basics";

export function SignIn(): ReactNode {
  const { signIn, expired } = useSession();
  const [name, setName] = useState("admin");
  const [password, setPassword] = useState("");
  const act = useAct();
  useEffect(() => {
    document.title = "Sign in · Crossfade";
  }, []);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void act.run(() => signIn(name, password));
  };
  return (
    <main className="alone">
      <form onSubmit={submit} className="sign-in" aria-label="Sign in">
        <img src="/icon.svg" alt="" width="44" height="44" />
        <h1>Crossfade</h1>
        <p className="faint">One release, every cloud.</p>
        <label>
          Account
          <input value={name} onChange={(event) => setName(event.target.value)} autoComplete="username" required />
        </label>
        <label>
          Password
          <input
            type="password"
            value={password}
            onChange={(event) => setPassword(event.target.value)}
            autoComplete="current-password"
            autoFocus
            required
          />
        </label>
        {expired && !act.problem && (
          <p className="note small" role="status">
            Your session has ended. Sign in to go on where you were.
          </p>
        )}
        {act.problem && <Notice problem={act.problem} />}
        <button className="primary" disabled={act.busy}>
          {act.busy ? "Signing in …" : "Sign in"}
        </button>
        <SignOn />
        <p className="faint small">
          The password of <code>admin</code> was printed when the hub first started; <code>crossfade up --new-admin-password</code> makes another one.
        </p>
      </form>
    </main>
  );
}

/** The way by the identity provider, where the hub knows one. */
function SignOn(): ReactNode {
  const { data } = useQuery({
    queryKey: ["options"],
    queryFn: () => get<{ issuer: string | null; trouble: string }>("/session/options"),
    staleTime: Infinity, // what went wrong is told once
  });
  return (
    <>
      {data?.trouble && <Notice problem={new Problem(401, "not-signed-in", data.trouble, "")} />}
      {data?.issuer && (
        <a className="button" href={addressOf("/session/sign-on")}>
          Sign in by {new URL(data.issuer).host}
        </a>
      )}
    </>
  );
}
