"""Whether an application would survive the losses that it is to survive, before it is changed."""

from dataclasses import dataclass, field

from crossfade.base.ids import ClusterName
from crossfade.core.failover.capacity import Admission, Need, Room, admit
from crossfade.core.failover.standby import at_rest
from crossfade.core.fleet.placement import placed
from crossfade.core.release import sizing
from crossfade.core.rollout.record import Record
from crossfade.engine.records import Records

_UNLIMITED = 1_000_000_000_000
"""What a cluster carries of which nobody has said it."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """What was found of one application."""

    survive: int
    """Clouds that it is to survive the loss of."""
    admission: Admission = field(default_factory=Admission)
    demand: int | None = None
    """Requests per second that must be served."""
    unknown: str = ""
    """Why it cannot be told; "" when it can, or when nothing is to be survived."""

    @property
    def summary(self) -> str:
        """In words, for people; "" when nothing is to be survived."""
        if not self.survive:
            return ""
        clouds = "cloud" if self.survive == 1 else f"{self.survive} clouds"
        if self.unknown:
            return f"not known whether it survives the loss of its largest {clouds}: {self.unknown}"
        if self.admission.survives:
            return f"survives the loss of its largest {clouds} with {self.demand} requests a second"
        return f"would not survive: {'; '.join(self.admission.told)}"


@dataclass(frozen=True, slots=True)
class Admissions:
    """Asks the store; pods count that the application's chart runs, and no others."""

    records: Records

    async def look(self, record: Record, pods: int | None = None) -> Admitted:
        """
        Return whether the application survives.

        Args:
            record: the application, as it would be.
            pods: what each cluster would run of it; None: what each runs now.
        """
        spec = record.spec
        survive, each_pod = spec.strategy.survive, spec.placement.pod_capacity
        if not survive or spec.route is None:
            return Admitted(0)
        if each_pod is None:
            why = "`placement.podCapacity` does not say what a pod carries"
            return Admitted(survive, unknown=why)
        demand = spec.placement.demand or await self._counted(record)
        if demand is None:
            why = "no edge has counted users yet, and `placement.demand` does not say how many"
            return Admitted(survive, unknown=why)
        mine = Need(spec.name, demand, await self._reserved(record, pods), survive, each_pod)
        if not any(mine.reserved.values()) and pods is None:
            return Admitted(survive, demand=demand, unknown="nothing runs yet")
        rooms = [
            Room(each.value.name, each.value.cloud, each.value.capacity or _UNLIMITED)
            for each in await self.records.clusters()
        ]
        found = admit(rooms, [mine, *await self._others(record)])
        crowded = tuple(each for each in found.crowded if mine.reserved.get(each.cluster))
        return Admitted(survive, Admission(found.shortfalls, crowded), demand)

    async def _counted(self, record: Record) -> int | None:
        users = await self.records.find_users(record.spec.name)
        return users.value.demand if users else None

    async def _others(self, record: Record) -> list[Need]:
        """Return what other applications have reserved; what they lack is not asked here."""
        return [
            Need(each.value.spec.name, 0, await self._reserved(each.value, None), 0)
            for each in await self.records.applications()
            if each.value.spec.name != record.spec.name and each.value.spec.placement.pod_capacity
        ]

    async def _reserved(self, record: Record, pods: int | None) -> dict[ClusterName, int]:
        """Return the requests per second that pods carry in each cluster of the application."""
        placement, found = record.spec.placement, {}
        running = {
            each.value.cluster: each.value
            for each in await self.records.reports()
            if each.value.application == record.spec.name
        }
        for stored in await self.records.clusters():
            name = stored.value.name
            if not placed(placement, stored.value):
                continue
            own = pods
            if own is None:
                active = record.active.id if record.active else None
                known = running.get(name) if active else None
                own = known.of(active).chart_pods if known and active else 0
            size = sizing.pods(own, at_rest(placement, name))
            found[name] = size * (placement.pod_capacity or 0)
        return found
