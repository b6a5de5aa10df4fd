"""Where every cluster stands, who says so, and where users are: for people who ask."""

from collections.abc import Mapping
from dataclasses import dataclass

from crossfade.base.errors import NotFound
from crossfade.base.ids import ApplicationName, ClusterName
from crossfade.core.failover.comparison import JUDGE
from crossfade.core.failover.failback import Phase
from crossfade.core.failover.health import ClusterHealth, Witness
from crossfade.core.failover.standing import Standing
from crossfade.core.failover.users import Users
from crossfade.core.failover.wish import ClusterWish
from crossfade.engine.disclosure import told_in_full
from crossfade.engine.records import CLUSTER, USERS, Records
from crossfade.ports.documents import Event

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class ClusterStanding:
    """One cluster of the fleet."""

    cluster: ClusterName
    health: str
    """What is true of it now, in one word."""
    standing: str
    """Whether it may have users: serving, doubted, out, recovering, or drained."""
    reason: str
    """Of the newest decision."""
    detail: str
    """What whoever saw trouble said of it."""
    seconds_left: float | None
    """While it recovers: how long it must still be well; None otherwise."""
    users: Mapping[ApplicationName, float]
    """Percent of all users of each application whom it has by the plan of the edges."""
    returning: Mapping[ApplicationName, str]
    """Applications whose users are away from it, or on their way back, and how far."""
    standby: Mapping[ApplicationName, int]
    """Applications whose standby it is, and percent of its pods that it is to run."""
    witnesses: tuple[Witness, ...]

    @property
    def empty(self) -> bool:
        """Whether no user is sent there."""
        return not any(self.users.values())


@dataclass(frozen=True, slots=True)
class ApplicationUsers:
    """One application whose users cannot all be served, or for whom everything stands still."""

    application: ApplicationName
    shed_percent: float
    missing: int
    """Requests per second of capacity that there is nowhere."""
    demand: int | None
    """Requests per second that the plan was made for; None when nobody counts them."""
    shed_by_class: Mapping[str, float]
    """Percent of all requests that edges turn away, by priority class."""
    turned_away: int
    """Requests that edges have turned away since they began to."""
    frozen: bool
    limited: bool
    """Capacities and demand are known; otherwise nobody knows whether all users fit."""


@dataclass(frozen=True, slots=True)
class FailoverStatus:
    """The whole fleet."""

    clusters: tuple[ClusterStanding, ...]
    applications: tuple[ApplicationUsers, ...]


async def failover_status(records: Records, now: float) -> FailoverStatus:
    """Return where every cluster stands, by name."""
    health = await records.health()
    wishes = await records.wishes()
    users = [each.value for each in (await records.users()).values()]
    clusters = []
    for stored in await records.clusters():
        name = stored.value.name
        known = health[name].value if name in health else ClusterHealth(name)
        wish = wishes[name].value if name in wishes else ClusterWish(name)
        clusters.append(_standing(known, wish, users, now))
    return FailoverStatus(tuple(clusters), tuple(_served(each) for each in users))


def _served(users: Users) -> ApplicationUsers:
    away = users.shedding
    return ApplicationUsers(
        users.application,
        users.shed / 100,
        users.missing,
        users.demand,
        {name: parts / 100 for name, parts in away.parts.items()} if away else {},
        away.turned_away if away else 0,
        users.frozen,
        users.limited,
    )


async def failover_history(records: Records, name: str) -> tuple[Event, ...]:
    """
    Return all that was decided of a cluster, or of the users of an application, oldest first.

    A cluster comes before an application of the same name.  Raises NotFound.
    """
    subject = f"{CLUSTER}/{name}"
    if await records.find_cluster(ClusterName(name)) is None:
        subject = f"{USERS}/{name}"
        if await records.find_application(ApplicationName(name)) is None:
            known = ", ".join(each.value.name for each in await records.clusters())
            what = f"there is no cluster or application `{name}`"
            raise NotFound(what, hint=f"the fleet: {known or 'empty'}")
    found: list[Event] = []
    while True:
        page = await records.events(subject, found[-1].number if found else 0)
        found += page
        if len(page) < _PAGE:
            return tuple(told_in_full(each) for each in found)


def _standing(
    health: ClusterHealth, wish: ClusterWish, users: list[Users], now: float
) -> ClusterStanding:
    name, stands = health.cluster, health.stands
    left = None
    if stands.standing is Standing.RECOVERING:
        left = max(0.0, stands.wait_seconds - (now - stands.since))
    word = "drained" if wish.drained and stands.serves else stands.standing.value
    return ClusterStanding(
        name,
        health.summary,
        word,
        health.reason,
        health.detail,
        left,
        {each.application: each.share(name) / 100 for each in users if name in each.reasons},
        {each.application: _return(each, name, now) for each in users if name in each.returns},
        {each.application: each.sizes[name] for each in users if name in each.sizes},
        health.witnesses,
    )


def _return(users: Users, cluster: ClusterName, now: float) -> str:
    back = users.returns[cluster]
    if back.phase is Phase.RAMPING:
        raised = f"more once {JUDGE.min_requests} requests there, or more, compare well"
        return f"at {back.percent} % of its share for {max(0.0, now - back.since):.0f} s; {raised}"
    return users.reasons.get(cluster, back.phase.value)
