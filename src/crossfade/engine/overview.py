"""The first screen: is everything all right, what is moving, what needs somebody."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from crossfade.base.ids import ApplicationName, ClusterName, RevisionId
from crossfade.core.access.roles import Action, Grant, Identity
from crossfade.core.failover.evidence import DOWN
from crossfade.core.failover.health import Api, ClusterHealth, Witness
from crossfade.core.failover.users import Users
from crossfade.core.failover.wish import ClusterWish
from crossfade.core.fleet.cluster import Cluster
from crossfade.core.release.report import Report
from crossfade.core.rollout.record import Record
from crossfade.core.rollout.state import Rollout
from crossfade.engine.build_needs import BuildNeeds
from crossfade.engine.figures import Figures, Point
from crossfade.engine.needs import Need, of_cluster, of_edges, of_return, of_rollout
from crossfade.engine.records import Records

Now = Mapping[tuple[ApplicationName, ClusterName], Point]
"""What edges have just counted."""

Grants = tuple[Grant, ...]

KEPT_SECONDS = 0.5
MOST_KEPT = 50
SHOWN = 8
"""Revisions of a card; the others are counted."""


@dataclass(frozen=True, slots=True)
class Running:
    """A revision that runs on a cluster."""

    application: ApplicationName
    revision: RevisionId
    percent: float
    """Of the application's users on this cluster, as its data plane confirms."""
    pods: str
    """Ready and wanted ones, as `3/3`."""
    moving: bool
    """A rollout moves users to it."""


@dataclass(frozen=True, slots=True)
class Card:
    """One cluster."""

    name: ClusterName
    provider: str
    region: str
    preemptible: bool
    usd_per_cpu_hour: float | None
    version: str
    health: str
    condition: str
    api: Api
    witnesses: tuple[Witness, ...]
    standing: str
    """serving, doubted, out, recovering or drained."""
    returning: bool
    """Users are on their way back, step by step."""
    reason: str
    since: float | None
    """When its health or its users last changed, as far as is known."""
    share: float
    """Percent of all users: measured at the edges, else as planned."""
    measured: bool
    rps: float
    failed_rps: float
    """Tries that failed; users of them were mostly served by another cluster."""
    capacity: int | None
    revisions: tuple[Running, ...]
    revision_count: int
    trouble: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Moving:
    """A rollout under way."""

    application: ApplicationName
    number: int
    phase: str
    percent: float
    """Of all users of the application, those that the new revision is to have now."""
    step: int
    steps: int
    canary: RevisionId
    stable: RevisionId | None
    reason: str
    started_at: float


@dataclass(frozen=True, slots=True)
class Returning:
    """A cluster whose users are away, and come back as soon as it is proven well."""

    cluster: ClusterName
    percent: float
    """Of its share, of the application that is least far."""
    reason: str


@dataclass(frozen=True, slots=True)
class Overview:
    """All of it, as one person may see it."""

    at: float
    clusters: tuple[Card, ...]
    moving: tuple[Moving, ...]
    returning: tuple[Returning, ...]
    needs: tuple[Need, ...]
    applications: int
    serving: int
    """Applications that have users."""
    rps: float
    failed_rps: float
    counted_by: str = ""
    """The hub that counts requests, when that is another one: then nothing is counted here."""


@dataclass(frozen=True, slots=True)
class _World:
    records: tuple[Record, ...]
    rollouts: Mapping[ApplicationName, Rollout]
    reports: Mapping[ClusterName, tuple[Report, ...]]
    users: Mapping[ApplicationName, Users]
    now: Now


@dataclass(slots=True)
class Overviews:
    """Makes them for all who watch: those who may see the same are given the same, for a moment."""

    records: Records
    figures: Figures
    _builds: BuildNeeds = field(default_factory=BuildNeeds)
    _kept: dict[tuple[Grants, Grants | None], Overview] = field(default_factory=dict)

    async def of(self, identity: Identity, now: float) -> Overview:
        """Return what somebody may see, at most `KEPT_SECONDS` old."""
        scope = identity.grants, identity.within
        known = self._kept.get(scope)
        if known is not None and 0 <= now - known.at < KEPT_SECONDS:
            return known
        # The loops of a hub in this process have read everything already.
        records = self.figures.records or self.records
        made = await overview(records, identity, self.figures.now(now), now)
        if identity.may(Action.READ):  # builds belong to no application
            builds = await self._builds.of(records.documents, now)
            made = replace(made, needs=(*made.needs, *builds))
        if len(self._kept) >= MOST_KEPT:
            self._kept.clear()
        self._kept[scope] = made
        return made


