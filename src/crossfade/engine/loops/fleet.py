"""Probes each cluster of the fleet from here: its API server, and its data plane."""

import asyncio
from dataclasses import dataclass, field, replace

from crossfade.base.clock import Clock
from crossfade.base.errors import CrossfadeError, Unavailable
from crossfade.base.ids import ClusterName
from crossfade.core.failover.drill import cut
from crossfade.core.failover.health import Api, ClusterHealth
from crossfade.core.failover.standing import Standing
from crossfade.core.fleet.cluster import Cluster
from crossfade.core.fleet.nodes import Node, Nodes
from crossfade.core.fleet.nodes import seen as seen_nodes
from crossfade.core.fleet.signals import Sample, Sighting, Streak, Thresholds, see, see_api
from crossfade.core.release.report import Address
from crossfade.engine.records import Records
from crossfade.ports.cluster_access import Connections
from crossfade.ports.gateway_probe import GatewayProbe

PROBE_SECONDS = 1.0
API_SECONDS = 5.0
"""Between two failed probes of an API server that count for its vote."""
API_DEADLINE_SECONDS = 2.0
NODES_SECONDS = 10.0
"""Between two looks at the nodes."""
DARK_NODES_SECONDS = 2.0
"""The same while users are not served there: whether nodes live tells what has failed."""
NODES_VOTE_SECONDS = 35.0
"""For how long what was seen of nodes counts: three looks."""
DATA_PLANE_DEADLINE_SECONDS = 0.8
ASKED_FAILURES = 3
"""Failed probes of an API server in a row until nothing is asked of it any more."""
THRESHOLDS = Thresholds()
_UNSEEN = Sighting()
_UP = Streak()


@dataclass(frozen=True, slots=True)
class Watched:
    """What this hub has seen of one cluster by itself."""

    api: Sighting = _UNSEEN
    asked: Streak = _UP
    """As its vote, and sooner to turn: whether anything can be asked of it."""
    api_detail: str = ""
    api_answered_at: float | None = None
    """When the newest probe was sent that its API server has answered."""
    version: str = ""
    nodes: Nodes | None = None
    """None before they were looked at."""
    data_plane: Sighting | None = None
    """None while nobody knows where its gateway is."""
    data_plane_detail: str = ""

    def nodes_now(self, now: float) -> Nodes | None:
        """Return the nodes, None when they were not seen lately."""
        lately = self.nodes is not None and now - self.nodes.looked_at <= NODES_VOTE_SECONDS
        return self.nodes if lately else None

    def dark(self, health: ClusterHealth | None) -> bool:
        """Say whether users are not served there, or this hub begins to doubt that they are."""
        sight = self.data_plane.streak if self.data_plane is not None else _UP
        doubted = not sight.up or sight.against > 0
        return doubted or (health is not None and health.lost)

    @property
    def reach(self) -> Api:
        """Whether anything can be asked of it."""
        return Api(self.asked.up, self.api_detail)


