"""Which clusters run an application."""

from crossfade.core.application import Placement
from crossfade.core.fleet.cluster import Cluster


def placed(placement: Placement, cluster: Cluster) -> bool:
    """Return whether the cluster carries every label that the placement asks for."""
    return all(cluster.labels.get(key) == value for key, value in placement.match_labels.items())
