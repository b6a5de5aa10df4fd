"""Binds Pods to Nodes that have room for them and that they tolerate."""

import contextlib
from collections import Counter
from collections.abc import Iterable
from typing import Any

from crossfade.base.quantities import add, thousandths
from crossfade.sandbox.kube import selectors
from crossfade.sandbox.kube.client import ApiError, Object
from crossfade.sandbox.kube.controllers.context import Context
from crossfade.sandbox.kube.controllers.informers import key_of
from crossfade.sandbox.kube.controllers.work_queue import Key, WorkQueue
from crossfade.sandbox.kube.kinds import NODE, POD
from crossfade.sandbox.kube.objects import conditions, pod_state
from crossfade.sandbox.kube.objects.events import EventRecorder

NAME = "default-scheduler"


class Scheduler:
    """Gives each waiting Pod the fitting Node with the most room left."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._client = context.client
        self.events = EventRecorder(context.client, context.clock, NAME)
        self.queue = WorkQueue("scheduler")
        self._waiting: set[Key] = set()
        context.informers.of(POD).listen(self._pod_changed)
        context.informers.of(NODE).listen(lambda old, new: self._retry_waiting())

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        if new is not None and _is_ours(new):
            if old is None or old["spec"] != new["spec"]:
                self.queue.add(key_of(new))
            return
        key = key_of(new or old or {})
        self._waiting.discard(key)
        was_using = old is not None and not pod_state.is_finished(old)
        if was_using and (new is None or pod_state.is_finished(new)):
            self._retry_waiting()

    def _retry_waiting(self) -> None:
        for key in self._waiting:
            self.queue.add(key)

    async def reconcile(self, key: Key) -> float | None:
        """Bind one Pod, or say why that is not possible."""
        try:
            pod = await self._client.get(POD, *key)
        except ApiError as error:
            self._waiting.discard(key)
            if error.code == 404:
                return None
            raise
        if not _is_ours(pod):
            self._waiting.discard(key)
            return None
        nodes = await self._client.list(NODE)
        placed = [other for other in await self._client.list(POD) if _uses_room(other)]
        obstacles: Counter[str] = Counter()
        fitting = []
        for node in nodes:
            problems = obstacles_of(pod, node, placed)
            obstacles.update(problems)
            if not problems:
                fitting.append(node)
        if fitting:
            self._waiting.discard(key)
            await self._bind(pod, max(fitting, key=lambda node: _room_left(node, placed)))
            return None
        self._waiting.add(key)
        await self._refuse(pod, len(nodes), obstacles)
        return None

    async def _bind(self, pod: Object, node: Object) -> None:
        meta, name = pod["metadata"], node["metadata"]["name"]
        merge = {
            "metadata": {"resourceVersion": meta["resourceVersion"]},
            "spec": {"nodeName": name},
        }
        bound = await self._client.patch(POD, meta["namespace"], meta["name"], merge)
        scheduled = conditions.Condition("PodScheduled", True)
        with contextlib.suppress(ApiError):  # the kubelet, quicker than we are, says it too
            await self._condition(bound, scheduled)
        message = f"Successfully assigned {meta['namespace']}/{meta['name']} to {name}"
        self.events.normal(POD, pod, "Scheduled", message)

    async def _refuse(self, pod: Object, nodes: int, obstacles: Counter[str]) -> None:
        why = ", ".join(f"{count} {text}" for text, count in sorted(obstacles.items()))
        message = (
            f"0/{nodes} nodes are available: {why}."
            if nodes
            else "no nodes available to schedule pods"
        )
        before = conditions.find(pod, "PodScheduled")
        if before is None or before.get("message") != message:
            refused = conditions.Condition("PodScheduled", False, "Unschedulable", message)
            await self._condition(pod, refused)
            self.events.warning(POD, pod, "FailedScheduling", message)

    async def _condition(self, pod: Object, condition: conditions.Condition) -> None:
        meta = pod["metadata"]
        old = pod.get("status", {}).get("conditions") or ()
        wanted = conditions.merged(old, [condition], self._context.clock.now())
        merge = {
            "metadata": {"resourceVersion": meta["resourceVersion"]},
            "status": {"conditions": wanted},
        }
        await self._client.patch(POD, meta["namespace"], meta["name"], merge, "status")


def _is_ours(pod: Object) -> bool:
    spec = pod["spec"]
    return (
        not spec.get("nodeName")
        and spec.get("schedulerName", NAME) == NAME
        and not spec.get("schedulingGates")
        and pod_state.is_active(pod)
    )


def _uses_room(pod: Object) -> bool:
    return bool(pod["spec"].get("nodeName")) and not pod_state.is_finished(pod)


def requests_of(pod: Object) -> dict[str, int]:
    """Return what a Pod asks for, in thousandths, by resource; itself counts as one of `pods`."""
    spec = pod["spec"]

    def asked(containers: Iterable[dict[str, Any]]) -> list[dict[str, int]]:
        found = []
        for container in containers:
            resources = container.get("resources") or {}
            amounts = {**(resources.get("limits") or {}), **(resources.get("requests") or {})}
            found.append({name: thousandths(value) for name, value in amounts.items()})
        return found

    total = add(asked(spec.get("containers") or ()))
    for first in asked(spec.get("initContainers") or ()):
        for name, value in first.items():
            total[name] = max(total.get(name, 0), value)
    overhead = {name: thousandths(value) for name, value in (spec.get("overhead") or {}).items()}
    return add([total, overhead, {"pods": 1000}])


def _allocatable(node: Object) -> dict[str, int]:
    amounts = node.get("status", {}).get("allocatable") or {}
    return {name: thousandths(value) for name, value in amounts.items()}


def _used(node: Object, placed: list[Object]) -> dict[str, int]:
    name = node["metadata"]["name"]
    return add(requests_of(pod) for pod in placed if pod["spec"]["nodeName"] == name)


def _room_left(node: Object, placed: list[Object]) -> tuple[float, str]:
    allocatable, used = _allocatable(node), _used(node, placed)
    shares = [
        1 - used.get(name, 0) / allocatable[name]
        for name in ("cpu", "memory", "pods")
        if allocatable.get(name)
    ]
    return sum(shares), node["metadata"]["name"]


def obstacles_of(pod: Object, node: Object, placed: list[Object]) -> list[str]:
    """Return why the Pod cannot run on the Node, in the words of the real scheduler."""
    if problem := _unsuitable(pod, node):
        return [problem]
    allocatable, used = _allocatable(node), _used(node, placed)
    problems = []
    for name, amount in sorted(requests_of(pod).items()):
        if amount and used.get(name, 0) + amount > allocatable.get(name, 0):
            problems.append("Too many pods" if name == "pods" else f"Insufficient {name}")
    return problems


def accepts(pod: Object, node: Object) -> bool:
    """Return whether the Pod may run on the Node, whatever room is left there."""
    return _unsuitable(pod, node) is None


def _unsuitable(pod: Object, node: Object) -> str | None:
    spec = node.get("spec") or {}
    cordon = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
    if spec.get("unschedulable") and not _tolerates(pod, cordon):
        return "node(s) were unschedulable"
    for taint in spec.get("taints") or ():
        if taint.get("effect") != "PreferNoSchedule" and not _tolerates(pod, taint):
            text = f"{taint['key']}: {taint.get('value', '')}"
            return f"node(s) had untolerated taint {{{text}}}"
    not_ready = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
    if not conditions.is_true(node, "Ready") and not _tolerates(pod, not_ready):
        return "node(s) were not ready"
    if not _selected(pod, node):
        return "node(s) didn't match Pod's node affinity/selector"
    return None


def _tolerates(pod: Object, taint: dict[str, Any]) -> bool:
    for toleration in pod["spec"].get("tolerations") or ():
        if toleration.get("effect") not in (None, "", taint.get("effect")):
            continue
        if not toleration.get("key"):
            return bool(toleration.get("operator") == "Exists")
        if toleration["key"] != taint["key"]:
            continue
        same = toleration.get("value", "") == taint.get("value", "")
        if toleration.get("operator") == "Exists" or same:
            return True
    return False


def _selected(pod: Object, node: Object) -> bool:
    labels = node["metadata"].get("labels") or {}
    wanted = pod["spec"].get("nodeSelector") or {}
    if not wanted.items() <= labels.items():
        return False
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    if not required:
        return True
    terms = required.get("nodeSelectorTerms") or ()
    return any(
        selectors.label_selector({"matchExpressions": term["matchExpressions"]})(labels)
        for term in terms
        if term.get("matchExpressions")
    )
