// Requests to the hub: cookie and CSRF header, and its problems as errors with a hint.

export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly hint: string,
  ) {
    super(detail);
  }
}

const PREFIX = "/api/v1";
let csrf = "";
let signedOut: () => void = () => {};

/** Have changes sent with this token; the session says which. */
export function sendToken(token: string | null): void {
  csrf = token ?? "";
}

/** Have this called when the hub no longer knows who asks. */
export function onSignedOut(act: () => void): void {
  signedOut = act;
}

async function problemOf(answer: Response): Promise<Problem> {
  try {
    const body = await answer.json();
    return new Problem(answer.status, body.code, body.detail, body.hint);
  } catch {
    return new Problem(answer.status, "internal", `the hub answered ${answer.status}`, "look at its log");
  }
}

async function request<T>(method: string, path: string, body?: unknown): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (method !== "GET") {
    headers["X-CSRF-Token"] = csrf;
    // Whatever is sent twice, by a double click or a bad line, is done once.
    headers["Idempotency-Key"] = crypto.randomUUID();
  }
  if (body !== undefined) {
    headers["Content-Type"] = typeof body === "string" ? "application/yaml" : "application/json";
  }
  let answer: Response;
  try {
    const sent = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
    answer = await fetch(PREFIX + path, { method, headers, body: sent as string | undefined });
  } catch {
    throw new Problem(0, "unavailable", "the hub does not answer", "is `crossfade up` running?");
  }
  if (!answer.ok) {
    const problem = await problemOf(answer);
    // A wrong password, the old one too when it is changed, says nothing of who is signed in.
    if (problem.code === "not-signed-in" && !path.startsWith("/session")) signedOut();
    throw problem;
  }
  return (answer.status === 204 ? undefined : await answer.json()) as T;
}

export const get = <T>(path: string): Promise<T> => request<T>("GET", path);
export const post = <T>(path: string, body: unknown = {}): Promise<T> => request<T>("POST", path, body);
export const put = (path: string, body: unknown): Promise<void> => request<void>("PUT", path, body);
export const patch = <T>(path: string, body: unknown): Promise<T> => request<T>("PATCH", path, body);
export const remove = (path: string): Promise<void> => request<void>("DELETE", path);

/** The whole address of a path, for what asks by itself: streams and links. */
export const addressOf = (path: string): string => PREFIX + path;