async def overview(records: Records, identity: Identity, counted: Now, at: float) -> Overview:
    """Return what somebody may see of it; nothing of other applications, in no sum either."""
    world = await _world(records, identity, counted)
    health = {name: each.value for name, each in (await records.health()).items()}
    wishes = {name: each.value for name, each in (await records.wishes()).items()}
    edges = (await records.edges()).value.edges if identity.may(Action.READ) else ()
    cards: list[Card] = []
    needs: list[Need | None] = [*of_edges(edges)]
    returning: list[Returning] = []
    for stored in await records.clusters():
        name = stored.value.name
        if not identity.sees_cluster(name):
            continue
        known = health.get(name, ClusterHealth(name))
        wish = wishes.get(name, ClusterWish(name))
        cards.append(_card(stored.value, known, wish, world))
        needs.append(of_cluster(known, wish))
        if not wish.drained and known.condition not in DOWN:
            returning += _returning(known, world)
            pairs = [(each.spec, world.users.get(each.spec.name)) for each in world.records]
            needs += [of_return(spec, users, name, known) for spec, users in pairs if users]
    needs += [of_rollout(each) for each in world.rollouts.values()]
    points = world.now.values()
    return Overview(
        at,
        tuple(cards),
        tuple(_moving(each, world) for each in world.rollouts.values() if each.active),
        tuple(returning),
        tuple(
            sorted((each for each in needs if each is not None), key=lambda each: not each.urgent)
        ),
        len(world.records),
        sum(each.serves for each in world.records),
        _rate(each.requests / each.seconds for each in points),
        _rate(each.failed / each.seconds for each in points),
    )


async def _world(records: Records, identity: Identity, counted: Now) -> _World:
    every = [each.value for each in await records.applications()]
    seen = tuple(each for each in every if identity.sees(each.spec.name))
    names = {each.spec.name for each in seen}
    newest = [each.value for each in await records.rollouts_of(seen)]
    reports: dict[ClusterName, list[Report]] = {}
    for each in await records.reports():
        if each.value.application in names:
            reports.setdefault(each.value.cluster, []).append(each.value)
    users = {name: each.value for name, each in (await records.users()).items() if name in names}
    return _World(
        seen,
        {each.application: each for each in newest},
        {cluster: tuple(found) for cluster, found in reports.items()},
        users,
        {key: point for key, point in counted.items() if key[0] in names},
    )


def _card(cluster: Cluster, health: ClusterHealth, wish: ClusterWish, world: _World) -> Card:
    reports = world.reports.get(cluster.name, ())
    running = sorted(
        (each for report in reports for each in _running(report, world)),
        key=lambda each: (not each.moving, -each.percent, each.application),
    )
    mine = [point for (_, name), point in world.now.items() if name == cluster.name]
    rps = _rate(each.requests / each.seconds for each in mine)
    total = _rate(each.requests / each.seconds for each in world.now.values())
    return Card(
        cluster.name,
        cluster.provider,
        cluster.region,
        cluster.preemptible,
        cluster.usd_per_cpu_hour,
        health.version,
        health.summary,
        health.condition.value,
        health.api,
        health.witnesses,
        "drained" if wish.drained else health.stands.standing.value,
        any(cluster.name in each.returns for each in world.users.values()) and health.stands.serves,
        health.reason,
        _changed(health, wish),
        round(100 * rps / total, 1) if total else _planned(cluster.name, world.users.values()),
        total > 0,
        rps,
        _rate(each.failed / each.seconds for each in mine),
        cluster.capacity,
        tuple(running[:SHOWN]),
        len(running),
        tuple(f"{each.application}: {each.trouble}" for each in reports if each.trouble)[:SHOWN],
    )


def _running(report: Report, world: _World) -> list[Running]:
    rollout = world.rollouts.get(report.application)
    active = rollout is not None and rollout.active
    return [
        Running(
            report.application,
            revision,
            report.shares.get(revision, 0.0),
            f"{known.ready_pods}/{known.wanted_pods}",
            active and rollout is not None and rollout.canary.id == revision,
        )
        for revision, known in report.revisions.items()
        if known.installed
    ]


def _planned(cluster: ClusterName, users: Iterable[Users]) -> float:
    """Return the average share of the cluster over applications; nobody has counted any."""
    shares = [each.share(cluster) / 100 for each in users if each.parts]
    return round(sum(shares) / len(shares), 1) if shares else 0.0


def _returning(health: ClusterHealth, world: _World) -> list[Returning]:
    """Return how far its users are on their way back; nothing when none are away."""
    away = [each for each in world.users.values() if health.cluster in each.returns]
    if not away:
        return [] if health.stands.serves else [Returning(health.cluster, 0.0, health.reason)]
    least = min(away, key=lambda each: each.returns[health.cluster].percent)
    reason = least.reasons.get(health.cluster, health.reason)
    return [Returning(health.cluster, least.returns[health.cluster].percent, reason)]


def _changed(health: ClusterHealth, wish: ClusterWish) -> float | None:
    times = (health.stands.since, health.back_at, health.lost_since, wish.drained_since)
    known = [each for each in (*times, wish.restored_at) if each]
    return max(known, default=None)


def _moving(rollout: Rollout, world: _World) -> Moving:
    state = rollout.state
    return Moving(
        rollout.application,
        rollout.number,
        state.phase.value,
        _reached(rollout, world.users.get(rollout.application)),
        state.step,
        len(rollout.strategy.steps),
        rollout.canary.id,
        rollout.stable.id if rollout.stable else None,
        state.reason,
        rollout.started_at,
    )


def _reached(rollout: Rollout, users: Users | None) -> float:
    """Return the percent of all users that it is to have: in waves clusters differ."""
    progress = rollout.state.clusters
    weights = {name: users.share(name) if users else 0.0 for name in progress}
    total = sum(weights.values())
    if not total:
        return rollout.state.percent
    return round(sum(progress[name].percent * each for name, each in weights.items()) / total, 1)


def _rate(values: Iterable[float]) -> float:
    return round(sum(values), 2)
