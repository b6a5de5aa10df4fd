"""Whether a cluster's API server is there and ready, and its nodes with their signs of life."""

from crossfade.adapters.kubernetes.client import KubeApi, Object
from crossfade.adapters.kubernetes.node_faults import is_lost
from crossfade.base.errors import CrossfadeError, Denied, NotFound, Unavailable
from crossfade.core.fleet.nodes import Node
from crossfade.core.release.kinds import mapping, name_of

_LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"


class LightkubeProbe:
    """The ClusterProbe port."""

    def __init__(self, api: KubeApi) -> None:
        self._api = api
        self._version = ""

    async def api(self) -> str:
        """Return the version of the API server, for example `v1.32.0`; see the port for errors."""
        try:
            ready = await self._api.text("/readyz")
            if not self._version:
                # The other pages are open to everybody: this one needs credentials that are good.
                await self._api.get("/api")
        except CrossfadeError:
            self._version = ""  # it may come back as another one
            raise
        if ready.strip() != "ok":
            raise Unavailable(
                f"the API server is not ready: {ready.strip()[:300]}",
                hint="wait for it; Crossfade asks again by itself",
                cluster=self._api.cluster.name,
            )
        if not self._version:
            self._version = str((await self._api.get("/version")).get("gitVersion", "unknown"))
        return self._version

    async def nodes(self) -> tuple[Node, ...]:
        """Return the nodes, each with what its lease was last renewed with; see the port."""
        found, _ = await self._api.list("/api/v1/nodes")
        signs = await self._signs() if found else {}
        return tuple(
            Node(name_of(each), not is_lost(each), signs.get(name_of(each), "")) for each in found
        )

    async def _signs(self) -> dict[str, str]:
        """Return what changes with each sign of life of a node; nothing where it is forbidden."""
        try:
            leases, _ = await self._api.list(_LEASES)
        except (Denied, NotFound):
            return {}
        return {name_of(each): _renewed(each) for each in leases}


def _renewed(lease: Object) -> str:
    return str(mapping(lease.get("spec")).get("renewTime") or "")
