"""Plans where users of every application go, tells the edges, and keeps what it told them."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from crossfade.base.clock import Clock
from crossfade.base.ids import ApplicationName, ClusterName, RevisionId
from crossfade.core.application import Route
from crossfade.core.failover.drill import Drill, cut, given_back, noticed
from crossfade.core.failover.evidence import DOWN
from crossfade.core.failover.health import ClusterHealth
from crossfade.core.failover.shedding import Shedding, by_class, counted
from crossfade.core.failover.shedding import told as told_shedding
from crossfade.core.failover.standby import told as told_standbys
from crossfade.core.failover.standing import Presence, Standing
from crossfade.core.failover.users import Candidate, Users, next_users
from crossfade.core.failover.wish import ClusterWish
from crossfade.core.fleet.cluster import Cluster
from crossfade.core.fleet.placement import placed
from crossfade.core.release.report import Report
from crossfade.core.rollout.record import Record
from crossfade.core.traffic.destinations import PARTS
from crossfade.core.traffic.lost import carried
from crossfade.core.traffic.priorities import Priority, whole
from crossfade.engine.loops.comparing import Comparing
from crossfade.engine.loops.counting import Counting
from crossfade.engine.loops.fleet import THRESHOLDS
from crossfade.engine.records import (
    EDGE_PLAN,
    USERS,
    Records,
    Stored,
    save_edge_plan,
    save_users,
)
from crossfade.ports.documents import Event
from crossfade.ports.edge import (
    EdgeClass,
    EdgePlan,
    EdgeRoute,
    Edges,
    EdgeSight,
    EdgeTarget,
    Way,
)

LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class _World:
    """Everything that is read for one plan."""

    clusters: Mapping[ClusterName, Cluster]
    health: Mapping[ClusterName, ClusterHealth]
    wishes: Mapping[ClusterName, ClusterWish]
    reports: Mapping[tuple[ApplicationName, ClusterName], Report]
    users: Mapping[ApplicationName, Stored[Users]]
    new: tuple[EdgeSight, ...]
    """Reports of edges that were not seen before."""
    served: Collection[tuple[ApplicationName, ClusterName]]
    """Where most edges find users served."""
    drill: Drill | None
    """The one that goes on."""
    now: float


@dataclass(slots=True)
class _Taken:
    """Requests per second of the applications that were planned, by cluster."""

    most: dict[ClusterName, int] = field(default_factory=dict)
    """As many as there may be: what the plans were made for."""
    now: dict[ClusterName, int] = field(default_factory=dict)
    """As many as there are."""

    def add(self, users: Users, world: _World) -> None:
        """Add those of one more application."""
        most = users.demand or 0
        now = most if users.recent is None else min(most, users.recent)
        down = {name for name, each in world.health.items() if each.condition in DOWN}
        for cluster, parts in carried(users.parts, down, users.shed).items():
            for sums, rate in ((self.most, most), (self.now, now)):
                sums[cluster] = sums.get(cluster, 0) - (-parts * rate // PARTS)


@dataclass(slots=True)
class Traffic:
    """All applications at once: one plan for all edges, and clusters that they share."""

    records: Records
    edges: Edges
    clock: Clock
    _comparing: Comparing = field(default_factory=Comparing)
    _counting: Counting = field(default_factory=Counting)

    async def keys(self) -> list[str]:
        """Return the one key: the plan is made as a whole."""
        return [EDGE_PLAN]

    async def reconcile(self, _: str) -> float:
        """Make the plan, save it if it is new, and hand it to the edges."""
        stored = await self.records.edge_plan()
        before = stored.value if stored else EdgePlan(0, ())
        sights = await self.edges.sights()
        world = await self._look(sights, self._comparing.fresh(sights))
        records = [each.value for each in await self.records.applications()]
        planned = self._planned(records, world)
        known = {route.application: route for route in before.routes}
        routes = tuple(
            drilled(
                edge_route(each.spec.route, each, planned[each.spec.name], world, known),
                world.drill,
                world.now,
            )
            for each in records
            if each.spec.route is not None and each.spec.name in planned
        )
        plan = before if routes == before.routes else EdgePlan(before.number + 1, routes)
        changed = [each for each in planned.values() if each != _before(world, each.application)]
        if plan is not before or changed:
            saves = [
                save_users(world.users[each.application].version, each)
                if each.application in world.users
                else save_users(0, each)
                for each in changed
            ]
            events = self._shed_events(changed, world) + _standby_events(changed, records, world)
            if plan is not before:
                saves.append(save_edge_plan(stored.version if stored else 0, plan))
                reason = "; ".join(_told(each) for each in planned.values())
                facts = {"number": plan.number}
                events += (Event(f"{EDGE_PLAN}/current", world.now, reason, facts),)
            await self.records.commit(*saves, events=events)
            self._forget_counts(changed, world)
        await self.edges.publish(plan)
        return LOOK_SECONDS

    async def without(self, cluster: ClusterName) -> tuple[Users, ...]:
        """Return where users of every application would be if this cluster were lost now."""
        world = await self._look(await self.edges.sights(), ())
        known = world.health.get(cluster, ClusterHealth(cluster))
        lost = replace(known, presence=Presence(cluster, Standing.OUT, since=world.now))
        world = replace(world, health={**world.health, cluster: lost})
        records = [each.value for each in await self.records.applications()]
        return tuple(self._planned(records, world).values())

    async def _look(self, sights: tuple[EdgeSight, ...], new: tuple[EdgeSight, ...]) -> _World:
        reports = [each.value for each in await self.records.reports()]
        drill = await self.records.active_drill()
        return _World(
            {each.value.name: each.value for each in await self.records.clusters()},
            {name: each.value for name, each in (await self.records.health()).items()},
            {name: each.value for name, each in (await self.records.wishes()).items()},
            {(each.application, each.cluster): each for each in reports},
            await self.records.users(),
            new,
            served(sights, self.clock.now()),
            drill.value if drill else None,
            self.clock.now(),
        )

    def _shed_events(self, changed: Sequence[Users], world: _World) -> tuple[Event, ...]:
        """Return what people should read: who begins to turn users away, and who ends."""
        events = []
        for each in changed:
            before = _before(world, each.application)
            more = self._counting.turned_away(each.application)
            said = told_shedding(before.shedding, each.shedding, more, world.now)
            if said:
                facts = {"missing": each.missing, "demand": each.demand}
                subject = f"{USERS}/{each.application}"
                events.append(Event(subject, world.now, f"{each.application} {said}", facts))
        return tuple(events)

    def _forget_counts(self, saved: Sequence[Users], world: _World) -> None:
        for each in saved:
            if _turned_away(each) != _turned_away(_before(world, each.application)):
                self._counting.saved(each.application)

    def _planned(self, records: Sequence[Record], world: _World) -> dict[ApplicationName, Users]:
        """Return where users of every application should be, the most important planned first."""
        self._counting.take_in(world.new)
        taken = _Taken()
        planned = {}
        for record in sorted(records, key=lambda each: -each.spec.placement.priority):
            name = record.spec.name
            users = self._users(record, world, taken.most)
            if users is not None and users.shed and taken.now != taken.most:
                # Nobody is turned away for users who may come: who is more important is planned
                # again once they do.
                users = self._users(record, world, taken.now)
            if users is not None:
                planned[name] = self._with_count(users, world.now)
                taken.add(users, world)
        return planned

    def _users(
        self, record: Record, world: _World, taken: Mapping[ClusterName, int]
    ) -> Users | None:
        """Return where users of the application should be beside those; None if nowhere."""
        name = record.spec.name
        before = _before(world, name)
        found = self._candidates(record, before, world, taken)
        if record.spec.route is None or not found:
            return None
        demand = self._counting.demand(name, before, world.now)
        load = self._counting.load(record.spec, before, world.now)
        load = replace(load, proven=_proven(record))
        return next_users(record.spec, before, found, demand, world.now, load)

    def _candidates(
        self, record: Record, before: Users, world: _World, taken: Mapping[ClusterName, int]
    ) -> list[Candidate]:
        name = record.spec.name
        verdicts = self._comparing.verdicts(name, before.returns, world.new, world.now)
        found = []
        for cluster in world.clusters.values():
            report = world.reports.get((name, cluster.name))
            wanted = record.at(cluster.name)
            if report is None or report.address is None or not wanted.split.shares:
                continue
            if not placed(record.spec.placement, cluster):
                continue
            room = None
            if cluster.capacity is not None:
                room = cluster.capacity - taken.get(cluster.name, 0)
            candidate = Candidate(
                wanted,
                report,
                world.health.get(cluster.name) or ClusterHealth(cluster.name),
                world.wishes.get(cluster.name) or ClusterWish(cluster.name),
                room,
                served=(name, cluster.name) in world.served,
            )
            stood = given_back(world.drill, world.now)
            if stood is not None and world.drill and world.drill.cluster == cluster.name:
                health = replace(candidate.health, presence=stood)
                candidate = replace(candidate, health=health, given_back=True)
            if cluster.name in verdicts:  # nothing is judged before users return
                candidate = replace(candidate, verdict=verdicts[cluster.name])
            found.append(candidate)
        return found

    def _with_count(self, users: Users, now: float) -> Users:
        if users.shedding is None:
            return users
        more = self._counting.turned_away(users.application)
        return replace(users, shedding=counted(users.shedding, more, now))


def _standby_events(
    changed: Sequence[Users], records: Sequence[Record], world: _World
) -> tuple[Event, ...]:
    """Return what people should read: which standbys grow, and which go back to rest."""
    rests = {each.spec.name: each.spec.placement.standby_percent for each in records}
    events = []
    for each in changed:
        name = each.application
        told = told_standbys(_before(world, name).standbys, each.standbys, rests[name])
        events += [Event(f"{USERS}/{name}", world.now, f"{name}: {said}", {}) for said in told]
    return tuple(events)


def _proven(record: Record) -> frozenset[RevisionId]:
    if record.active is None:
        return frozenset()
    return frozenset({record.active.id, *record.pinned.values()})


def _before(world: _World, name: ApplicationName) -> Users:
    stored = world.users.get(name)
    return stored.value if stored else Users(name)


def _told(users: Users) -> str:
    said = (
        f"{cluster} {users.share(cluster) / 100:g} % ({reason})"
        for cluster, reason in sorted(users.reasons.items())
    )
    shed = f"; turned away: {by_class(users.shedding)}" if users.shedding else ""
    return f"{users.application}: {', '.join(said)}{shed}"


def served(
    sights: Sequence[EdgeSight], now: float
) -> frozenset[tuple[ApplicationName, ClusterName]]:
    """Return where most edges, silent ones counted, find the users of an application served."""
    heard = [each for each in sights if now - each.at <= THRESHOLDS.silent_seconds]
    votes = Counter(
        (each.application, each.cluster)
        for sight in heard
        for each in sight.targets
        if each.healthy
    )
    return frozenset(key for key, count in votes.items() if 2 * count > len(sights))


def drilled(route: EdgeRoute, drill: Drill | None, now: float) -> EdgeRoute:
    """Return the route of an edge that finds nobody where a drill is held."""
    if drill is None or not any(cut(drill, each.cluster) for each in route.targets):
        if all(each.way is Way.OPEN for each in route.targets):
            return route
        return replace(route, targets=tuple(replace(each, way=Way.OPEN) for each in route.targets))
    shut = Way.CUT if noticed(drill, now) else Way.FAILING
    targets = (
        replace(each, way=shut if cut(drill, each.cluster) else Way.OPEN) for each in route.targets
    )
    return replace(route, targets=tuple(targets))


def edge_route(
    route: Route,
    record: Record,
    users: Users,
    world: _World,
    known: Mapping[ApplicationName, EdgeRoute],
) -> EdgeRoute:
    """Return the application's route at the edge; clusters that it leaves stay where they were."""
    name = record.spec.name
    earlier = {each.cluster: each for each in known[name].targets} if name in known else {}
    targets = []
    for cluster in sorted({*users.reasons, *users.parts}):
        weight = users.share(cluster)
        report, there = world.reports.get((name, cluster)), world.clusters.get(cluster)
        if there is not None and report is not None and report.address is not None:
            host, port = report.address.host, report.address.port
            targets.append(EdgeTarget(cluster, there.cloud, host, port, weight))
        elif cluster in earlier:
            targets.append(replace(earlier[cluster], weight=weight))
    return EdgeRoute(
        name,
        route.host,
        route.probe_path,
        route.try_seconds,
        tuple(targets),
        retry_non_idempotent=route.retry_non_idempotent,
        sticky=route.sticky,
        classes=_classes(route.priorities, users.shedding),
    )


def _classes(priorities: Sequence[Priority], away: Shedding | None) -> tuple[EdgeClass, ...]:
    """Return the classes that edges must know: none while all requests are alike and served."""
    if not priorities and away is None:
        return ()
    refused = away.refused if away else {}
    return tuple(EdgeClass(each, refused.get(each.name, 0)) for each in whole(priorities))


def _turned_away(users: Users) -> int | None:
    """Return the saved count; None while nobody is turned away."""
    return users.shedding.turned_away if users.shedding else None
