"""StatefulSet: Pods with names and volumes that stay."""

from collections.abc import Mapping
from typing import Any

from crossfade.sandbox.kube.client import ApiError, Object
from crossfade.sandbox.kube.controllers.context import Context
from crossfade.sandbox.kube.controllers.controller_revisions import Revisions, revisions_of
from crossfade.sandbox.kube.controllers.informers import key_of
from crossfade.sandbox.kube.controllers.owned_pods import Owner, owned_pods, pod_from
from crossfade.sandbox.kube.controllers.work_queue import Key, WorkQueue
from crossfade.sandbox.kube.kinds import POD, STATEFUL_SET
from crossfade.sandbox.kube.objects import pod_state

REVISION = "controller-revision-hash"
_POD_NAME, _INDEX = "statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index"


class StatefulSetController:
    """Creates, replaces and deletes numbered Pods, in order unless told otherwise."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._client = context.client
        self.queue = WorkQueue("stateful-set")
        context.informers.of(STATEFUL_SET).listen(
            lambda old, new: self.queue.add(key_of(new or old or {}))
        )
        context.watch_owned(POD, STATEFUL_SET, self.queue)

    async def reconcile(self, key: Key) -> float | None:
        """Take the next step of one StatefulSet."""
        found = await self._client.get(STATEFUL_SET, *key)
        owner = Owner(STATEFUL_SET, found, found["spec"].get("selector"))
        pods = {pod["metadata"]["name"]: pod for pod in await owned_pods(self._client, owner)}
        revisions = await revisions_of(self._client, found)
        if not pod_state.is_terminating(found):
            await revisions.keep()
            await self._step(found, pods, revisions)
        await self._report(found, pods, revisions)
        return None

    async def _step(self, found: Object, pods: Mapping[str, Object], revisions: Revisions) -> None:
        spec = found["spec"]
        in_order = spec.get("podManagementPolicy", "OrderedReady") == "OrderedReady"
        names = wanted_names(found)
        for name in names:
            pod = pods.get(name)
            if pod is None:
                await self._create(found, name, revisions)
            elif pod_state.is_finished(pod) and not pod_state.is_terminating(pod):
                await self._delete(found, pod)
            if in_order and (pod is None or not _is_up(pod)):
                return
        surplus = sorted((name for name in pods if name not in names), key=ordinal, reverse=True)
        for name in surplus:
            await self._delete(found, pods[name])
            if in_order:
                return
        if _rolls(found):
            await self._roll(found, names, pods, revisions)

    async def _roll(
        self, found: Object, names: list[str], pods: Mapping[str, Object], revisions: Revisions
    ) -> None:
        """Delete the highest Pod of an old revision once all above it are up."""
        for name in reversed(names):
            pod = pods.get(name)
            if pod is None or ordinal(name) < _first_updated(found):
                return
            if _hash(found, pod) != revisions.update:
                await self._delete(found, pod)
                return
            if not _is_up(pod):
                return

    async def _create(self, found: Object, name: str, revisions: Revisions) -> None:
        older = _rolls(found) and ordinal(name) < _first_updated(found)
        revision = revisions.current if older else revisions.update
        pod = pod_from(STATEFUL_SET, found, revisions.template(revision), name)
        labels = {
            REVISION: f"{found['metadata']['name']}-{revision}",
            _POD_NAME: name,
            _INDEX: str(ordinal(name)),
        }
        pod["metadata"]["labels"] = {**(pod["metadata"].get("labels") or {}), **labels}
        claims = [
            {"name": claim["metadata"]["name"], "persistentVolumeClaim": {"claimName": full}}
            for claim in found["spec"].get("volumeClaimTemplates") or ()
            for full in (f"{claim['metadata']['name']}-{name}",)
        ]
        templates = {claim["name"] for claim in claims}
        others = [
            volume for volume in pod["spec"].get("volumes") or () if volume["name"] not in templates
        ]
        pod["spec"] = {
            **pod["spec"],
            "hostname": name,
            "subdomain": found["spec"].get("serviceName", ""),
            "volumes": [*others, *claims],
        }
        events = self._context.events
        try:
            await self._client.create(POD, pod)
        except ApiError as error:
            message = f"create Pod {name} failed error: {error.message}"
            events.warning(STATEFUL_SET, found, "FailedCreate", message)
            raise
        message = f"create Pod {name} in StatefulSet {found['metadata']['name']} successful"
        events.normal(STATEFUL_SET, found, "SuccessfulCreate", message)

    async def _delete(self, found: Object, pod: Object) -> None:
        if pod_state.is_terminating(pod):
            return
        meta = pod["metadata"]
        await self._client.delete(POD, meta["namespace"], meta["name"])
        message = f"delete Pod {meta['name']} in StatefulSet {found['metadata']['name']} successful"
        self._context.events.normal(STATEFUL_SET, found, "SuccessfulDelete", message)

    async def _report(
        self, found: Object, pods: Mapping[str, Object], revisions: Revisions
    ) -> None:
        now = self._context.clock.now()
        spec, old = found["spec"], found.get("status") or {}
        active = [pod for pod in pods.values() if pod_state.is_active(pod)]
        at = [pod_state.available_at(pod, spec.get("minReadySeconds", 0)) for pod in active]
        hashes = [_hash(found, pod) for pod in active]
        updated = hashes.count(revisions.update)
        replicas = spec.get("replicas", 1)
        done = updated == replicas == len(active) and all(map(_is_up, active))
        current = revisions.update if done else revisions.current
        name = found["metadata"]["name"]
        status: dict[str, Any] = {
            "observedGeneration": found["metadata"].get("generation", 0),
            "replicas": len(active),
            "readyReplicas": sum(pod_state.is_ready(pod) for pod in active),
            "availableReplicas": sum(time is not None and time <= now for time in at),
            "currentReplicas": hashes.count(current),
            "updatedReplicas": updated,
            "currentRevision": f"{name}-{current}",
            "updateRevision": f"{name}-{revisions.update}",
            "collisionCount": 0,
        }
        if status != old:
            await self._client.update(STATEFUL_SET, {**found, "status": status}, "status")


def wanted_names(found: Object) -> list[str]:
    """Return the names of the Pods that should exist, in the order of their numbers."""
    first = (found["spec"].get("ordinals") or {}).get("start") or 0
    name = found["metadata"]["name"]
    return [f"{name}-{first + index}" for index in range(found["spec"].get("replicas", 1))]


def ordinal(name: str) -> int:
    """Return the number of a Pod, -1 when its name has none."""
    text = name.rpartition("-")[2]
    return int(text) if text.isdigit() else -1


def _rolls(found: Object) -> bool:
    strategy = found["spec"].get("updateStrategy") or {}
    return bool(strategy.get("type", "RollingUpdate") == "RollingUpdate")


def _first_updated(found: Object) -> int:
    """Return the lowest number of a Pod that gets the wanted template."""
    strategy = found["spec"].get("updateStrategy") or {}
    partition = (strategy.get("rollingUpdate") or {}).get("partition") or 0
    return int((found["spec"].get("ordinals") or {}).get("start") or 0) + int(partition)


def _hash(found: Object, pod: Object) -> str:
    label = str((pod["metadata"].get("labels") or {}).get(REVISION) or "")
    return label.removeprefix(f"{found['metadata']['name']}-")


def _is_up(pod: Object) -> bool:
    return pod_state.is_active(pod) and pod_state.is_ready(pod)
