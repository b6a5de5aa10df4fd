"""Values for tests: whole ones with sensible contents, of which a test names what it is about."""

from crossfade.base.ids import ApplicationName, ClusterName, RevisionId
from crossfade.core.analysis.judgement import Judgement, Verdict
from crossfade.core.analysis.spec import Analysis, ErrorThreshold
from crossfade.core.application import Application, Failover, Route, Source
from crossfade.core.release.revision import Revision
from crossfade.core.rollout.record import Record
from crossfade.core.rollout.spec import SetWeight, Step, Strategy
from crossfade.core.rollout.state import (
    ClusterPhase,
    ClusterSight,
    Phase,
    Progress,
    Rollout,
    Sight,
    State,
)

APP = ApplicationName("colors")
CLUSTERS = tuple(ClusterName(name) for name in ("aws", "gcp", "onprem"))
LIMIT = Analysis(judge=None, threshold=ErrorThreshold(5.0, min_requests=50, window_seconds=10.0))
"""Only the share of errors decides."""


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


def application(*steps: Step, analysis: Analysis = LIMIT) -> Application:
    """Return the application `colors` with these canary steps."""
    strategy = Strategy(steps=steps or (SetWeight(10), SetWeight(50)), drain_seconds=5.0)
    source = Source("/charts/colors")
    return Application(
        APP,
        source,
        Route("colors.localhost", "colors"),
        strategy=strategy,
        analysis=analysis,
        failover=Failover(recover_seconds=2.0, step_seconds=1.0),
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
        analysis=spec.analysis,
        started_at=0.0,
        swap=swap,
        state=state or State(),
    )


def stepping(
    percent: float, step: int, since: float | None = 0.0, *, scale: int = 100, **more: object
) -> State:
    """Return the state of a rollout whose clusters all stand at this step."""
    progress = Progress(
        ClusterPhase.STEPPING, step, percent, scale, since=since or 0.0, level_since=since
    )
    clusters = dict.fromkeys(CLUSTERS, progress)
    return State(Phase.PROGRESSING, clusters, **more)  # type: ignore[arg-type]


def record(active: Revision | None = BLUE) -> Record:
    """Return the record of an application of which `active` serves."""
    return Record(application(), active=active, rollout=1)


def judgement(verdict: Verdict) -> Judgement:
    """Return a judgement with this verdict."""
    return Judgement(verdict, 100, 10, f"it is {verdict.value}")


def seen(cluster: ClusterName = CLUSTERS[0], **more: object) -> ClusterSight:
    """Return the sight of a cluster where all is well, but for what is named."""
    well = {"reachable": True, "converged": True, "canary_ready": True, "stable_whole": True}
    return ClusterSight(cluster, **{**well, **more})  # type: ignore[arg-type]


def sight(verdict: Verdict = Verdict.PASS, *clusters: ClusterSight, **more: object) -> Sight:
    """Return the sight of all clusters: those that are given, and the others where all is well."""
    given = {each.cluster: each for each in clusters}
    names = dict.fromkeys((*CLUSTERS, *given))
    every = tuple(given.get(name) or seen(name) for name in names)
    return Sight(every, **{"judgement": judgement(verdict), **more})  # type: ignore[arg-type]
