"""Decides which clusters may have users, from what all vantage points say of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from crossfade.base.clock import Clock
from crossfade.base.codec import to_json
from crossfade.base.ids import ClusterName
from crossfade.core.application import Application
from crossfade.core.failover.decide import Wishes
from crossfade.core.failover.drill import given_back
from crossfade.core.failover.evidence import ClusterSignals, VantageName
from crossfade.core.failover.health import NODES, PODS, ClusterHealth, Look, Witness, assess
from crossfade.core.failover.standing import PATIENCE, Patience, Presence, Standing
from crossfade.core.fleet.cluster import Cluster
from crossfade.core.fleet.inside import Word, of_nodes, of_pods
from crossfade.core.fleet.placement import placed
from crossfade.core.fleet.signals import Sample, Sighting, Streak, Tally, Vote, see, vote
from crossfade.core.release.report import Report
from crossfade.core.rollout.record import Record
from crossfade.engine.loops.fleet import THRESHOLDS, Fleet, Watched
from crossfade.engine.records import Records, Stored, save_health
from crossfade.ports.documents import Event, Save
from crossfade.ports.edge import Edges, EdgeSight, EdgeTargetSight, read_until, unread

LOOK_SECONDS = 0.5
API_VOTE_SECONDS = 16.0
"""For how long an answer of an API server counts: three probes."""
HUB = VantageName("hub")
"""The hub's own probes; no edge can have this name and be taken for it: it is written `edge:`."""


@dataclass(slots=True)
class FailoverLoop:
    """The whole fleet at once: budget and last copy are matters of all clusters together."""

    records: Records
    edges: Edges
    fleet: Fleet
    clock: Clock
    _sightings: dict[tuple[VantageName, ClusterName], Sighting] = field(default_factory=dict)
    _taken: dict[str, float] = field(default_factory=dict)
    """When the newest report of each edge that was taken in had arrived."""

    async def keys(self) -> list[str]:
        """Return the one key: the fleet is decided on as a whole."""
        return ["fleet"]

    async def reconcile(self, _: str) -> float:
        """Weigh what is seen, decide, and save what has turned."""
        clusters = [each.value for each in await self.records.clusters()]
        known = await self.records.health()
        sights = await self.edges.sights()
        healths = {name: each.value for name, each in known.items()}
        self._take_in(sights, healths)
        now = self.clock.now()
        seen = [each for each in clusters if each.name in self.fleet.seen]
        records = [each.value for each in await self.records.applications()]
        reports = [each.value for each in await self.records.reports()]
        looks = [self._look(each, sights, _ready(each, records, reports), now) for each in seen]
        wishes = await self._wishes(seen, records)
        found = assess(healths, looks, wishes, now)
        changed = [each for each in found if _worth_saving(healths.get(each.cluster), each)]
        if changed:
            await self._save(changed, known, now)
        return LOOK_SECONDS

    def _take_in(
        self, sights: Sequence[EdgeSight], known: dict[ClusterName, ClusterHealth]
    ) -> None:
        """Take in the reports that are new; what edges said that are known no more is forgotten."""
        names = {_vantage(each) for each in sights}
        for key in [each for each in self._sightings if each[0] not in names]:
            del self._sightings[key]
        new = unread(sights, self._taken)
        self._taken = read_until(sights)
        for sight in new:
            name = _vantage(sight)
            for cluster in {each.cluster for each in sight.targets}:
                mine = [each for each in sight.targets if each.cluster == cluster]
                before = self._sightings.get((name, cluster)) or _first(known.get(cluster))
                after = see(before, sample_of(mine), sight.at, THRESHOLDS)
                self._sightings[name, cluster] = after

    def _look(
        self, cluster: Cluster, sights: Sequence[EdgeSight], ready_pods: int | None, now: float
    ) -> Look:
        watched = self.fleet.seen[cluster.name]
        votes: dict[VantageName, Vote] = {}
        requests: dict[VantageName, Tally] = {}
        details: dict[VantageName, str] = {}
        bad: list[float] = []
        for sight in sights:
            sighting = self._sightings.get((_vantage(sight), cluster.name))
            if sighting is None:
                continue
            name = _vantage(sight)
            votes[name] = vote(sighting, now, THRESHOLDS.silent_seconds)
            requests[name] = sighting.tally
            details[name] = _words(sight, cluster.name, votes[name])
            bad += _bad_since(sighting, votes[name])
        _own(watched, votes, details, now)
        # What was said before its API server fell silent says nothing of now.
        nodes = watched.nodes_now(now) if not watched.api_detail else None
        pods = ready_pods if not watched.api_detail else None
        signals = ClusterSignals(
            cluster.name,
            vote(watched.api, now, API_VOTE_SECONDS),
            votes,
            requests,
            ready_pods=pods,
            ready_nodes=nodes.ready if nodes is not None and nodes.count else None,
        )
        inside = {PODS: of_pods(pods), NODES: of_nodes(nodes)}
        said = _witnesses(inside)
        return Look(
            signals,
            watched.reach,
            watched.version,
            details,
            said,
            answered_at=watched.api_answered_at,
            bad_since=min(bad + _bad_since(watched.data_plane, votes.get(HUB)), default=None),
            nodes=watched.nodes,
        )

    async def _wishes(self, clusters: Sequence[Cluster], records: Sequence[Record]) -> Wishes:
        wishes = (await self.records.wishes()).values()
        every = [each.capacity for each in clusters]
        capacity = (
            {each.name: each.capacity for each in clusters if each.capacity is not None}
            if None not in every
            else {}
        )
        return Wishes(
            drained=frozenset(each.value.cluster for each in wishes if each.value.drained),
            capacity=capacity,
            given_back=await self._given_back(),
            patience=patience_of([each.spec for each in records]),
        )

    async def _given_back(self) -> dict[ClusterName, Presence]:
        """Return the cluster that a drill had taken out, and where it stood before."""
        drill = await self.records.active_drill()
        stood = given_back(drill.value if drill else None, self.clock.now())
        return {drill.value.cluster: stood} if drill and stood else {}

    async def _save(
        self,
        changed: Sequence[ClusterHealth],
        known: dict[ClusterName, Stored[ClusterHealth]],
        now: float,
    ) -> None:
        saves: list[Save] = []
        events: list[Event] = []
        for each in changed:
            stored = known.get(each.cluster)
            before = stored.value if stored else ClusterHealth(each.cluster)
            saves.append(save_health(stored.version if stored else 0, each))
            if _tells(before, each):
                events.append(_event(before, each, now))
        await self.records.commit(*saves, events=tuple(events))


