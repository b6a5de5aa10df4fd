"""Is a cluster's API server there?"""

from typing import Protocol


class ClusterProbe(Protocol):
    """Every implementation passes tests/contract/test_cluster_probe.py."""

    async def api(self) -> str:
        """
        Return the version of the Kubernetes API server, for example `v1.32.0`.

        Raises Denied when the credentials are refused or have expired, Unavailable when
        it does not answer or says that it is not ready.
        """
        ...
