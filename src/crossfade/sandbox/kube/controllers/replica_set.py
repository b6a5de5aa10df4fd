"""ReplicaSet: as many Pods as wanted."""

from typing import Any

from crossfade.sandbox.kube.client import ApiError, KubeClient, Object
from crossfade.sandbox.kube.controllers.context import Context
from crossfade.sandbox.kube.controllers.informers import key_of
from crossfade.sandbox.kube.controllers.owned_pods import Owner, owned_pods, pod_from
from crossfade.sandbox.kube.controllers.work_queue import Key, WorkQueue
from crossfade.sandbox.kube.kinds import POD, REPLICA_SET
from crossfade.sandbox.kube.objects import pod_state
from crossfade.sandbox.kube.objects.conditions import Condition, merged
from crossfade.sandbox.kube.objects.timestamps import seconds_of

_BURST = 500
DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"


class ReplicaSetController:
    """Creates missing Pods, deletes surplus ones, reports how many there are."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._client: KubeClient = context.client
        self.queue = WorkQueue("replica-set")
        context.informers.of(REPLICA_SET).listen(
            lambda old, new: self.queue.add(key_of(new or old or {}))
        )
        context.watch_owned(POD, REPLICA_SET, self.queue)

    async def reconcile(self, key: Key) -> float | None:
        """Bring one ReplicaSet nearer to its wanted number of Pods."""
        replica_set = await self._client.get(REPLICA_SET, *key)
        owner = Owner(REPLICA_SET, replica_set, replica_set["spec"].get("selector"))
        pods = [pod for pod in await owned_pods(self._client, owner) if pod_state.is_active(pod)]
        failure = None
        if not pod_state.is_terminating(replica_set):
            try:
                pods = await self._scale(replica_set, pods)
            except ApiError as error:
                failure = error
        after = await self._report(replica_set, pods, failure)
        if failure is not None:
            raise failure
        return after

    async def _scale(self, replica_set: Object, pods: list[Object]) -> list[Object]:
        wanted = replica_set["spec"].get("replicas", 1)
        missing = min(wanted - len(pods), _BURST)
        pods.extend([await self._create(replica_set) for _ in range(missing)])
        surplus = len(pods) - wanted
        if surplus <= 0:
            return pods
        ranked = sorted(pods, key=_worth)
        for pod in ranked[:surplus]:
            await self._delete(replica_set, pod)
        return ranked[surplus:]

    async def _create(self, replica_set: Object) -> Object:
        template = replica_set["spec"]["template"]
        events = self._context.events
        try:
            pod = await self._client.create(POD, pod_from(REPLICA_SET, replica_set, template))
        except ApiError as error:
            message = f"Error creating: {error.message}"
            events.warning(REPLICA_SET, replica_set, "FailedCreate", message)
            raise
        name = pod["metadata"]["name"]
        events.normal(REPLICA_SET, replica_set, "SuccessfulCreate", f"Created pod: {name}")
        return pod

    async def _delete(self, replica_set: Object, pod: Object) -> None:
        meta = pod["metadata"]
        try:
            await self._client.delete(POD, meta["namespace"], meta["name"])
        except ApiError as error:
            if error.code != 404:
                raise
            return
        message = f"Deleted pod: {meta['name']}"
        self._context.events.normal(REPLICA_SET, replica_set, "SuccessfulDelete", message)

    async def _report(
        self, replica_set: Object, pods: list[Object], failure: ApiError | None
    ) -> float | None:
        now = self._context.clock.now()
        spec, old = replica_set["spec"], replica_set.get("status", {})
        labels = spec["template"]["metadata"].get("labels") or {}
        at = [pod_state.available_at(pod, spec.get("minReadySeconds", 0)) for pod in pods]
        counts: dict[str, Any] = {
            "replicas": len(pods),
            "fullyLabeledReplicas": sum(
                labels.items() <= (pod["metadata"].get("labels") or {}).items() for pod in pods
            ),
            "readyReplicas": sum(pod_state.is_ready(pod) for pod in pods),
            "availableReplicas": sum(time is not None and time <= now for time in at),
            "observedGeneration": replica_set["metadata"].get("generation", 0),
        }
        kept = [one for one in old.get("conditions") or () if one["type"] != "ReplicaFailure"]
        if failure is not None:
            condition = Condition("ReplicaFailure", True, "FailedCreate", failure.message)
            kept = merged(old.get("conditions") or (), [condition], now)
        status = {name: value for name, value in counts.items() if value or name == "replicas"}
        if kept:
            status["conditions"] = kept
        if status != old:
            body = {**replica_set, "status": status}
            await self._client.update(REPLICA_SET, body, "status")
        later = [time - now for time in at if time is not None and time > now]
        return min(later) + 0.01 if later else None


def _worth(pod: Object) -> tuple[Any, ...]:
    """Return what Pods are sorted by: those that are missed least come first."""
    annotations = pod["metadata"].get("annotations") or {}
    cost = annotations.get(DELETION_COST, "0")
    return (
        bool(pod["spec"].get("nodeName")),
        {"Pending": 0, "Unknown": 1}.get(pod_state.phase(pod), 2),
        pod_state.is_ready(pod),
        int(cost) if cost.lstrip("-").isdigit() else 0,
        -pod_state.restarts(pod),
        # The youngest goes first: it knows least.
        -seconds_of(pod["metadata"].get("creationTimestamp")),
        pod["metadata"]["name"],
    )
