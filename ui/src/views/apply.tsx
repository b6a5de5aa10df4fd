// An application file by hand: pasted, chosen or dropped, looked at first, and only then applied.
import { useId, useState, type DragEvent, type ReactNode } from "react";
import { post } from "../api/client";
import type { ApplicationChange } from "../api/types";
import { useAct } from "../parts/act";
import { Dialog, Notice, Pill, ticked } from "../parts/basics";
import { Differences } from "../parts/changes";

const LARGEST = 900_000;

export function Apply({ close }: { close: () => void }): ReactNode {
  const [text, setText] = useState("");
  const [seen, setSeen] = useState<{ text: string; changes: ApplicationChange[] } | null>(null);
  const [trouble, setTrouble] = useState("");
  const look = useAct();
  const act = useAct();
  const field = useId();
  const current = seen?.text === text ? seen.changes : null;
  const news = current?.some((each) => each.change !== "unchanged");

  const write = (changed: string) => {
    setText(changed);
    look.forget();
    act.forget();
  };
  const read = async (file: File | undefined) => {
    if (!file) return;
    setTrouble(file.size > LARGEST ? `${file.name} is too large for an application file` : "");
    if (file.size <= LARGEST) write(await file.text());
  };
  const dropped = (event: DragEvent) => {
    event.preventDefault();
    void read(event.dataTransfer.files[0]);
  };
  const preview = () =>
    look.run(async () => {
      setSeen({ text, changes: await post<ApplicationChange[]>("/applications/preview", text) });
    });
  const apply = async () => {
    if (await act.run(() => post("/applications", text))) close();
  };
  return (
    <Dialog title="Apply an application file" close={close}>
      <p className="small faint">
        What <code>crossfade apply -f</code> does. Nothing changes before you have seen what would; users move only when a version is deployed.
      </p>
      <div className="row">
        <label htmlFor={field}>The file</label>
        <input type="file" className="end small" accept=".yaml,.yml,.json" aria-label="Choose a file" onChange={(event) => void read(event.target.files?.[0])} />
      </div>
      <textarea
        id={field}
        className="file"
        rows={14}
        spellCheck={false}
        value={text}
        placeholder="Paste it, or drop a file here"
        onChange={(event) => write(event.target.value)}
        onDragOver={(event) => event.preventDefault()}
        onDrop={dropped}
      />
      {trouble && <p className="note small">{trouble}</p>}
      {look.problem && <Wrong message={look.problem.message} hint={look.problem.hint} />}
      {current?.map((each) => <Change key={each.name} change={each} />)}
      {act.problem && <Notice problem={act.problem} />}
      <div className="buttons end">
        <button type="button" onClick={close}>
          Cancel
        </button>
        {current && news ? (
          <button type="button" className="primary" disabled={act.busy} onClick={() => void apply()}>
            {act.busy ? "…" : "Apply"}
          </button>
        ) : (
          <button type="button" className="primary" disabled={look.busy || !text.trim() || current !== null} onClick={() => void preview()}>
            {look.busy ? "…" : current ? "Nothing to apply" : "See what changes"}
          </button>
        )}
      </div>
    </Dialog>
  );
}

/** All that is wrong, one to a line, each with its line and column. */
function Wrong({ message, hint }: { message: string; hint: string }): ReactNode {
  const lines = message.replaceAll("the request:", "line ").split("\n");
  return (
    <div className="notice" role="alert">
      <div>
        {lines.map((each, index) => (
          <p key={index}>{each}</p>
        ))}
        {hint && <p className="small">{ticked(hint)}</p>}
      </div>
    </div>
  );
}

function Change({ change }: { change: ApplicationChange }): ReactNode {
  const tone = change.change === "unchanged" ? "idle" : "moving";
  return (
    <section className="effect" aria-label={`What changes of ${change.name}`}>
      <div className="row">
        <strong>{change.name}</strong> <Pill tone={tone}>{change.change === "created" ? "is new" : change.change === "configured" ? "changes" : "stays as it is"}</Pill>
        <span className="small faint">{change.clusters.length ? `on ${change.clusters.join(", ")}` : ""}</span>
      </div>
      <Differences differences={change.differences} more={change.more} />
      {change.remarks.map((each) => (
        <p key={each} className="note small">
          {ticked(each)}
        </p>
      ))}
    </section>
  );
}
