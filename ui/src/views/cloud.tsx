// One cloud as a card: is it well and who says so, whom it serves, what may be done with it.
import { useState, type ReactNode } from "react";
import { Link } from "wouter";
import { useData } from "../api/live";
import { post } from "../api/client";
import { useSession } from "../api/session";
import type { Card, Effect, Running } from "../api/types";
import { count, dollars, percent, rate } from "../format";
import { Confirm } from "../parts/act";
import { Ago, Bar, Glyph, Loaded, Pill, ticked, type Tone } from "../parts/basics";

export const HEALTH: Record<string, { tone: Tone; text: string }> = {
  healthy: { tone: "ok", text: "healthy" },
  "api-down": { tone: "warn", text: "API down" },
  "data-plane-down": { tone: "bad", text: "data plane down" },
  "both-down": { tone: "bad", text: "lost" },
  grey: { tone: "warn", text: "in doubt" },
  unknown: { tone: "idle", text: "not known" },
};

const STANDING: Record<string, string> = {
  doubted: "in doubt",
  out: "taken out",
  recovering: "recovering",
};

export function Cloud({ card }: { card: Card }): ReactNode {
  const health = HEALTH[card.health] ?? { tone: "idle" as Tone, text: card.health };
  return (
    <article id={`cloud-${card.name}`} className={`panel cloud ${health.tone}`} aria-label={`cloud ${card.name}`}>
      <header>
        <h3>{card.name}</h3>
        <Pill tone={health.tone}>{health.text}</Pill>
        <p className="small faint">
          {card.provider} · {card.region} {card.preemptible && <span className="tag">preemptible</span>}
        </p>
      </header>
      <div className="users">
        <span className="big" data-testid={`share-${card.name}`}>
          {percent(card.share, 1)}
        </span>
        <span className="small faint">
          of all users, {card.measured ? "measured" : "as planned"}
          {card.returning && " · coming back"}
        </span>
        <Bar value={card.share} tone="users" label={`users on ${card.name}`} />
      </div>
      <Lamps card={card} />
      <dl className="facts small">
        <dt>Requests</dt>
        <dd>
          {rate(card.rps)}/s{card.failed_rps > 0 && <span className="failing"> · {rate(card.failed_rps)} failed tries/s</span>}
        </dd>
        <dt>Headroom</dt>
        <dd>
          <Headroom card={card} />
        </dd>
        <dt>Price</dt>
        <dd>{card.usd_per_cpu_hour === null ? <span className="faint">not told</span> : `${dollars(card.usd_per_cpu_hour)} per CPU and hour`}</dd>
        <dt>Last changed</dt>
        <dd>{card.since ? <Ago at={card.since} /> : <span className="faint">not since it was added</span>}</dd>
      </dl>
      <Revisions card={card} />
      <Steering card={card} />
    </article>
  );
}

function Lamps({ card }: { card: Card }): ReactNode {
  const down = ["data-plane-down", "both-down"].includes(card.condition);
  const plane: Tone = down ? "bad" : card.condition === "grey" ? "warn" : card.condition === "unknown" ? "idle" : "ok";
  return (
    <details className="lamps">
      <summary>
        <span>
          <Glyph tone={card.api.up ? "ok" : "bad"} /> API {card.api.up ? "answers" : "silent"}
        </span>
        <span>
          <Glyph tone={plane} /> {down ? "users not served" : plane === "ok" ? "users served" : plane === "warn" ? "serves worse" : "not seen yet"}
        </span>
        <span className="small faint more">{STANDING[card.standing] ?? card.standing}</span>
      </summary>
      <ul className="small">
        {card.witnesses.map((each) => (
          <li key={each.name}>
            <Glyph tone={each.vote === "up" ? "ok" : each.vote === "unknown" ? "idle" : "bad"} size={11} /> {each.name}: {each.vote}
            {each.detail && <span className="faint"> · {each.detail}</span>}
          </li>
        ))}
        {card.api.detail && <li className="faint">API: {card.api.detail}</li>}
        {card.reason && <li className="faint">Decided: {ticked(card.reason)}</li>}
        {card.trouble.map((each) => (
          <li key={each} className="faint">
            {ticked(each)}
          </li>
        ))}
        {card.version && <li className="faint">Kubernetes {card.version}</li>}
      </ul>
    </details>
  );
}

