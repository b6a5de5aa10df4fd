"""Watches the health of the fleet: the API server and the data plane of each cluster."""

import asyncio
from dataclasses import dataclass, field, replace

from crossfade.base.clock import Clock
from crossfade.base.errors import Unavailable
from crossfade.base.ids import ClusterName
from crossfade.core.fleet.cluster import Cluster
from crossfade.core.fleet.health import ClusterHealth, Signal, observe, update
from crossfade.core.release.report import Address
from crossfade.engine.records import Records, save_health
from crossfade.ports.cluster_access import Connections
from crossfade.ports.documents import Event
from crossfade.ports.gateway_probe import GatewayProbe

PROBE_SECONDS = 1.0
API_DEADLINE_SECONDS = 2.0
DATA_PLANE_DEADLINE_SECONDS = 0.8


@dataclass(slots=True)
class Fleet:
    """One cluster at a time: probe it, smooth the answers, save when something has turned."""

    records: Records
    connections: Connections
    gateway_probe: GatewayProbe
    clock: Clock
    _health: dict[ClusterName, ClusterHealth] = field(default_factory=dict)

    async def keys(self) -> list[str]:
        """Return the names of all clusters."""
        return [each.value.name for each in await self.records.clusters()]

    async def reconcile(self, name: str) -> float:
        """Probe the cluster once; return seconds until the next time."""
        stored = await self.records.find_cluster(ClusterName(name))
        if stored is None:
            return PROBE_SECONDS
        cluster = stored.value
        saved = await self.records.find_health(cluster.name)
        before = saved.value if saved else ClusterHealth(cluster.name)
        smooth = self._health.get(cluster.name, before)
        address = await self._address(cluster.name)
        async with asyncio.TaskGroup() as group:
            api = group.create_task(self._probe_api(cluster))
            data_plane = group.create_task(self._probe_data_plane(address))
        now = self.clock.now()
        version, api_trouble = api.result()
        api_signal = observe(smooth.api, good=not api_trouble, detail=api_trouble, now=now)
        data_signal = self._data_plane_signal(smooth, api_signal, data_plane.result(), now)
        health = update(smooth, api_signal, data_signal, now)
        health = replace(health, version=version or health.version)
        self._health[cluster.name] = health
        if saved is None or _worth_saving(before, health):
            await self._save(saved.version if saved else 0, before, health, now)
        return PROBE_SECONDS

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

    async def _probe_data_plane(self, address: Address | None) -> str | None:
        """Return what is wrong ("" when nothing is), None when no address is known."""
        if address is None:
            return None
        try:
            async with asyncio.timeout(DATA_PLANE_DEADLINE_SECONDS):
                await self.gateway_probe.answers(address.host, address.port)
        except TimeoutError:
            return f"no answer in {DATA_PLANE_DEADLINE_SECONDS:g} s"
        except Unavailable as error:
            return str(error)
        return ""

    def _data_plane_signal(
        self, smooth: ClusterHealth, api: Signal, trouble: str | None, now: float
    ) -> Signal:
        """A data plane of which nothing is known is taken to share the API server's fate."""
        if trouble is None:
            return api
        return observe(smooth.data_plane, good=not trouble, detail=trouble, now=now)

    async def _save(
        self, version: int, before: ClusterHealth, after: ClusterHealth, now: float
    ) -> None:
        events: tuple[Event, ...] = ()
        if before.summary != after.summary:
            detail = after.api.detail or after.data_plane.detail
            reason = after.summary + (f": {detail}" if detail else "")
            facts = {"before": before.summary, "after": after.summary}
            events = (Event(f"cluster/{after.cluster}", now, reason, facts),)
        await self.records.commit(save_health(version, after), events=events)


def _worth_saving(before: ClusterHealth, after: ClusterHealth) -> bool:
    """Streaks move with each failure and are kept in memory; only turns are saved."""
    return (
        before.summary != after.summary
        or before.version != after.version
        or before.back_at != after.back_at
        or before.api.up != after.api.up
        or before.data_plane.up != after.data_plane.up
    )
