// What would change: values as they are, and as they would be.
import type { ReactNode } from "react";
import type { Difference } from "../api/types";

interface Props {
  differences: Difference[];
  more?: number;
  /** What a value is called that is not there, before and after. */
  nothing?: [string, string];
}

export function Differences({ differences, more = 0, nothing = ["not there", "gone"] }: Props): ReactNode {
  if (!differences.length) return null;
  return (
    <ul className="small diff">
      {differences.map((each) => (
        <li key={each.path}>
          <code>{each.path}</code>: {each.before === null ? <span className="faint">{nothing[0]}</span> : <del>{plain(each.before)}</del>} → {each.after === null ? <span className="faint">{nothing[1]}</span> : <ins>{plain(each.after)}</ins>}
        </li>
      ))}
      {more > 0 && <li className="faint">and {more} more</li>}
    </ul>
  );
}

const plain = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));
