// Who is signed in, and what they may do.  The hub decides; this only spares people useless buttons.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, useCallback, useContext, useEffect, useMemo, useState, type ReactNode } from "react";
import { get, onSignedOut, post, Problem, remove, sendToken } from "./client";
import type { Role, Session } from "./types";

const RANK: Record<Role, number> = { viewer: 0, developer: 1, releaser: 2, admin: 3 };

interface Access {
  session: Session | null;
  ready: boolean;
  trouble: Problem | null;
  /** Whether there was one that the hub no longer knows. */
  expired: boolean;
  may: (role: Role, application?: string, cluster?: string) => boolean;
  signIn: (name: string, password: string) => Promise<void>;
  signOut: () => Promise<void>;
}

const Context = createContext<Access | null>(null);

async function current(): Promise<Session | null> {
  try {
    return await get<Session>("/session");
  } catch (error) {
    if (error instanceof Problem && error.status === 401) return null;
    throw error;
  }
}

export function SessionProvider({ children }: { children: ReactNode }): ReactNode {
  const queries = useQueryClient();
  const query = useQuery<Session | null, Problem>({
    queryKey: ["session"],
    queryFn: current,
    refetchInterval: (each) => (each.state.error ? 2000 : false),
  });
  const session = query.data ?? null;
  sendToken(session?.csrf ?? null);
  const forget = useCallback(() => {
    queries.setQueryData(["session"], null);
    queries.removeQueries({ predicate: (each) => each.queryKey[0] !== "session" });
  }, [queries]);
  const [expired, setExpired] = useState(false);
  useEffect(
    () =>
      onSignedOut(() => {
        setExpired(true);
        forget();
      }),
    [forget],
  );
  const access = useMemo<Access>(
    () => ({
      session,
      ready: query.isFetched,
      trouble: query.error,
      expired,
      may: (role, application = "*", cluster = "*") =>
        (session?.grants ?? []).some(
          (grant) =>
            RANK[grant.role] >= RANK[role] &&
            ["*", application].includes(grant.application) &&
            ["*", cluster].includes(grant.cluster),
        ),
      signIn: async (name, password) => {
        queries.setQueryData(["session"], await post<Session>("/session", { name, password }));
        setExpired(false);
      },
      signOut: async () => {
        await remove("/session").catch(() => undefined);
        forget();
        setExpired(false);
      },
    }),
    [session, query.isFetched, query.error, expired, queries, forget],
  );
  return <Context.Provider value={access}>{children}</Context.Provider>;
}

export function useSession(): Access {
  const access = useContext(Context);
  if (!access) throw new Error("there is no SessionProvider above");
  return access;
}
