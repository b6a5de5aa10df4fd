"""Where the users of one application are, now and in the last half hour."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from crossfade.api.access import on_application
from crossfade.api.elsewhere import leads_elsewhere
from crossfade.api.services import Use
from crossfade.api.streams import Line, line, may_see
from crossfade.base.ids import ApplicationName, ClusterName, RevisionId
from crossfade.core.access.roles import Action
from crossfade.core.failover.users import Users
from crossfade.core.traffic.destinations import PARTS
from crossfade.engine.accounts import Caller
from crossfade.engine.figures import BUCKET_SECONDS, KEPT_SECONDS, Point

router = APIRouter(tags=["traffic"])

Reader = Annotated[Caller, Depends(on_application(Action.READ))]
_MOST_MARKS = 200


@dataclass(frozen=True, slots=True)
class Flow:
    """One cluster."""

    cluster: ClusterName
    planned_percent: float
    """Of all users, as edges are told."""
    reason: str
    """Why so many."""
    shares: Mapping[RevisionId, float]
    """Percent of its users by revision, as its data plane confirms."""
    now: Point | None
    """What edges have just counted; null: nothing."""
    history: tuple[Point, ...]
    """Oldest first; stretches without requests are left out."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """One application."""

    application: ApplicationName
    host: str | None
    at: float
    bucket_seconds: float
    kept_seconds: float
    counted_by: str
    """The hub that counts requests, when that is another one: then nothing is counted here."""
    edges: int
    """Those that are connected."""
    shed_percent: float
    """Users whom nobody can carry."""
    canary: str | None
    """The revision that a rollout moves users to."""
    stable: str | None
    flows: tuple[Flow, ...]
    marks: tuple[Line, ...]
    """What happened meanwhile."""


@router.get("/applications/{name}/traffic")
async def get_traffic(
    name: str,
    caller: Reader,
    services: Use,
    history: Annotated[bool, Query(description="With the last half hour.")] = True,
) -> Traffic:
    """Return where its users are: as planned, as counted, and as they were."""
    records, at = services.queries.records, services.clock.now()
    application = ApplicationName(name)
    record = (await records.application(application)).value
    stored = await records.find_users(application)
    users = stored.value if stored else Users(application)
    rollout = await records.rollout(record)
    moving = rollout.value if rollout and rollout.value.active else None
    now = services.figures.now(at)
    earlier = services.figures.history(application) if history else {}
    flows = []
    for cluster in sorted({*record.wanted, *users.parts, *earlier}):
        report = await records.find_report(application, cluster)
        flow = Flow(
            cluster,
            100 * users.share(cluster) / PARTS,
            users.reasons.get(cluster, ""),
            report.value.shares if report else {},
            now.get((application, cluster)),
            earlier.get(cluster, ()),
        )
        flows.append(flow)
    edges = (await records.edges()).value.edges
    seen = [
        line(each)
        for each in services.feed.recent(at - KEPT_SECONDS)
        if history and _of(name, each.subject) and may_see(caller.identity, each.subject)
    ]
    return Traffic(
        application,
        record.spec.route.host if record.spec.route else None,
        at,
        BUCKET_SECONDS,
        KEPT_SECONDS,
        await leads_elsewhere(services),
        sum(each.gone_since is None for each in edges),
        100 * users.shed / PARTS,
        moving.canary.id if moving else None,
        record.active.id if record.active else None,
        tuple(flows),
        tuple(seen[-_MOST_MARKS:]),
    )


def _of(application: str, subject: str) -> bool:
    """Say whether events of the subject are marks in the picture of the application."""
    kind, _, name = subject.partition("/")
    if kind == "rollout":
        return name.rpartition(".")[0] == application
    return kind in {"cluster", "edges"} or (kind == "application" and name == application)
