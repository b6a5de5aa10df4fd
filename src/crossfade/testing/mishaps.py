"""What can go wrong in a world, and what people may ask for meanwhile."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType

from crossfade.base.ids import ClusterName, RevisionId
from crossfade.testing.engine_world import EngineWorld
from crossfade.testing.fake_cluster import FakeCluster

REQUESTS_PER_SECOND = 100


class Mishap(StrEnum):
    """What happens to a cluster, or to whoever has to do with it, at one moment of a story."""

    LOSE = "is lost"
    CUT = "loses its API server"
    DARK = "loses its gateway"
    BACK = "is back"
    LATE = "takes no new routes"
    STUCK = "counts users late"
    BREAK = "has no ready pod of the new revision"
    QUIET = "has no users, as all others have none"
    BLIND = "is not reached by an edge"
    DEAF = "sees an edge cut off from the hub"
    HEARD = "sees every edge reach everybody again"
    KILL = "sees the hub killed"
    REPLACE = "sees another hub take over while the old one goes on"
    PAUSE = "sees a person pause the rollout"
    RESUME = "sees a person resume the rollout"
    ABORT = "sees a person abort the rollout"
    DRAIN = "is drained by a person"
    RESTORE = "is restored by a person"


BY_PERSON = frozenset({Mishap.PAUSE, Mishap.RESUME, Mishap.ABORT, Mishap.DRAIN, Mishap.RESTORE})
USUAL = (
    *Mishap,
    Mishap.LOSE,
    Mishap.BACK,
    Mishap.BACK,
    Mishap.HEARD,
    Mishap.RESUME,
    Mishap.RESTORE,
    Mishap.KILL,
)
"""Some happen more often than others, so that stories get somewhere."""


def _lose(cluster: FakeCluster) -> None:
    cluster.faults.unreachable = cluster.faults.gateway_down = True


def _cut(cluster: FakeCluster) -> None:
    cluster.faults.unreachable = True


def _dark(cluster: FakeCluster) -> None:
    cluster.faults.gateway_down = True


def _late(cluster: FakeCluster) -> None:
    cluster.routes_follow = False


def _stuck(cluster: FakeCluster) -> None:
    cluster.hold_counters()


def back(cluster: FakeCluster) -> None:
    """Let all be well with the cluster again."""
    cluster.faults.unreachable = cluster.faults.gateway_down = False
    cluster.routes_follow = True
    cluster.follow_route()
    cluster.release_counters()


_CLUSTER: Mapping[Mishap, Callable[[FakeCluster], None]] = MappingProxyType(
    {
        Mishap.LOSE: _lose,
        Mishap.CUT: _cut,
        Mishap.DARK: _dark,
        Mishap.LATE: _late,
        Mishap.STUCK: _stuck,
        Mishap.BACK: back,
    }
)


def befall(
    world: EngineWorld, mishap: Mishap, name: ClusterName, edge: str, canary: RevisionId
) -> None:
    """Let it happen to the world; what people and hubs do is none of this."""
    cluster = world.clusters[name]
    if mishap in _CLUSTER:
        _CLUSTER[mishap](cluster)
    match mishap:
        case Mishap.QUIET:
            world.requests_per_second = 0
        case Mishap.BACK:
            world.requests_per_second = REQUESTS_PER_SECOND
        case Mishap.BREAK:
            cluster.stop_pods(canary)
        case Mishap.BLIND:
            world.blind.add((edge, name))
        case Mishap.DEAF:
            world.deaf.add(edge)
        case Mishap.HEARD:
            heal_edges(world)
        case _:
            pass


def heal_edges(world: EngineWorld) -> None:
    """Let every edge hear the hub, and reach every cluster."""
    world.deaf.clear()
    world.blind.clear()