function Headroom({ card }: { card: Card }): ReactNode {
  if (card.capacity === null) return <span className="faint">not told</span>;
  const left = Math.max(0, card.capacity - card.rps);
  const used = (100 * card.rps) / card.capacity;
  return (
    <>
      {count(left)} of {count(card.capacity)} requests/s
      <Bar value={used} tone={used > 90 ? "bad" : used > 70 ? "warn" : "ok"} label={`capacity of ${card.name} in use`} />
    </>
  );
}

function Revisions({ card }: { card: Card }): ReactNode {
  if (!card.revisions.length) return <p className="small faint">No revision runs here.</p>;
  const more = card.revision_count - card.revisions.length;
  const seen = ["data-plane-down", "both-down"].includes(card.condition) || !card.api.up;
  return (
    <ul className={`revisions small ${seen ? "faint" : ""}`} aria-label={`revisions on ${card.name}`}>
      {seen && <li className="note-line">as last seen:</li>}
      {card.revisions.map((each) => (
        <RevisionRow key={`${each.application}/${each.revision}`} running={each} />
      ))}
      {more > 0 && <li className="faint">and {count(more)} more</li>}
    </ul>
  );
}

function RevisionRow({ running }: { running: Running }): ReactNode {
  return (
    <li>
      <Link href={`/applications/${running.application}`} title={running.application}>
        {running.application}
      </Link>
      <span className="mono faint">{running.revision}</span>
      <Bar value={running.percent} tone={running.moving ? "canary" : "stable"} label={`users of ${running.application} on ${running.revision}`} />
      <span className="number">{percent(running.percent)}</span>
      <span className="faint number" title="pods: ready / wanted">
        {running.pods}
        <span className="hidden"> pods</span>
      </span>
    </li>
  );
}

function Steering({ card }: { card: Card }): ReactNode {
  const { may } = useSession();
  const [asked, setAsked] = useState(false);
  if (!may("releaser", "*", card.name)) return null;
  const drained = card.standing === "drained" || ["out", "recovering"].includes(card.standing);
  return (
    <div className="buttons">
      <button type="button" onClick={() => setAsked(true)}>
        {drained ? "Restore…" : "Drain…"}
      </button>
      {asked && (drained ? <Restore name={card.name} close={() => setAsked(false)} /> : <Drain name={card.name} close={() => setAsked(false)} />)}
    </div>
  );
}

function Drain({ name, close }: { name: string; close: () => void }): ReactNode {
  const query = useData<Effect[]>(`/fleet/${name}/drain`);
  const last = query.data?.filter((each) => !each.to.length) ?? [];
  return (
    <Confirm
      title={`Drain ${name}?`}
      verb={`Drain ${name}`}
      danger
      ready={query.data !== undefined && !last.length}
      command={() => post(`/fleet/${name}/drain`)}
      close={close}
      effect={<Loaded query={query}>{(effects) => <Effects name={name} effects={effects} />}</Loaded>}
    />
  );
}

function Effects({ name, effects }: { name: string; effects: Effect[] }): ReactNode {
  if (!effects.length) return <p>No user is on {name}. None will be sent there until it is restored; what runs there stays.</p>;
  return (
    <>
      <ul className="effects">
        {effects.map((each) => (
          <li key={each.application}>
            <strong>{percent(each.percent)}</strong> of the users of <strong>{each.application}</strong>{" "}
            {each.to.length ? `move to ${each.to.join(" and ")}` : "have nowhere to go: this is the last copy"}
          </li>
        ))}
      </ul>
      <p>Requests under way are finished. What runs on {name} stays, and nobody is sent there until it is restored.</p>
    </>
  );
}

function Restore({ name, close }: { name: string; close: () => void }): ReactNode {
  return (
    <Confirm
      title={`Restore ${name}?`}
      verb={`Restore ${name}`}
      command={() => post(`/fleet/${name}/restore`)}
      close={close}
      effect={
        <p>
          Users come back to {name} step by step, with 1, 5, 25, 50 and 100 % of its share, while it does as well as the others; all at once where an application says{" "}
          <code>failback: never</code>.
        </p>
      }
    />
  );
}
