"""Everything that the engine can do in one cluster."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from crossfade.core.application import Application, Router
from crossfade.core.fleet.cluster import Cluster
from crossfade.core.release.report import Address
from crossfade.core.release.revision import Revision
from crossfade.ports.cluster_probe import ClusterProbe
from crossfade.ports.releases import Releases
from crossfade.ports.router import TrafficRouter
from crossfade.ports.traffic_counts import TrafficCounts


@dataclass(frozen=True, slots=True)
class ClusterAccess:
    """The ports of one cluster."""

    probe: ClusterProbe
    releases: Releases
    router: TrafficRouter
    """That of the Gateway API."""
    others: Mapping[Router, TrafficRouter] = field(default_factory=dict)

    def router_of(self, kind: Router) -> TrafficRouter:
        """Return the router of this kind."""
        return self.others.get(kind, self.router)


class Connections(Protocol):
    """Makes the ports of clusters; whoever runs it decides which adapters they are."""

    def cluster(self, cluster: Cluster) -> ClusterAccess:
        """Return the ports of the cluster; cheap, nothing is asked of it yet."""
        ...

    def counts(
        self, application: Application, address: Address, revisions: tuple[Revision, ...]
    ) -> TrafficCounts:
        """Return what reads the gateway's counters of these revisions at the address."""
        ...
