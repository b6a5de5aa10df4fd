// What the hub answers, as far as the page uses it; /api/v1/openapi.json describes all of it.

export interface Page<T> {
  items: T[];
  next: string | null;
}

export type Role = "viewer" | "developer" | "releaser" | "admin";

export interface Grant {
  role: Role;
  application: string;
  cluster: string;
}

export interface Session {
  account: string;
  csrf: string | null;
  grants: Grant[];
}

export interface Line {
  number: number;
  at: number;
  subject: string;
  reason: string;
}

export interface Witness {
  name: string;
  vote: "up" | "down" | "unknown" | "grey" | string;
  detail: string;
}

export interface Running {
  application: string;
  revision: string;
  percent: number;
  pods: string;
  moving: boolean;
}

export interface Card {
  name: string;
  provider: string;
  region: string;
  preemptible: boolean;
  usd_per_cpu_hour: number | null;
  version: string;
  health: string;
  condition: string;
  api: { up: boolean; detail: string };
  witnesses: Witness[];
  standing: "serving" | "doubted" | "out" | "recovering" | "drained";
  returning: boolean;
  reason: string;
  since: number | null;
  share: number;
  measured: boolean;
  rps: number;
  failed_rps: number;
  capacity: number | null;
  revisions: Running[];
  revision_count: number;
  trouble: string[];
}

export interface Moving {
  application: string;
  number: number;
  phase: string;
  percent: number;
  step: number;
  steps: number;
  canary: string;
  stable: string | null;
  reason: string;
  started_at: number;
}

export interface Returning {
  cluster: string;
  percent: number;
  reason: string;
}

export interface Need {
  urgent: boolean;
  what: string;
  why: string;
  application: string | null;
  cluster: string | null;
  /** Number of the build that it is about. */
  build: string | null;
}

export interface Overview {
  at: number;
  clusters: Card[];
  moving: Moving[];
  returning: Returning[];
  needs: Need[];
  applications: number;
  serving: number;
  rps: number;
  failed_rps: number;
  /** Another hub, when that one counts requests. */
  counted_by: string;
}

export interface Effect {
  application: string;
  percent: number;
  to: string[];
}

export interface Member {
  name: string;
  provider: string;
  region: string;
  preemptible: boolean;
  usd_per_cpu_hour: number | null;
  labels: Record<string, string>;
  health: string;
  detail: string;
  version: string;
  capacity: number | null;
}

export interface Revision {
  id: string;
  chart: string;
  created_at: number;
  values: unknown;
}

export interface Step {
  step: string;
  percent?: number | null;
  seconds?: number | null;
  message?: string;
  run?: string | null;
  max_percent?: number;
  name?: string;
}

export interface Wave {
  clusters: string[];
  match_labels: Record<string, string>;
}

export interface Progress {
  phase: "waiting" | "installing" | "stepping" | "done" | "back";
  step: number;
  percent: number;
  since: number;
  level_since: number | null;
  late: boolean;
  reason: string;
}

export interface Rollout {
  application: string;
  number: number;
  canary: Revision;
  stable: Revision | null;
  strategy: { steps: Step[]; kind: string; waves: Wave[]; keep_old_seconds: number | null };
  analysis: { judge: { budget: number } | null };
  started_at: number;
  swap: boolean;
  state: {
    phase: "installing" | "progressing" | "promoting" | "rolling-back" | "ended";
    clusters: Record<string, Progress>;
    wave: number;
    paused: boolean;
    passed: number;
    approved: number;
    abort: string;
    reason: string;
    outcome: "" | "succeeded" | "rolled-back" | "superseded";
    pending: string[];
    interruption: { since: number } | null;
  };
}

export interface ClusterOfRollout {
  cluster: string;
  health: string;
  percent: number | null;
  canary_pods: string;
  stable_pods: string;
  user_percent: number;
  trouble: string;
  phase: string;
}

export interface RolloutView {
  rollout: Rollout;
  clusters: ClusterOfRollout[];
  remarks: string[];
}

export interface Chapter {
  at: number;
  kind: "decision" | "verdict" | "command";
  reason: string;
  facts: Record<string, unknown>;
}

export interface Counted {
  new_requests: number;
  new_events: number;
  stable_requests: number;
  stable_events: number;
}

