import { lazy, Suspense, type ReactNode } from "react";
import { Redirect, Route, Switch } from "wouter";
import { LiveProvider } from "./api/live";
import { useSession } from "./api/session";
import { Empty, Loading, Notice } from "./parts/basics";
import { Shell } from "./shell";
import { Fleet } from "./views/fleet";
import { SignIn } from "./views/sign-in";

// The first screen comes with the first file; the others when they are opened.
const Rollouts = lazy(() => import("./views/rollouts"));
const Rollout = lazy(() => import("./views/rollout"));

export function App(): ReactNode {
  const { session, ready, trouble } = useSession();
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
        <Suspense fallback={<Loading />}>
          <Views />
        </Suspense>
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
      <Route path="/rollouts" component={Rollouts} />
      <Route path="/rollouts/:application/:number?">
        {({ application, number }) => <Rollout application={application} number={number} />}
      </Route>
      <Route>
        <Empty title="There is no such page">The navigation shows all there are.</Empty>
      </Route>
    </Switch>
  );
}
