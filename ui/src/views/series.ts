// One colour for each cloud and revision, the same in every picture.
import type { Traffic } from "../api/types";

const COLOURS = 6;

export function colourOfCluster(traffic: Traffic, cluster: string): string {
  const index = traffic.flows.findIndex((each) => each.cluster === cluster);
  return `var(--series-${(index % COLOURS) + 1})`;
}

export function revisionsOf(traffic: Traffic): string[] {
  const found = new Set<string>();
  for (const flow of traffic.flows) {
    for (const [revision, share] of Object.entries(flow.shares)) if (share > 0) found.add(revision);
    for (const point of flow.history) for (const revision of Object.keys(point.revisions)) found.add(revision);
  }
  const rank = (revision: string) => (revision === traffic.stable ? 0 : revision === traffic.canary ? 2 : 1);
  return [...found].sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
}

export function colourOfRevision(traffic: Traffic, revision: string): string {
  if (revision === traffic.canary) return "var(--canary)";
  if (revision === traffic.stable) return "var(--stable)";
  const others = revisionsOf(traffic).filter((each) => each !== traffic.canary && each !== traffic.stable);
  return `var(--series-${((others.indexOf(revision) + 3) % COLOURS) + 1})`;
}
