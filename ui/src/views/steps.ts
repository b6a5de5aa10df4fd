// Steps of a build, in words.
import type { BuildStep } from "../api/types";

/** What people call a step. */
export function titleOf(steps: BuildStep[], key: string): string {
  const found = steps.find((each) => each.key === key);
  return found?.title || found?.name || key;
}
