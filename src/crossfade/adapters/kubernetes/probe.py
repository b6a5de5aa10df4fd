"""Whether a cluster's API server is there and ready."""

from crossfade.adapters.kubernetes.client import KubeApi
from crossfade.base.errors import CrossfadeError, Unavailable


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
