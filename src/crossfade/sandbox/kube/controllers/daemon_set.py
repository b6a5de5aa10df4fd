"""DaemonSet: one Pod on each Node that it fits."""

from crossfade.sandbox.kube.client import Object
from crossfade.sandbox.kube.controllers.context import Context
from crossfade.sandbox.kube.controllers.deployment import template_hash
from crossfade.sandbox.kube.controllers.informers import key_of
from crossfade.sandbox.kube.controllers.owned_pods import Owner, owned_pods, pod_from
from crossfade.sandbox.kube.controllers.scheduler import accepts
from crossfade.sandbox.kube.controllers.work_queue import Key, WorkQueue
from crossfade.sandbox.kube.kinds import DAEMON_SET, NODE, POD
from crossfade.sandbox.kube.objects import pod_state

REVISION = "controller-revision-hash"
_TOLERATED = ("not-ready", "unreachable", "unschedulable", "disk-pressure", "memory-pressure")


class DaemonSetController:
    """Creates a Pod on each Node and replaces those of an old template, one at a time."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._client = context.client
        self.queue = WorkQueue("daemon-set")
        self._known = context.informers.of(DAEMON_SET).objects
        context.informers.of(DAEMON_SET).listen(
            lambda old, new: self.queue.add(key_of(new or old or {}))
        )
        context.informers.of(NODE).listen(self._node_changed)
        context.watch_owned(POD, DAEMON_SET, self.queue)

    def _node_changed(self, old: Object | None, new: Object | None) -> None:
        for key in self._known:
            self.queue.add(key)

    async def reconcile(self, key: Key) -> float | None:
        """Take the next step of one DaemonSet."""
        found = await self._client.get(DAEMON_SET, *key)
        owner = Owner(DAEMON_SET, found, found["spec"].get("selector"))
        pods = await owned_pods(self._client, owner)
        sample = _pod(found, "")
        nodes = {
            node["metadata"]["name"]
            for node in await self._client.list(NODE)
            if accepts(sample, node)
        }
        if not pod_state.is_terminating(found):
            await self._step(found, pods, nodes)
        await self._report(found, pods, nodes)
        return None

    async def _step(self, found: Object, pods: list[Object], nodes: set[str]) -> None:
        served = set()
        for pod in pods:
            node = pod["spec"].get("nodeName", "")
            wrong = node not in nodes or node in served or pod_state.is_finished(pod)
            served.add(node)
            if wrong and not pod_state.is_terminating(pod):
                await self._delete(pod)
        for node in sorted(nodes - served):
            created = await self._client.create(POD, _pod(found, node))
            message = f"Created pod: {created['metadata']['name']}"
            self._context.events.normal(DAEMON_SET, found, "SuccessfulCreate", message)
        strategy = (found["spec"].get("updateStrategy") or {}).get("type", "RollingUpdate")
        current = template_hash(found["spec"]["template"])
        old = [pod for pod in pods if _revision(pod) != current and pod_state.is_active(pod)]
        everyone_up = all(pod_state.is_active(pod) and pod_state.is_ready(pod) for pod in pods)
        broken = [pod for pod in old if not pod_state.is_ready(pod)]
        if strategy == "RollingUpdate" and (broken or (old and everyone_up and nodes <= served)):
            await self._delete((broken or old)[0])

    async def _delete(self, pod: Object) -> None:
        await self._client.delete(POD, pod["metadata"]["namespace"], pod["metadata"]["name"])

    async def _report(self, found: Object, pods: list[Object], nodes: set[str]) -> None:
        active = [pod for pod in pods if pod_state.is_active(pod)]
        current = template_hash(found["spec"]["template"])
        ready = sum(pod_state.is_ready(pod) for pod in active)
        wanted = len(nodes)
        status = {
            "observedGeneration": found["metadata"].get("generation", 0),
            "currentNumberScheduled": len({pod["spec"].get("nodeName") for pod in active} & nodes),
            "desiredNumberScheduled": wanted,
            "numberAvailable": ready,
            "numberMisscheduled": 0,
            "numberReady": ready,
            "numberUnavailable": max(0, wanted - ready),
            "updatedNumberScheduled": sum(_revision(pod) == current for pod in active),
        }
        if status != found.get("status"):
            await self._client.update(DAEMON_SET, {**found, "status": status}, "status")


def _revision(pod: Object) -> str:
    return str((pod["metadata"].get("labels") or {}).get(REVISION, ""))


def _pod(found: Object, node: str) -> Object:
    pod = pod_from(DAEMON_SET, found, found["spec"]["template"])
    labels = {REVISION: template_hash(found["spec"]["template"])}
    pod["metadata"]["labels"] = {**(pod["metadata"].get("labels") or {}), **labels}
    tolerations = [
        {"key": f"node.kubernetes.io/{name}", "operator": "Exists"} for name in _TOLERATED
    ]
    pod["spec"] = {
        **pod["spec"],
        "nodeName": node,
        "tolerations": [*(pod["spec"].get("tolerations") or ()), *tolerations],
    }
    return pod