def patience_of(specs: Sequence[Application]) -> Patience:
    """Return the longest patience that any application asks for: clusters come back for all."""
    asked = [each.failover.recover_seconds for each in specs if each.route is not None]
    return Patience(recover_seconds=max(asked, default=PATIENCE.recover_seconds))


def sample_of(targets: Sequence[EdgeTargetSight]) -> Sample:
    """Return what an edge saw of a cluster, over all applications: one that is well suffices."""
    requests, failed = sum(t.requests for t in targets), sum(t.failed for t in targets)
    refused = sum(t.connect_failures for t in targets)
    return Sample(
        probe=any(each.healthy for each in targets),
        requests=requests,
        failed=min(requests, failed),
        slow=min(requests - min(requests, failed), sum(t.slow for t in targets)),
        # In a row: an answer in between ends it.
        connect_failures=refused if requests <= failed else 0,
    )


def _witnesses(inside: Mapping[VantageName, Word]) -> tuple[Witness, ...]:
    """Return what a cluster says of itself, if it says anything."""
    return tuple(
        Witness(name, said.vote, said.detail)
        for name, said in inside.items()
        if said.vote is not Vote.UNKNOWN
    )


def _own(
    watched: Watched,
    votes: dict[VantageName, Vote],
    details: dict[VantageName, str],
    now: float,
) -> None:
    """Add what this hub has seen of the data plane."""
    if watched.data_plane is None or watched.data_plane.heard_at is None:
        return
    votes[HUB] = vote(watched.data_plane, now, THRESHOLDS.silent_seconds)
    details[HUB] = watched.data_plane_detail


def _bad_since(sighting: Sighting | None, said: Vote | None) -> list[float]:
    """Return since when a vantage point that calls the data plane down has seen it fail."""
    against = said in {Vote.DOWN, Vote.FAILING} and sighting is not None
    since = sighting.bad_since if sighting is not None and against else None
    return [] if since is None else [since]


def _vantage(sight: EdgeSight) -> VantageName:
    return VantageName(f"edge:{sight.edge}")


def _first(health: ClusterHealth | None) -> Sighting:
    """Return what is taken for granted before the first report: that nothing has changed."""
    up = health is not None and health.answered and health.stands.standing is not Standing.OUT
    return Sighting(streak=Streak(up=up))


def _ready(cluster: Cluster, records: Sequence[Record], reports: Sequence[Report]) -> int | None:
    """Return the ready pods of what the cluster should run, None when it does not say."""
    found = [
        sum(report.of(each).ready_pods for each in record.at(cluster.name).split.shares)
        for record in records
        for report in reports
        if report.application == record.spec.name
        and report.cluster == cluster.name
        and placed(record.spec.placement, cluster)
        and record.at(cluster.name).split.shares
    ]
    return sum(found) if found else None


def _words(sight: EdgeSight, cluster: ClusterName, said: Vote) -> str:
    if said is Vote.UNKNOWN:
        return "silent"
    told = (each.trouble for each in sight.targets if each.cluster == cluster and each.trouble)
    return next(told, "")


def _worth_saving(before: ClusterHealth | None, after: ClusterHealth) -> bool:
    return before is None or not before.same_as(after)


def _tells(before: ClusterHealth, after: ClusterHealth) -> bool:
    """Say whether people should read of it: not of every vote."""
    turned = before.summary != after.summary or before.action is not after.action
    return turned or before.stands.standing is not after.stands.standing


def _event(before: ClusterHealth, after: ClusterHealth, now: float) -> Event:
    said = after.summary + (f": {after.detail}" if after.detail else "")
    facts = {
        "before": before.summary,
        "after": after.summary,
        "standing": after.stands.standing.value,
        "action": after.action.value,
        "witnesses": [to_json(each) for each in after.witnesses],
    }
    return Event(f"cluster/{after.cluster}", now, f"{said}; {after.reason}", facts)
