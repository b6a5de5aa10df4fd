// What is around every view: navigation, whether the page is up to date, theme, who is signed in.
import { useEffect, useRef, useState, type ReactNode, type RefObject } from "react";
import { Link, useLocation } from "wouter";
import { useData, useLive } from "./api/live";
import { useSession } from "./api/session";
import type { Overview } from "./api/types";
import { Ago, Glyph } from "./parts/basics";
import { applyTheme, theme, THEMES, type Theme } from "./theme";

const NAMES: Record<Theme, string> = { system: "as the system has them", light: "light", dark: "dark" };
const LOOKS: Record<Theme, string> = {
  system: "M2 3h12v8H2zM6 14h4M8 11v3",
  light: "M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6M8 1v1.6M8 13.4V15M1 8h1.6M13.4 8H15M3 3l1.2 1.2M11.8 11.8 13 13M13 3l-1.2 1.2M4.2 11.8 3 13",
  dark: "M13.2 9.6A5.8 5.8 0 0 1 6.4 2.8a5.8 5.8 0 1 0 6.8 6.8z",
};

const VIEWS: { path: string; name: string; icon: string }[] = [
  { path: "/", name: "Fleet", icon: "M2 6.5h5v-4H2zm7 0h5v-4H9zm-7 7h5v-4H2zm7 0h5v-4H9z" },
  { path: "/traffic", name: "Traffic", icon: "M1.5 4c6 0 7 8 13 8M1.5 12c6 0 7-8 13-8M1.5 8h13" },
  { path: "/rollouts", name: "Rollouts", icon: "M2 13V9.5h3.5V6H9V3h5M2 13h12" },
  { path: "/pipelines", name: "Pipelines", icon: "M3 4h3v3H3zM10 2h3v3h-3zM10 10h3v3h-3zM6 5.5h2v-2h2M8 5.5v6h2" },
  { path: "/applications", name: "Applications", icon: "M8 1.8 14 5v6L8 14.2 2 11V5zM2 5l6 3 6-3M8 8v6" },
  { path: "/audit", name: "Audit", icon: "M4 2h8v12H4zM6 5.5h4M6 8h4M6 10.5h2.5" },
  { path: "/settings", name: "Settings", icon: "M2 4.5h7m3 0h2M2 11.5h2m3 0h7M10.5 3v3M5.5 10v3" },
];

function Icon({ path }: { path: string }): ReactNode {
  return (
    <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true" fill="none" stroke="currentColor" strokeWidth="1.4" strokeLinejoin="round" strokeLinecap="round">
      <path d={path} />
    </svg>
  );
}

export function Shell({ children }: { children: ReactNode }): ReactNode {
  const [location] = useLocation();
  const here = VIEWS.find((each) => each.path !== "/" && location.startsWith(each.path)) ?? VIEWS[0];
  const overview = useData<Overview>("/overview", 2000);
  const needs = overview.data?.needs?.length ?? 0;
  const main = useRef<HTMLElement>(null);
  const nav = useRef<HTMLElement>(null);
  const subject = readable(location.split("/")[2] ?? "");
  useEffect(() => {
    const what = subject && here?.path === "/pipelines" ? `build ${subject}` : subject;
    document.title = `${needs ? `(${needs}) ` : ""}${what ? `${what} · ` : ""}${here?.name ?? ""} · Crossfade`;
  }, [here, subject, needs]);
  useArrival(`${here?.path}/${subject}`, main, nav);
  return (
    <div className="shell">
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <header className="side">
        <Link href="/" className="brand" aria-label="Crossfade, to the fleet">
          <img src="/icon.svg" alt="" width="24" height="24" />
          <span>Crossfade</span>
        </Link>
        <nav aria-label="Views" ref={nav}>
          {VIEWS.map((view) => (
            <Link key={view.path} href={view.path} aria-current={view === here ? "page" : undefined}>
              <Icon path={view.icon} />
              <span>{view.name}</span>
              {view.path === "/" && needs > 0 && <NeedsCount needs={needs} />}
            </Link>
          ))}
        </nav>
        <Foot />
      </header>
      <main id="main" tabIndex={-1} ref={main}>
        {overview.error?.status === 0 && overview.data && <Away since={overview.dataUpdatedAt / 1000} />}
        {children}
      </main>
    </div>
  );
}

/** A part of an address as it was meant; as it stands when somebody has mistyped it. */
function readable(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** What is shown is old, and how old. */
function Away({ since }: { since: number }): ReactNode {
  return (
    <p className="away" role="status">
      <Glyph tone="warn" />
      <span>
        <strong>The hub does not answer.</strong> What is shown is as it was <Ago at={since} />; edges go on serving users. It is asked again and again.
      </span>
    </p>
  );
}

/** Another view begins at its top, and there for the keyboard, too; going back leaves the place alone. */
function useArrival(place: string, main: RefObject<HTMLElement | null>, nav: RefObject<HTMLElement | null>): void {
  const before = useRef(place);
  const popped = useRef(false);
  useEffect(() => {
    const back = () => {
      popped.current = true;
    };
    window.addEventListener("popstate", back);
    return () => window.removeEventListener("popstate", back);
  }, []);
  useEffect(() => {
    const current = nav.current?.querySelector<HTMLElement>("[aria-current]");
    // On narrow screens the navigation is wider than the screen.
    if (nav.current && current) nav.current.scrollLeft = current.offsetLeft - (nav.current.clientWidth - current.offsetWidth) / 2;
    if (before.current !== place && !popped.current) {
      window.scrollTo(0, 0);
      main.current?.focus({ preventScroll: true });
    }
    before.current = place;
    popped.current = false;
  }, [place, main, nav]);
}

function NeedsCount({ needs }: { needs: number }): ReactNode {
  return (
    <span className="badge">
      <span aria-hidden="true">{needs}</span>
      <span className="hidden">{needs === 1 ? "1 thing needs you" : `${needs} things need you`}</span>
    </span>
  );
}

function Foot(): ReactNode {
  const { session, signOut } = useSession();
  const { connection } = useLive();
  const [chosen, setChosen] = useState(theme);
  const next = THEMES[(THEMES.indexOf(chosen) + 1) % THEMES.length] ?? "system";
  return (
    <div className="foot">
      <span className={`live ${connection}`} role="status">
        {connection === "connected" ? "live" : "reconnecting"}
      </span>
      <button
        type="button"
        className="quiet"
        onClick={() => {
          applyTheme(next);
          setChosen(next);
        }}
        aria-label={`Colours: ${NAMES[chosen]}; change to ${NAMES[next]}`}
        title={`Colours: ${NAMES[chosen]}`}
      >
        <Icon path={LOOKS[chosen]} />
      </button>
      <span className="who">
        {session?.account}
        <button type="button" className="quiet" onClick={() => void signOut()}>
          Sign out
        </button>
      </span>
    </div>
  );
}
