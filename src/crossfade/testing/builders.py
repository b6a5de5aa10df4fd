"""Values for tests: whole ones with sensible contents, of which a test names what it is about."""

from crossfade.base.ids import ApplicationName, ClusterName, RevisionId
from crossfade.core.analysis.thresholds import Judgement, Verdict
from crossfade.core.application import Application, Route, SetWeight, Source, Step, Strategy
from crossfade.core.application import ErrorThreshold as Threshold
from crossfade.core.release.revision import Revision
from crossfade.core.rollout.record import Record
from crossfade.core.rollout.state import Rollout, State

APP = ApplicationName("colors")
CLUSTERS = tuple(ClusterName(name) for name in ("aws", "gcp", "onprem"))
THRESHOLD = Threshold(max_percent=5.0, min_requests=50, window_seconds=10.0)


def revision(name: str) -> Revision:
    """Return a revision of the application `colors`."""
    return Revision(
        id=RevisionId(name),
        application=APP,
        namespace="default",
        chart_digest="0" * 64,
        service=f"colors-{name}",
    )


BLUE, YELLOW, RED = revision("blue"), revision("yellow"), revision("red")


def application(*steps: Step, errors: Threshold | None = THRESHOLD) -> Application:
    """Return the application `colors` with these canary steps."""
    strategy = Strategy(steps=steps or (SetWeight(10), SetWeight(50)), drain_seconds=5.0)
    source = Source("/charts/colors")
    return Application(
        APP, source, Route("colors.localhost", "colors"), strategy=strategy, errors=errors
    )


def rollout(
    *steps: Step,
    stable: Revision | None = BLUE,
    state: State | None = None,
    strategy: Strategy | None = None,
    swap: bool = False,
) -> Rollout:
    """Return a rollout from blue to yellow."""
    spec = application(*steps)
    return Rollout(
        APP,
        1,
        canary=YELLOW,
        stable=stable,
        strategy=strategy or spec.strategy,
        errors=spec.errors,
        started_at=0.0,
        swap=swap,
        state=state or State(),
    )


def record(active: Revision | None = BLUE) -> Record:
    """Return the record of an application of which `active` serves."""
    return Record(application(), active=active, rollout=1)


def judgement(verdict: Verdict) -> Judgement:
    """Return a judgement with this verdict."""
    return Judgement(verdict, 100, 10, f"it is {verdict.value}")
