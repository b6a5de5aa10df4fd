"""Users of several applications on the same clusters: who is sent more than can be carried."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from crossfade.base.ids import ApplicationName, ClusterName
from crossfade.core.failover.users import Users
from crossfade.core.traffic.destinations import PARTS

_CHANCE = 1.03
"""Users are counted, and so known as exactly as chance allows."""
_IN_VAIN = 0.1
"""Up to this part of users are turned away in vain, for counts are steadied and shares rounded."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """The users of one application, and where they should be."""

    application: ApplicationName
    priority: int
    users: Users
    demand: int
    """Requests per second of all of them."""

    @property
    def served(self) -> float:
        """Return the requests per second that are not turned away."""
        return self.demand * (PARTS - self.users.shed) / PARTS

    def asked(self, down: frozenset[ClusterName]) -> Iterator[tuple[ClusterName, float]]:
        """
        Return what is asked of each cluster while these are down.

        Edges leave dead clusters by themselves, and send those users to the others.
        """
        alive = [name for name in self.users.parts if name not in down]
        placed = max(sum(self.users.share(name) for name in alive), 1)
        for name in alive:
            yield name, self.served * self.users.share(name) / placed


def capacity_broken(
    capacities: Mapping[ClusterName, int], crowds: Sequence[Crowd], down: frozenset[ClusterName]
) -> str:
    """Return which cluster is sent more than it carries while these are down, "" if none is."""
    for name, asked in _sums(crowds, down).items():
        if asked > capacities[name] * _CHANCE:
            return f"{name} was sent {asked:g} a second, and carries {capacities[name]}"
    return ""


def in_vain(
    capacities: Mapping[ClusterName, int], crowds: Sequence[Crowd], down: frozenset[ClusterName]
) -> str:
    """Return whose users are turned away whom others could carry, or less important ones leave."""
    for crowd in crowds:
        before = [each for each in crowds if each.priority >= crowd.priority]
        taken, spare = _sums(before, down), 0.0
        for name, reason in crowd.users.reasons.items():
            serves = reason == "" or (crowd.users.share(name) and "drained" not in reason)
            if serves and name not in down:
                spare += max(0.0, capacities[name] - taken.get(name, 0.0))
        vain = min(spare, crowd.demand - crowd.served)
        if vain > crowd.demand * _IN_VAIN:
            return f"{vain:g} a second of {crowd.application} are turned away for nothing"
    return ""


def full(
    capacity: int,
    crowds: Sequence[Crowd],
    name: ClusterName,
    down: frozenset[ClusterName] = frozenset(),
) -> bool:
    """Say whether these users leave no room on a cluster for less important ones."""
    # As many as may come have their room, as long as nobody is turned away for them.
    most = [replace(each, demand=max(each.demand, each.users.demand or 0)) for each in crowds]
    # A plan made while a cluster is down may turn away whom it has room for there.
    planned = sum(each.demand * each.users.share(name) for each in most) / PARTS
    return max(planned, _sums(most, down).get(name, 0.0)) >= capacity * (1 - _IN_VAIN)


def _sums(crowds: Sequence[Crowd], down: frozenset[ClusterName]) -> dict[ClusterName, float]:
    sums: dict[ClusterName, float] = {}
    for crowd in crowds:
        for name, asked in crowd.asked(down):
            sums[name] = sums.get(name, 0.0) + asked
    return sums
