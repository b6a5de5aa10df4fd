"""Which clusters of a rollout go together, and when the next ones begin.  Pure."""

from collections.abc import Mapping, Sequence

from crossfade.base.ids import ClusterName
from crossfade.core.fleet.cluster import Cluster
from crossfade.core.release.report import Cause
from crossfade.core.rollout.spec import Unreachable, Wave
from crossfade.core.rollout.state import (
    ClusterPhase,
    ClusterSight,
    Progress,
    Rollout,
    Sight,
    State,
)

_RUNS = frozenset({ClusterPhase.STEPPING, ClusterPhase.DONE})
_NOT_ITS_FAULT = frozenset({Cause.RESOURCES, Cause.NODE})


def wave_of(waves: Sequence[Wave], cluster: Cluster) -> int:
    """Return the index of the first wave that the cluster belongs to; after the last for none."""
    for index, wave in enumerate(waves):
        labelled = wave.match_labels and wave.match_labels.items() <= cluster.labels.items()
        if cluster.name in wave.clusters or labelled:
            return index
    return len(waves)


def members(
    waves: Sequence[Wave], clusters: Sequence[Cluster]
) -> tuple[tuple[ClusterName, ...], ...]:
    """Return the clusters of each wave; one more at the end for those that are in none."""
    found: list[list[ClusterName]] = [[] for _ in range(len(waves) + 1)]
    for each in clusters:
        found[wave_of(waves, each)].append(each.name)
    return tuple(tuple(each) for each in found)


def counted(rollout: Rollout, sight: Sight) -> list[ClusterSight]:
    """Return the clusters that must follow before the next step; never those rolled back alone."""
    states = rollout.state.clusters
    skip = rollout.strategy.unreachable is Unreachable.SKIP
    return [
        each
        for each in sight.clusters
        if states[each.cluster].phase is not ClusterPhase.BACK
        and not states[each.cluster].late
        and (each.reachable or not skip)
    ]


def in_wave(clusters: Sequence[ClusterSight], wave: int) -> list[ClusterSight]:
    """Return the clusters of this wave and of those before it."""
    return [each for each in clusters if each.wave <= wave]


def next_wave(sight: Sight, state: State) -> int | None:
    """Return the wave that follows, None after the last one."""
    later = [each.wave for each in sight.clusters if each.wave > state.wave]
    return min(later, default=None)


def may_begin(
    cluster: ClusterSight,
    wave: Sequence[ClusterSight],
    states: Mapping[ClusterName, Progress],
) -> bool:
    """
    Say whether the new revision may be installed in the cluster now.

    One cluster goes first, so that what is wrong with the revision itself stops there; a cluster
    that only lacks room, or a node, keeps nobody waiting.
    """
    if any(each.phase in _RUNS for each in states.values()):
        return True
    first = next((each for each in wave if each.reachable), wave[0])
    return cluster is first or first.cause in _NOT_ITS_FAULT
