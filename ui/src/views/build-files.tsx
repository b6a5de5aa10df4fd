// Files that the steps of a build have kept, to be downloaded.
import { useState, type ReactNode } from "react";
import { addressOf } from "../api/client";
import { useData } from "../api/live";
import type { BuildStep, Page, StepFiles } from "../api/types";
import { bytes, plural } from "../format";
import { titleOf } from "./steps";

const FIRST = 12;

/** Nothing at all while no step has kept any. */
export function Files({ run, steps }: { run: string; steps: BuildStep[] }): ReactNode {
  const { data } = useData<Page<StepFiles>>(`/builds/${run}/files?limit=500`);
  const some = data?.items.filter((each) => each.artifacts.length || each.notes.length || each.forgotten);
  if (!some?.length) return null;
  return (
    <section className="panel" aria-label="Files">
      <h2>Files</h2>
      <div className="stack">
        {some.map((each) => (
          <Step key={`${each.step}/${each.generation}/${each.number}`} run={run} kept={each} title={titleOf(steps, each.step)} />
        ))}
      </div>
      {data?.next && (
        <p className="faint small">
          The first 500 are shown; <code>crossfade pipeline artifacts {run}</code> has all.
        </p>
      )}
    </section>
  );
}

function Step({ run, kept, title }: { run: string; kept: StepFiles; title: string }): ReactNode {
  const [all, setAll] = useState(false);
  const { artifacts } = kept;
  return (
    <div>
      <div className="row">
        <strong>{title}</strong>
        <span className="small faint">
          {kept.number > 1 && `run ${kept.number} · `}
          {kept.files > 0 && `${plural(kept.files, "file")}, ${bytes(kept.bytes)}`}
        </span>
        {artifacts.length > FIRST && (
          <button type="button" className="quiet end" aria-pressed={all} onClick={() => setAll(!all)}>
            {all ? `the first ${FIRST}` : "show all"}
          </button>
        )}
      </div>
      <ul className="small files">
        {(all ? artifacts : artifacts.slice(0, FIRST)).map((each) => (
          <li key={each.path}>
            {kept.forgotten ? (
              <span className="mono faint">{each.path}</span>
            ) : (
              <a className="mono" href={addressOf(`/builds/${run}/files/${each.digest}`)} download={each.path.split("/").at(-1)}>
                {each.path}
              </a>
            )}{" "}
            <span className="faint">{bytes(each.size)}</span>
          </li>
        ))}
        {kept.forgotten && <li className="faint">gone: {kept.forgotten}</li>}
        {kept.notes.map((each) => (
          <li key={each} className="faint">
            {each}
          </li>
        ))}
      </ul>
    </div>
  );
}
