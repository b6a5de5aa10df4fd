// Commands as buttons: asked before when it cannot simply be taken back, and told when refused.
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState, type ReactNode } from "react";
import { Problem } from "../api/client";
import { Dialog, focusAgain, Notice } from "./basics";

export interface Act {
  busy: boolean;
  problem: Problem | null;
  run: (command: () => Promise<unknown>) => Promise<boolean>;
  forget: () => void;
}

/** Runs commands one at a time, and has everything that is shown asked again after each. */
export function useAct(): Act {
  const queries = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const pressed = useRef<Element | null>(null);
  useEffect(() => {
    // A button that could not be pressed for a moment has lost the keyboard.
    if (!busy && pressed.current) focusAgain(pressed.current);
  }, [busy]);
  const run = async (command: () => Promise<unknown>): Promise<boolean> => {
    pressed.current = document.activeElement;
    setBusy(true);
    setProblem(null);
    try {
      await command();
      return true;
    } catch (error) {
      setProblem(error instanceof Problem ? error : new Problem(0, "internal", String(error), ""));
      return false;
    } finally {
      setBusy(false);
      void queries.invalidateQueries({ predicate: (each) => each.meta?.live === true || each.meta?.acted === true });
    }
  };
  return { busy, problem, run, forget: () => setProblem(null) };
}

interface ConfirmProps {
  title: string;
  /** What it does, in words about users. */
  effect: ReactNode;
  verb: string;
  danger?: boolean;
  reason?: boolean;
  ready?: boolean;
  command: (why: string) => Promise<unknown>;
  close: () => void;
}

/** Asks once more, naming the effect; stays open with the hub's words when it is refused. */
export function Confirm({ title, effect, verb, danger, reason, ready = true, command, close }: ConfirmProps): ReactNode {
  const act = useAct();
  const [why, setWhy] = useState("");
  const confirm = async () => {
    if (await act.run(() => command(why))) close();
  };
  return (
    <Dialog title={title} close={close}>
      <div className="effect">{effect}</div>
      {reason && (
        <label>
          Why (kept in the history)
          <input value={why} onChange={(event) => setWhy(event.target.value)} maxLength={1000} />
        </label>
      )}
      {act.problem && <Notice problem={act.problem} />}
      <div className="buttons end">
        <button type="button" onClick={close}>
          Cancel
        </button>
        <button type="button" className={danger ? "danger" : "primary"} disabled={act.busy || !ready} onClick={() => void confirm()}>
          {act.busy ? "…" : verb}
        </button>
      </div>
    </Dialog>
  );
}

/** The end of a form in a dialog: why it was refused, and the way out or on. */
export function Submit({ act, verb, close }: { act: Act; verb: string; close: () => void }): ReactNode {
  return (
    <>
      {act.problem && <Notice problem={act.problem} />}
      <div className="buttons end">
        <button type="button" onClick={close}>
          Cancel
        </button>
        <button className="primary" disabled={act.busy}>
          {act.busy ? "…" : verb}
        </button>
      </div>
    </>
  );
}
