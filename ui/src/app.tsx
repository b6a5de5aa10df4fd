import { lazy, Suspense, type ReactNode } from "react";
import { Redirect, Route, Switch, useLocation } from "wouter";
import { LiveProvider } from "./api/live";
import { useSession } from "./api/session";
import { Empty, Loading, Notice } from "./parts/basics";
import { Guard } from "./parts/guard";
import { Shell } from "./shell";
import { Fleet } from "./views/fleet";
import { SignIn } from "./views/sign-in";

// The first screen comes with the first file; the others when they are opened.
const Traffic = lazy(() => import("./views/traffic"));
const Rollouts = lazy(() => import("./views/rollouts"));
const Rollout = lazy(() => import("./views/rollout"));
const Pipelines = lazy(() => import("./views/pipelines"));
const Build = lazy(() => import("./views/build"));
const Applications = lazy(() => import("./views/applications"));
const Application = lazy(() => import("./views/application"));
const Audit = lazy(() => import("./views/audit"));
const Settings = lazy(() => import("./views/settings"));

export function App(): ReactNode {
  const { session, ready, trouble } = useSession();
  const [location] = useLocation();
  if (trouble) {
    return (
      <div className="alone">
        <Notice problem={trouble} />
      </div>
    );
  }
  if (!ready) return <Loading />;
  if (!session) return <SignIn />;
  return (
    <LiveProvider>
      <Shell>
        <Guard place={location}>
          <Suspense fallback={<Loading />}>
            <Views />
          </Suspense>
        </Guard>
      </Shell>
    </LiveProvider>
  );
}

function Views(): ReactNode {
  return (
    <Switch>
      <Route path="/" component={Fleet} />
      <Route path="/fleet">
        <Redirect to="/" replace />
      </Route>
      <Route path="/traffic/:application?">{({ application }) => <Traffic application={application} />}</Route>
      <Route path="/rollouts" component={Rollouts} />
      <Route path="/rollouts/:application/:number?">
        {({ application, number }) => <Rollout application={application} number={number} />}
      </Route>
      <Route path="/pipelines" component={Pipelines} />
      <Route path="/pipelines/:run/:step?">
        {({ run, step }) => <Build key={run} run={run} step={step && decodeURIComponent(step)} />}
      </Route>
      <Route path="/applications" component={Applications} />
      <Route path="/applications/:name">{({ name }) => <Application name={name} />}</Route>
      <Route path="/audit" component={Audit} />
      <Route path="/settings" component={Settings} />
      <Route>
        <Empty title="There is no such page" heading="h1">The navigation shows all there are.</Empty>
      </Route>
    </Switch>
  );
}
