// Test results that the steps of a build have left, those that failed first.
import { useState, type ReactNode } from "react";
import { useData } from "../api/live";
import type { BuildStep, StepTests } from "../api/types";
import { count, duration } from "../format";
import { Glyph, Pill, type Tone } from "../parts/basics";
import { titleOf } from "./steps";

const TONES: Record<string, Tone> = { passed: "ok", failed: "bad", error: "bad", skipped: "idle" };

/** Nothing at all while no step has left any. */
export function Tests({ run, steps }: { run: string; steps: BuildStep[] }): ReactNode {
  const { data } = useData<StepTests[]>(`/builds/${run}/tests`);
  if (!data?.length) return null;
  return (
    <section className="panel" aria-label="Test results">
      <h2>Test results</h2>
      <div className="stack">
        {data.map((each) => (
          <Step key={`${each.step}/${each.number}`} tests={each} title={titleOf(steps, each.step)} />
        ))}
      </div>
    </section>
  );
}

function Step({ tests, title }: { tests: StepTests; title: string }): ReactNode {
  const { counts } = tests;
  const bad = counts.failed + counts.error;
  const [all, setAll] = useState(false);
  const shown = tests.cases.filter((each) => all || each.outcome === "failed" || each.outcome === "error");
  const total = bad + counts.passed + counts.skipped;
  return (
    <div>
      <div className="row">
        <strong>{title}</strong>
        <Pill tone={bad ? "bad" : "ok"}>{bad ? `${count(bad)} of ${count(total)} failed` : `all ${count(counts.passed)} passed`}</Pill>
        {counts.skipped > 0 && <span className="small faint">{count(counts.skipped)} skipped</span>}
        <button type="button" className="quiet end" aria-pressed={all} onClick={() => setAll(!all)}>
          {all ? "only those that failed" : "show all"}
        </button>
      </div>
      <ul className="small tests">
        {shown.map((each, index) => (
          <li key={`${each.suite}/${each.name}/${index}`}>
            <Glyph tone={TONES[each.outcome] ?? "idle"} size={11} /> <span className="hidden">{each.outcome}: </span>
            <span className="faint">{each.suite}</span> {each.name}{" "}
            <span className="faint">{each.seconds > 0 && duration(each.seconds)}</span>
            {each.message && <pre>{each.message}</pre>}
          </li>
        ))}
        {all && tests.more > 0 && <li className="faint">and {count(tests.more)} more</li>}
      </ul>
    </div>
  );
}
