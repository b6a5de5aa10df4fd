// What another hub knows, and this one does not.
import type { ReactNode } from "react";

/** Where requests are counted when that is not here. */
export function Elsewhere({ hub }: { hub: string }): ReactNode {
  return (
    <>
      this hub stands by; requests are counted by <code>{hub}</code>, and shares here are as planned
    </>
  );
}
