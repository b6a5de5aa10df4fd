"""What follows when a cluster is said to carry more or less, or to cost something else."""

from dataclasses import dataclass, fields

from crossfade.base.json_value import Json
from crossfade.core.fleet.cluster import Cluster
from crossfade.engine.difference import Difference

_TOLD = ("capacity", "usd_per_cpu_hour")


@dataclass(frozen=True, slots=True)
class ClusterChange:
    """What would become of a cluster."""

    name: str
    differences: tuple[Difference, ...]
    remarks: tuple[str, ...]
    """What follows for users."""


def cluster_change(before: Cluster, after: Cluster, rps: float) -> ClusterChange:
    """Return what the change does; `rps` are the requests per second that it answers now."""
    found = []
    for name in _TOLD:
        old: Json = getattr(before, name)
        new: Json = getattr(after, name)
        if old != new:
            found.append(Difference(name, old, new))
    return ClusterChange(after.name, tuple(found), _remarks(before, after, rps))


def changed_words(before: Cluster, after: Cluster) -> str:
    """Return what is no longer the same, as words for the history; "" for nothing."""
    names = [each.name for each in fields(Cluster)]
    found = [each for each in names if getattr(before, each) != getattr(after, each)]
    told = [
        f"{each} {_shown(getattr(before, each))} -> {_shown(getattr(after, each))}"
        if each in _TOLD
        else each
        for each in found
    ]
    return ", ".join(told)


def _remarks(before: Cluster, after: Cluster, rps: float) -> tuple[str, ...]:
    found = []
    if after.capacity != before.capacity:
        if after.capacity is None:
            found.append("nobody says any more what it carries: its share of users has no bound")
        elif rps > after.capacity:
            found.append(
                f"it answers {rps:.0f} requests per second now: users above {after.capacity} go to"
                " other clusters, and are turned away where none has room"
            )
        else:
            found.append(f"it answers {rps:.0f} requests per second now, which it still carries")
    if after.usd_per_cpu_hour != before.usd_per_cpu_hour:
        found.append("no user moves by a price")
    return tuple(found)


def _shown(value: object) -> str:
    return "not said" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
