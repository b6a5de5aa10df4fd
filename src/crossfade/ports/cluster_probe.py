"""Is a cluster's API server there, and what does it say of its nodes?"""

from typing import Protocol

from crossfade.core.fleet.inside import Nodes


class ClusterProbe(Protocol):
    """Every implementation passes tests/contract/test_cluster_probe.py."""

    async def api(self) -> str:
        """
        Return the version of the Kubernetes API server, for example `v1.32.0`.

        Raises Denied when the credentials are refused or have expired, Unavailable when
        it does not answer or says that it is not ready.
        """
        ...

    async def nodes(self) -> Nodes:
        """Return how many nodes there are, and are ready.  Raises Denied, Unavailable."""
        ...
