// Where the users of an application are: as they flow now, and as they did in the last half hour.
import { useState, type ReactNode } from "react";
import { Link } from "wouter";
import { useCalmData, useData } from "../api/live";
import type { ApplicationRow, Page, Traffic as TrafficData } from "../api/types";
import { percent, rate } from "../format";
import { Empty, Loaded, ticked } from "../parts/basics";
import { Elsewhere } from "../parts/elsewhere";
import { Lines, newest } from "../parts/lines";
import { Areas } from "./areas";
import { FlowPicture } from "./flow";

export default function Traffic({ application }: { application: string | undefined }): ReactNode {
  const query = useCalmData<Page<ApplicationRow>>("/applications?limit=500");
  return (
    <Loaded query={query}>
      {(page) => {
        const names = page.items.map((each) => each.name);
        const chosen = application ?? page.items.find((each) => each.serves)?.name ?? names[0];
        if (!chosen) {
          return (
            <Empty heading="h1" title="No application yet" command="crossfade apply -f crossfade.yaml">
              Once an application has users, this shows where they go.
            </Empty>
          );
        }
        return <One key={chosen} application={chosen} names={names} />;
      }}
    </Loaded>
  );
}

const MOST_TABS = 8;

function Choice({ names, chosen }: { names: string[]; chosen: string }): ReactNode {
  const [text, setText] = useState("");
  if (names.length < 2) return null;
  const fitting = names.filter((each) => each.includes(text)).slice(0, MOST_TABS);
  return (
    <nav className="tabs" aria-label="Applications">
      {names.length > MOST_TABS && <input value={text} onChange={(event) => setText(event.target.value)} placeholder="find an application" aria-label="Find an application" />}
      {fitting.map((each) => (
        <Link key={each} href={`/traffic/${each}`} aria-current={each === chosen ? "page" : undefined}>
          {each}
        </Link>
      ))}
    </nav>
  );
}

function One({ application, names }: { application: string; names: string[] }): ReactNode {
  const live = useData<TrafficData>(`/applications/${application}/traffic?history=false`, 1000);
  const earlier = useData<TrafficData>(`/applications/${application}/traffic`, 5000);
  const [by, setBy] = useState<"cluster" | "revision">("cluster");
  return (
    <div className="stack">
      <div className="head flush">
        <div>
          <h1>Traffic</h1>
          {live.data && <Lead traffic={live.data} />}
        </div>
        <Choice names={names} chosen={application} />
      </div>
      <section className="panel" aria-label="Users now">
        <h2>
          Now <span className="faint">widths are shares of requests{live.data && live.data.flows.some((each) => each.now?.failed) ? "; hatched is what fails" : ""}</span>
        </h2>
        <Loaded query={live}>{(traffic) => <FlowPicture traffic={traffic} />}</Loaded>
      </section>
      <section className="panel" aria-label="The last half hour">
        <h2>
          The last half hour
          <span className="tabs">
            {(["cluster", "revision"] as const).map((each) => (
              <button key={each} type="button" aria-pressed={by === each} onClick={() => setBy(each)}>
                by {each === "cluster" ? "cloud" : "revision"}
              </button>
            ))}
          </span>
        </h2>
        <Loaded query={earlier}>{(traffic) => <Areas traffic={traffic} by={by} />}</Loaded>
      </section>
      {earlier.data && <Happened traffic={earlier.data} />}
    </div>
  );
}

/** What a plan says of a cloud where nothing is out of the ordinary. */
const ORDINARY: Record<string, string> = { out: "taken out: it serves nobody", drained: "drained by somebody", serving: "serves its whole share" };

function Lead({ traffic }: { traffic: TrafficData }): ReactNode {
  const requests = traffic.flows.reduce((sum, each) => sum + (each.now ? each.now.requests / each.now.seconds : 0), 0);
  return (
    <p className="lead">
      {traffic.host ?? "no route"} · {traffic.edges === 1 ? "1 edge" : `${traffic.edges} edges`} · {requests ? `${rate(requests)} requests/s` : traffic.counted_by ? <Elsewhere hub={traffic.counted_by} /> : "no requests just now"}
      {traffic.shed_percent > 0 && <span className="failing"> · nobody can carry {percent(traffic.shed_percent)}</span>}
    </p>
  );
}

function Happened({ traffic }: { traffic: TrafficData }): ReactNode {
  const lines = newest(traffic.marks, 12);
  return (
    <div className="pair">
      <section className="panel" aria-label="What happened">
        <h2>What happened</h2>
        {lines.length ? <Lines lines={lines} /> : <p className="faint">Nothing, in this half hour.</p>}
      </section>
      <section className="panel" aria-label="Why each cloud has its share">
        <h2>Why each cloud has its share</h2>
        <dl className="facts">
          {traffic.flows.map((each) => (
            <div className="contents" key={each.cluster}>
              <dt>
                {each.cluster} <strong>{percent(each.planned_percent)}</strong>
              </dt>
              <dd>{each.reason ? ticked(ORDINARY[each.reason] ?? each.reason) : <span className="faint">not planned</span>}</dd>
            </div>
          ))}
        </dl>
      </section>
    </div>
  );
}
