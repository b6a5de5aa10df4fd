"""Is a cluster's API server there, and what does it say of its nodes?"""

from typing import Protocol

from crossfade.core.fleet.nodes import Node


class ClusterProbe(Protocol):
    """Every implementation passes tests/contract/test_cluster_probe.py."""

    async def api(self) -> str:
        """
        Return the version of the Kubernetes API server, for example `v1.32.0`.

        Raises Denied when the credentials are refused or have expired, Unavailable when
        it does not answer or says that it is not ready.
        """
        ...

    async def nodes(self) -> tuple[Node, ...]:
        """
        Return the nodes; without signs of life where these may not be read.

        Raises Denied when nodes may not be seen, Unavailable when it does not answer.
        """
        ...
