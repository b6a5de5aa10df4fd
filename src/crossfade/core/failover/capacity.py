"""
Does the fleet survive the loss of its largest failure domains?  Pure.

Proven with what runs: ready pods that are paid for, not machines that might be had.  What is
started only after the loss is what everybody else starts at that moment, too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crossfade.base.errors import UnsafePlan
from crossfade.base.ids import ApplicationName, ClusterName

_NAMED = 3
"""So many shortfalls are told in one line; the rest are counted."""


@dataclass(frozen=True, slots=True)
class Room:
    """What a cluster carries, of all applications together."""

    cluster: ClusterName
    cloud: str
    """Its failure domain: clusters of one cloud are lost together."""
    capacity: int


@dataclass(frozen=True, slots=True)
class Need:
    """What one application needs, in the unit of the capacities, and what it has reserved."""

    application: ApplicationName
    demand: int
    reserved: Mapping[ClusterName, int]
    """What its pods carry, by cluster."""
    survive: int = 1
    """So many of its largest clouds may be lost at once."""
    pod_capacity: int = 1
    """What one of its pods carries."""


@dataclass(frozen=True, slots=True)
class Shortfall:
    """An application that would not survive."""

    application: ApplicationName
    lost: tuple[str, ...]
    """The clouds without which it lacks most."""
    demand: int
    left: int
    """What the others carry."""
    pod_capacity: int = 1
    where: tuple[ClusterName, ...] = ()
    """Clusters outside of the clouds that are lost: pods are missing there."""

    @property
    def missing(self) -> int:
        """Capacity to add, outside of the clouds that are lost."""
        return self.demand - self.left

    @property
    def summary(self) -> str:
        """In words, for people."""
        without = f"without {', '.join(self.lost)} " if self.lost else ""
        lacks = f"{self.application} {without}lacks {self.missing} of {self.demand}"
        pods = -(-self.missing // self.pod_capacity)
        if not self.where:
            return f"{lacks}: it runs in no other cloud"
        return f"{lacks}: {pods} pod{'s' * (pods > 1)} more in {' and '.join(self.where)}"


@dataclass(frozen=True, slots=True)
class Crowded:
    """A cluster in which more is reserved than it carries, so that reservations prove nothing."""

    cluster: ClusterName
    reserved: int
    capacity: int

    @property
    def summary(self) -> str:
        """In words, for people."""
        return f"{self.cluster} has {self.reserved} reserved and carries {self.capacity}"


@dataclass(frozen=True, slots=True)
class Admission:
    """What is wrong with a plan; nothing, if it survives."""

    shortfalls: tuple[Shortfall, ...] = ()
    crowded: tuple[Crowded, ...] = ()

    @property
    def survives(self) -> bool:
        """Whether every application survives the loss that it asks to survive."""
        return not self.shortfalls and not self.crowded

    @property
    def told(self) -> tuple[str, ...]:
        """What is wrong, in words."""
        short = tuple(each.summary for each in self.shortfalls)
        return short + tuple(each.summary for each in self.crowded)


def admit(rooms: Sequence[Room], needs: Sequence[Need]) -> Admission:
    """
    Return what the fleet lacks.

    For each application those of its clouds are taken away that carry most of it: no other loss
    of as many is worse, so that looking at this one proves them all.
    """
    cloud_of = {each.cluster: each.cloud for each in rooms}
    reserved = dict.fromkeys(cloud_of, 0)
    shortfalls = []
    for need in needs:
        by_cloud: dict[str, int] = {}
        for cluster, units in need.reserved.items():
            cloud = cloud_of.get(cluster)
            if cloud is not None:
                by_cloud[cloud] = by_cloud.get(cloud, 0) + units
                reserved[cluster] += units
        largest = sorted(by_cloud, key=lambda cloud: (-by_cloud[cloud], cloud))[: need.survive]
        left = sum(by_cloud.values()) - sum(by_cloud[cloud] for cloud in largest)
        if left < need.demand:
            where = tuple(each for each in need.reserved if cloud_of.get(each, "") not in largest)
            where = tuple(each for each in where if each in cloud_of)
            shortfalls.append(
                Shortfall(
                    need.application, tuple(largest), need.demand, left, need.pod_capacity, where
                )
            )
    crowded = tuple(
        Crowded(room.cluster, reserved[room.cluster], room.capacity)
        for room in rooms
        if reserved[room.cluster] > room.capacity
    )
    return Admission(tuple(shortfalls), crowded)


def refuse_unless_survives(admission: Admission, *, force: bool = False) -> None:
    """Raise UnsafePlan that says what is missing; not when a person forces it."""
    if admission.survives or force:
        return
    told = admission.told
    more = f"; and {len(told) - _NAMED} more" if len(told) > _NAMED else ""
    raise UnsafePlan(
        f"the plan does not survive: {'; '.join(told[:_NAMED])}{more}",
        hint="add capacity in other clouds, lower `survive`, or force it with --force",
    )
