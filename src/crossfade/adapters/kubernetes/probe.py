"""Whether a cluster's API server is there and ready, and its nodes."""

from crossfade.adapters.kubernetes.client import KubeApi, Object
from crossfade.base.errors import CrossfadeError, Unavailable
from crossfade.core.fleet.inside import Nodes


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

    async def nodes(self) -> Nodes:
        """Return how many nodes there are, and are ready; see the port for errors."""
        found, _ = await self._api.list("/api/v1/nodes")
        return Nodes(sum(map(_is_ready, found)), len(found))


def _is_ready(node: Object) -> bool:
    conditions = (node.get("status") or {}).get("conditions") or ()
    return any(each.get("type") == "Ready" and each.get("status") == "True" for each in conditions)
