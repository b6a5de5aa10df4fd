"""Drills of a hub, over HTTP: the hub holds them, whoever goes away meanwhile."""

from dataclasses import asdict, dataclass

from crossfade.base.codec import from_json
from crossfade.base.ids import ClusterName
from crossfade.core.failover.drill import Drill
from crossfade.engine.drilling import Order
from crossfade.remote.client import API, Part, segment


@dataclass(frozen=True)
class RemoteDrilling(Part):
    """What is asked of drills."""

    async def begin(self, order: Order) -> Drill:
        """Have the hub begin a drill, and return it."""
        body = {name: value for name, value in asdict(order).items() if name != "cluster"}
        return from_json(Drill, await self.client.post(_path(order.cluster), body))

    async def abort(self, cluster: ClusterName, why: str) -> Drill:
        """End the drill of the cluster."""
        return from_json(Drill, await self.client.post(f"{_path(cluster)}/stop", {"why": why}))

    async def drill(self, number: int) -> Drill:
        """Return the drill of this number."""
        return from_json(Drill, await self.client.get(f"{API}/drills/{number}"))

    async def drills(self) -> tuple[Drill, ...]:
        """Return all drills, the newest first."""
        return await self.client.all(f"{API}/drills", Drill)


def _path(cluster: ClusterName) -> str:
    return f"{API}/fleet/{segment(cluster)}/drill"
