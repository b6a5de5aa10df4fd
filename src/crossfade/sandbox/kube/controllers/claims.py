"""PersistentVolumeClaims are bound at once: the kubelet keeps a folder for each."""

from crossfade.sandbox.kube.client import Object
from crossfade.sandbox.kube.controllers.context import Context
from crossfade.sandbox.kube.controllers.informers import key_of
from crossfade.sandbox.kube.controllers.work_queue import Key, WorkQueue
from crossfade.sandbox.kube.kinds import Kind

CLAIM = Kind("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims")


class ClaimController:
    """Says of each claim that it has what it asks for."""

    def __init__(self, context: Context) -> None:
        self._client = context.client
        self.queue = WorkQueue("claims")
        context.informers.of(CLAIM).listen(self._changed)

    def _changed(self, old: Object | None, new: Object | None) -> None:
        if new is not None:
            self.queue.add(key_of(new))

    async def reconcile(self, key: Key) -> float | None:
        """Bind one claim."""
        claim = await self._client.get(CLAIM, *key)
        if (claim.get("status") or {}).get("phase") == "Bound":
            return None
        spec = claim.get("spec") or {}
        status = {
            "phase": "Bound",
            "accessModes": spec.get("accessModes") or ["ReadWriteOnce"],
            "capacity": (spec.get("resources") or {}).get("requests") or {},
        }
        await self._client.patch(CLAIM, *key, {"status": status}, "status")
        return None
