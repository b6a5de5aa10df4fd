"""Whether a cluster's API server is there and ready."""

from crossfade.adapters.kubernetes.client import KubeApi
from crossfade.base.errors import NotFound, Unavailable


class LightkubeProbe:
    """The ClusterProbe port."""

    def __init__(self, api: KubeApi) -> None:
        self._api = api

    async def api(self) -> str:
        """Return the version of the API server, for example `v1.32.0`; see the port for errors."""
        try:
            ready = await self._api.text("/readyz")
        except NotFound:  # an API server behind something that shows only the API itself
            ready = "ok"
        if ready.strip() != "ok":
            raise Unavailable(
                f"the API server is not ready: {ready.strip()[:300]}",
                hint="wait for it; Crossfade asks again by itself",
                cluster=self._api.cluster.name,
            )
        version = (await self._api.get("/version")).get("gitVersion")
        if not isinstance(version, str):
            raise Unavailable(
                "what answers does not say that it is a Kubernetes API server",
                hint="check `server` in the kubeconfig",
                cluster=self._api.cluster.name,
            )
        return version