export interface Metric {
  name: string;
  counted: Counted;
  low: number;
  high: number | null;
  tolerated: number;
  limit: number;
  gates: boolean;
  needed: number;
}

export interface Analysis {
  action: string;
  reason: string;
  percent: number;
  next_percent: number;
  evidence: number;
  threshold: number;
  harmed: number;
  budget: number;
  proven: boolean;
  since: number;
  metrics: Metric[];
  silent: string[];
  discarded: number;
}

export interface Verdict {
  number: number;
  at: number;
  percent: number;
  evidence: number;
  harmed: number;
  bands: Record<string, [number, number | null]>;
  reason: string;
}

export interface Counts {
  at: number;
  seconds: number;
  requests: number;
  failed: number;
  revisions: Record<string, number>;
}

export interface Flow {
  cluster: string;
  planned_percent: number;
  reason: string;
  shares: Record<string, number>;
  now: Counts | null;
  history: Counts[];
}

export interface Traffic {
  application: string;
  host: string | null;
  at: number;
  bucket_seconds: number;
  kept_seconds: number;
  counted_by: string;
  edges: number;
  shed_percent: number;
  canary: string | null;
  stable: string | null;
  flows: Flow[];
  marks: Line[];
}

export interface ApplicationRow {
  name: string;
  namespace: string;
  revision: string | null;
  rollout: number;
  serves: boolean;
}

export interface Notified {
  name: string;
  channel: string;
  to: string;
  on: string[];
  last: { sent_at: number | null; sent: string; lost_at: number | null; lost: string };
  waiting: number;
  attempts: number;
  error: string;
  next_at: number | null;
}

export interface ApplicationChange {
  name: string;
  change: string;
  clusters: string[];
  remarks: string[];
  differences: Difference[];
  more: number;
}

export interface Difference {
  path: string;
  before: unknown;
  after: unknown;
}

export interface ClusterChange {
  name: string;
  differences: Difference[];
  remarks: string[];
}

/** What a run of a step has left on purpose; a page of it may end within. */
export interface StepFiles {
  step: string;
  generation: number;
  number: number;
  artifacts: { path: string; digest: string; size: number }[];
  files: number;
  bytes: number;
  notes: string[];
  forgotten: string;
}

export interface ApplicationRecord {
  spec: {
    name: string;
    namespace: string;
    route: { host: string } | null;
    source: { chart: string; version?: string | null };
    notifications?: unknown[];
  };
  active: Revision | null;
  kept: { revision: Revision; until: number | null }[];
  history: Revision[];
  rollout: number;
}

export interface InCluster {
  cluster: string;
  in_step: boolean;
  drift: string[];
  looked_at: number | null;
  wanted: Record<string, number>;
  confirmed: Record<string, number>;
  revisions: { revision: string; pods: string; ready: boolean; wanted: boolean; trouble: string }[];
}

export interface Entry {
  number: number;
  deed: { at: number; who: string; via: string; what: string[]; outcome: string };
}

export interface BuildRow {
  run: string;
  pipeline: string;
  result: string;
  at: number;
  ended: number | null;
  reason: string;
  waiting: string[];
  running: boolean;
}

export interface BuildStep {
  key: string;
  name: string;
  title: string;
  type: string;
  stage: string;
  owner: string;
  hook: string | null;
  after: string[];
  result: string;
  since: number | null;
  ended: number | null;
  reason: string;
  attempt: number;
  runs: number;
}

export interface BuildView {
  build: BuildRow;
  generation: number;
  stages: string[];
  steps: BuildStep[];
  variables: Record<string, string>;
  trouble: string;
}

export interface LogLine {
  number: number;
  run: number;
  text: string;
}

export interface Token {
  id: string;
  name: string;
  owner: string;
  grants: Grant[];
  created_at: number;
  expires_at: number;
}

export interface Account {
  name: string;
  grants: Grant[];
  disabled: boolean;
  issuer: string;
  created_at: number;
}

export interface SecretName {
  name: string;
  at: number;
}

export interface StepTests {
  step: string;
  number: number;
  counts: Record<"passed" | "failed" | "error" | "skipped", number>;
  cases: { suite: string; name: string; outcome: "passed" | "failed" | "error" | "skipped"; seconds: number; message: string }[];
  more: number;
}
