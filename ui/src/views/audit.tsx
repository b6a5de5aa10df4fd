// Who has done what, newest first, and whether anybody has tampered with the log.
import { useState, type ReactNode } from "react";
import { get } from "../api/client";
import { useCalmData } from "../api/live";
import { useSession } from "../api/session";
import type { Entry, Page } from "../api/types";
import { count, dateTime } from "../format";
import { useAct } from "../parts/act";
import { Empty, Loaded, Notice, Pill } from "../parts/basics";
import { Subject } from "../parts/lines";

export default function Audit(): ReactNode {
  const { may } = useSession();
  if (!may("admin")) {
    return (
      <Empty heading="h1" title="The audit log is for admins">
        It takes the role admin on all applications and clusters.
      </Empty>
    );
  }
  return <Log />;
}

const MOST = 300;

function Log(): ReactNode {
  const query = useCalmData<Page<Entry>>(`/audit/newest?limit=${MOST}`);
  const [words, setWords] = useState("");
  const fits = (each: Entry) => `${each.deed.who} ${each.deed.via} ${each.deed.what.join(" ")}`.toLowerCase().includes(words.toLowerCase());
  return (
    <>
      <div className="head">
        <h1>Audit</h1>
        <div className="row">
          <input value={words} onChange={(event) => setWords(event.target.value)} placeholder="find by who or what" aria-label="Find entries" />
          <Verify />
        </div>
      </div>
      <Loaded query={query}>
        {(page) => (
          <>
            <Table entries={page.items.filter(fits)} />
            {page.items.length >= MOST && (
              <p className="faint small">
                Of the newest {count(MOST)}; <code>crossfade audit list</code> has all.
              </p>
            )}
          </>
        )}
      </Loaded>
    </>
  );
}

function Verify(): ReactNode {
  const act = useAct();
  const [found, setFound] = useState<{ entries: number; wrong: string } | null>(null);
  return (
    <>
      <button type="button" disabled={act.busy} title="Work out again whether entries were changed or removed" onClick={() => void act.run(async () => setFound(await get("/audit/verification")))}>
        {act.busy ? "Verifying …" : "Verify"}
      </button>
      <span role="status">{found && <Pill tone={found.wrong ? "bad" : "ok"}>{found.wrong || `all ${count(found.entries)} entries are whole`}</Pill>}</span>
      {act.problem && <Notice problem={act.problem} />}
    </>
  );
}

/** What it is about, as a link where there is a view of it, and what was done. */
function What({ texts }: { texts: string[] }): ReactNode {
  return texts.map((text, index) => {
    const [, subject = "", done = ""] = /^([a-z-]+\/[^\s:]+): (.*)$/s.exec(text) ?? [];
    return (
      <span key={index}>
        {index > 0 && "; "}
        {subject ? (
          <>
            <Subject of={subject} />: {done}
          </>
        ) : (
          text
        )}
      </span>
    );
  });
}

function Table({ entries }: { entries: Entry[] }): ReactNode {
  if (!entries.length) return <p className="faint">No entry has these words.</p>;
  return (
    <div className="panel scroll">
      <table className="stacked entries">
        <thead>
          <tr>
            <th className="number">No.</th>
            <th>When</th>
            <th>Who</th>
            <th>By</th>
            <th>What</th>
          </tr>
        </thead>
        <tbody>
          {entries.map((each) => (
            <tr key={each.number}>
              <td className="number faint">{each.number}</td>
              <td className="nowrap">
                <time dateTime={new Date(each.deed.at * 1000).toISOString()}>{dateTime(each.deed.at)}</time>
              </td>
              <td>
                <strong>{each.deed.who}</strong>
              </td>
              <td className="faint nowrap">{each.deed.via}</td>
              <td className="why">
                {each.deed.outcome === "refused" && <Pill tone="bad">refused</Pill>} <What texts={each.deed.what} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