@dataclass(slots=True)
class Fleet:
    """One cluster at a time, so that one that hangs delays nobody else."""

    records: Records
    connections: Connections
    gateway_probe: GatewayProbe
    clock: Clock
    seen: dict[ClusterName, Watched] = field(default_factory=dict)

    async def keys(self) -> list[str]:
        """Return the names of all clusters."""
        names = [each.value.name for each in await self.records.clusters()]
        for gone in self.seen.keys() - set(names):
            del self.seen[gone]
        return [*names]

    async def reconcile(self, name: str) -> float:
        """Probe the cluster once; return seconds until the next time."""
        stored = await self.records.find_cluster(ClusterName(name))
        if stored is None:
            return PROBE_SECONDS
        cluster = stored.value
        before = self.seen.get(cluster.name) or await self._remembered(cluster.name)
        address = await self._address(cluster.name)
        asked_at = self.clock.now()
        async with asyncio.TaskGroup() as group:
            api = group.create_task(self._probe_api(cluster))
            data_plane = group.create_task(self._probe_data_plane(cluster.name, address))
            nodes = group.create_task(self._look_at_nodes(cluster, before, asked_at))
        now = self.clock.now()
        after = _data_plane(before, data_plane.result(), now)
        if (found := nodes.result()) is not None:
            after = replace(after, nodes=found)
        version, trouble = api.result()
        if not trouble:
            after = replace(after, api_answered_at=asked_at)
        self.seen[cluster.name] = _api(after, version, trouble, now)
        return PROBE_SECONDS

    async def _remembered(self, name: ClusterName) -> Watched:
        """Return what a hub before this one had found: one that was down must be seen up again."""
        stored = await self.records.find_health(name)
        health = stored.value if stored else ClusterHealth(name)
        up = health.answered and health.stands.standing is not Standing.OUT
        return Watched(
            api=Sighting(streak=Streak(up=health.api.up)),
            asked=Streak(up=health.api.up),
            version=health.version,
            data_plane=Sighting(streak=Streak(up=up)),
        )

    async def _address(self, name: ClusterName) -> Address | None:
        for stored in await self.records.reports():
            if stored.value.cluster == name and stored.value.address is not None:
                return stored.value.address
        return None

    async def _probe_api(self, cluster: Cluster) -> tuple[str, str]:
        """Return the version, and what is wrong ("" when nothing is)."""
        try:
            async with asyncio.timeout(API_DEADLINE_SECONDS):
                return await self.connections.cluster(cluster).probe.api(), ""
        except TimeoutError:
            return "", f"no answer in {API_DEADLINE_SECONDS:g} s"
        except Unavailable as error:
            facts = [f"{key}={value}" for key, value in error.facts.items() if key != "cluster"]
            return "", f"{error.what} ({', '.join(facts)})" if facts else error.what

    async def _look_at_nodes(self, cluster: Cluster, before: Watched, now: float) -> Nodes | None:
        """Return what is known of the nodes now, None when nothing is new."""
        stored = await self.records.find_health(cluster.name)
        dark = before.dark(stored.value if stored else None)
        pause = DARK_NODES_SECONDS if dark else NODES_SECONDS
        soon = before.nodes is not None and now - before.nodes.looked_at < pause
        if soon or not before.asked.up:
            return None
        found = await self._probe_nodes(cluster)
        return None if found is None else seen_nodes(before.nodes, found, now, dark=dark)

    async def _probe_nodes(self, cluster: Cluster) -> tuple[Node, ...] | None:
        """Return the nodes, none where they may not be seen; None when there is no answer."""
        try:
            async with asyncio.timeout(API_DEADLINE_SECONDS):
                return await self.connections.cluster(cluster).probe.nodes()
        except (TimeoutError, Unavailable):  # the API's own probe tells of it
            return None
        except CrossfadeError:
            return ()

    async def _probe_data_plane(self, name: ClusterName, address: Address | None) -> str | None:
        """Return what is wrong ("" when nothing is), None when no address is known."""
        if address is None:
            return None
        drill = await self.records.active_drill()
        if drill is not None and cut(drill.value, name):  # as every edge, this one gets nowhere
            return f"cut off for drill {drill.value.number}"
        try:
            async with asyncio.timeout(DATA_PLANE_DEADLINE_SECONDS):
                await self.gateway_probe.answers(address.host, address.port)
        except TimeoutError:
            return f"no answer in {DATA_PLANE_DEADLINE_SECONDS:g} s"
        except Unavailable as error:
            return str(error)
        return ""


def _data_plane(before: Watched, trouble: str | None, now: float) -> Watched:
    if trouble is None:
        return before
    seen = before.data_plane or Sighting()
    after = see(seen, Sample(probe=not trouble), now, THRESHOLDS)
    return replace(before, data_plane=after, data_plane_detail=trouble)


def _api(before: Watched, version: str, trouble: str, now: float) -> Watched:
    """
    Return what is known after one more probe of the API server.

    It is asked often, so that rollouts soon hold; that users leave takes more than a few seconds.
    """
    good, heard = not trouble, before.api.heard_at
    counts = good or heard is None or now - heard >= API_SECONDS
    api = see_api(before.api, good=good, now=now, limits=THRESHOLDS) if counts else before.api
    return replace(
        before,
        api=api,
        asked=before.asked.after(
            good=good, failures=ASKED_FAILURES, successes=THRESHOLDS.successes
        ),
        api_detail=trouble,
        version=version or before.version,
    )
