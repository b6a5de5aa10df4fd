"""Nodes that give no sign of life: their Pods stop counting as ready, later they are replaced."""

from crossfade.sandbox.kube.client import ApiError, Object
from crossfade.sandbox.kube.controllers.context import Context
from crossfade.sandbox.kube.controllers.informers import key_of
from crossfade.sandbox.kube.controllers.work_queue import Key, WorkQueue
from crossfade.sandbox.kube.kinds import LEASE, NODE, POD
from crossfade.sandbox.kube.objects import pod_state
from crossfade.sandbox.kube.objects.conditions import Condition, find, merged
from crossfade.sandbox.kube.objects.timestamps import seconds_of, stamp

LEASES = "kube-node-lease"
UNREACHABLE = "node.kubernetes.io/unreachable"
_TOLERATION_SECONDS = 300.0
_SECOND_LOOK = 3.0


class NodeController:
    """Watches the leases of Nodes."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._client = context.client
        self.queue = WorkQueue("nodes")
        self._suspected: set[str] = set()
        context.informers.of(NODE).listen(
            lambda old, new: self.queue.add(("", key_of(new or old or {})[1]))
        )

    async def reconcile(self, key: Key) -> float | None:
        """Judge one Node by its lease."""
        name = key[1]
        node = await self._client.get(NODE, None, name)
        left = await self._seconds_left(name)
        if left is None:
            return None  # never gave a sign of life: not one of our kubelets
        if left > 0:
            self._suspected.discard(name)
            await self._untaint(node)
            return left + 0.05
        if name not in self._suspected:
            # After a pause of this whole process every lease looks old: give a second chance.
            self._suspected.add(name)
            return _SECOND_LOOK
        await self._give_up(node)
        return _SECOND_LOOK

    async def _seconds_left(self, name: str) -> float | None:
        try:
            lease = await self._client.get(LEASE, LEASES, name)
        except ApiError as error:
            if error.code == 404:
                return None
            raise
        renewed = seconds_of(lease["spec"].get("renewTime"))
        duration = float(lease["spec"].get("leaseDurationSeconds") or 40)
        return renewed + duration - self._context.clock.now()

    async def _untaint(self, node: Object) -> None:
        taints = (node.get("spec") or {}).get("taints") or []
        kept = [taint for taint in taints if taint.get("key") != UNREACHABLE]
        if kept != taints:
            merge = {"spec": {"taints": kept}}
            await self._client.patch(NODE, None, node["metadata"]["name"], merge)

    async def _give_up(self, node: Object) -> None:
        name, now = node["metadata"]["name"], self._context.clock.now()
        ready = find(node, "Ready")
        if ready is None or ready.get("status") != "Unknown":
            text = "Kubelet stopped posting node status."
            unknown = Condition("Ready", None, "NodeStatusUnknown", text)
            conditions = merged(node["status"].get("conditions") or (), [unknown], now)
            merge = {"status": {"conditions": conditions}}
            await self._client.patch(NODE, None, name, merge, "status")
            taints = [
                *((node.get("spec") or {}).get("taints") or ()),
                *(
                    {"key": UNREACHABLE, "effect": effect, "timeAdded": stamp(now)}
                    for effect in ("NoSchedule", "NoExecute")
                ),
            ]
            await self._client.patch(NODE, None, name, {"spec": {"taints": taints}})
            message = f"Node {name} status is now: NodeNotReady"
            self._context.events.normal(NODE, node, "NodeNotReady", message)
        since = seconds_of(ready.get("lastTransitionTime")) if ready else now
        silent = now - since if ready and ready.get("status") == "Unknown" else 0.0
        for pod in await self._client.list(POD, None, "", f"spec.nodeName={name}"):
            await self._abandon(pod, silent)

    async def _abandon(self, pod: Object, silent_seconds: float) -> None:
        meta, now = pod["metadata"], self._context.clock.now()
        if pod_state.is_ready(pod):
            gone = Condition("Ready", False, "NodeNotReady", "")
            conditions = merged(pod["status"].get("conditions") or (), [gone], now)
            merge = {"status": {"conditions": conditions}}
            await self._client.patch(POD, meta["namespace"], meta["name"], merge, "status")
        patience = _patience(pod)
        if patience is not None and silent_seconds >= patience and pod_state.is_active(pod):
            message = f"Marking for deletion Pod {meta['namespace']}/{meta['name']}"
            self._context.events.normal(POD, pod, "TaintManagerEviction", message)
            text = "Taint manager: deleting due to NoExecute taint"
            told = Condition("DisruptionTarget", True, "DeletionByTaintManager", text)
            conditions = merged(pod["status"].get("conditions") or (), [told], now)
            merge = {"status": {"conditions": conditions}}
            await self._client.patch(POD, meta["namespace"], meta["name"], merge, "status")
            await self._client.delete(POD, meta["namespace"], meta["name"])


def _patience(pod: Object) -> float | None:
    """Return how long the Pod stays on a silent Node, in seconds; None: for ever."""
    for toleration in pod["spec"].get("tolerations") or ():
        if toleration.get("key") in (None, "", UNREACHABLE):
            seconds = toleration.get("tolerationSeconds")
            return None if seconds is None else float(seconds)
    return _TOLERATION_SECONDS
