"""Deployment: moves from one ReplicaSet to the next as its strategy allows."""

import copy
import json
from typing import Any

from crossfade.sandbox.kube.client import Object
from crossfade.sandbox.kube.controllers import deployment_status, rolling
from crossfade.sandbox.kube.controllers.context import Context
from crossfade.sandbox.kube.controllers.informers import key_of
from crossfade.sandbox.kube.controllers.owned_pods import Owner, owned
from crossfade.sandbox.kube.controllers.work_queue import Key, WorkQueue
from crossfade.sandbox.kube.kinds import DEPLOYMENT, POD, REPLICA_SET
from crossfade.sandbox.kube.objects import ownership, pod_state

REVISION = "deployment.kubernetes.io/revision"
_DESIRED = "deployment.kubernetes.io/desired-replicas"
_MAXIMUM = "deployment.kubernetes.io/max-replicas"
_HASH = "pod-template-hash"
_NOT_COPIED = {REVISION, _DESIRED, _MAXIMUM, "kubectl.kubernetes.io/last-applied-configuration"}


class DeploymentController:
    """Makes a ReplicaSet for each Pod template and shifts replicas to the newest one."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._client = context.client
        self.queue = WorkQueue("deployment")
        context.informers.of(DEPLOYMENT).listen(
            lambda old, new: self.queue.add(key_of(new or old or {}))
        )
        context.watch_owned(REPLICA_SET, DEPLOYMENT, self.queue)
        context.informers.of(POD).listen(self._pod_gone)

    def _pod_gone(self, old: Object | None, new: Object | None) -> None:
        """Strategy Recreate waits for the last old Pod."""
        if old is None or (new is not None and not pod_state.is_finished(new)):
            return
        reference = ownership.controller_of(old)
        if reference is None or reference["kind"] != REPLICA_SET.kind:
            return
        replica_sets = self._context.informers.of(REPLICA_SET).objects
        parent = replica_sets.get((old["metadata"]["namespace"], reference["name"]))
        owner = ownership.controller_of(parent) if parent is not None else None
        if owner is not None:
            self.queue.add((old["metadata"]["namespace"], owner["name"]))

    async def reconcile(self, key: Key) -> float | None:
        """Take the next step of one Deployment."""
        deployment = await self._client.get(DEPLOYMENT, *key)
        owner = Owner(DEPLOYMENT, deployment, deployment["spec"].get("selector"))
        sets = sorted(await owned(self._client, owner, REPLICA_SET), key=_age)
        new = find_new(deployment, sets)
        if not pod_state.is_terminating(deployment):
            new = await self._step(deployment, sets, new)
            if new is not None and all(one is not new for one in sets):
                sets = [*(one for one in sets if not _same(one, new)), new]
        return await self._report(key, sets, new)

    async def _step(
        self, deployment: Object, sets: list[Object], new: Object | None
    ) -> Object | None:
        old = [one for one in sets if one is not new]
        if deployment["spec"].get("paused"):
            await self._resize(deployment, sets)
            return new
        if deployment["spec"].get("strategy", {}).get("type") == "Recreate":
            return await self._recreate(deployment, old, new)
        new = await self._ensure_new(deployment, sets, new)
        if await self._resize(deployment, [*old, new]):
            return new
        await self._roll(deployment, old, new)
        await self._forget_history(deployment, old)
        return new

    async def _recreate(
        self, deployment: Object, old: list[Object], new: Object | None
    ) -> Object | None:
        shrinking = [one for one in old if one["spec"].get("replicas", 1)]
        for one in shrinking:
            await self._scale(deployment, one, 0)
        if shrinking or await self._any_pod_left(deployment, old):
            return new
        new = await self._ensure_new(deployment, [*old, *([new] if new else [])], new)
        await self._scale(deployment, new, deployment["spec"].get("replicas", 1))
        await self._forget_history(deployment, old)
        return new

    async def _any_pod_left(self, deployment: Object, old: list[Object]) -> bool:
        pods = await self._client.list(POD, deployment["metadata"]["namespace"])
        return any(
            ownership.is_controlled_by(pod, one) and not pod_state.is_finished(pod)
            for one in old
            for pod in pods
        )

    async def _ensure_new(
        self, deployment: Object, sets: list[Object], new: Object | None
    ) -> Object:
        revision = str(max((_revision(one) for one in sets if one is not new), default=0) + 1)
        if new is None:
            new = await self._create(deployment, sets, revision)
        elif _revision(new) < int(revision):  # a rollback: the old template is the newest again
            new = await self._annotate(new, {REVISION: revision})
        current = (new["metadata"].get("annotations") or {}).get(REVISION, revision)
        if (deployment["metadata"].get("annotations") or {}).get(REVISION) != current:
            meta = deployment["metadata"]
            merge = {"metadata": {"annotations": {REVISION: current}}}
            await self._client.patch(DEPLOYMENT, meta["namespace"], meta["name"], merge)
        return new

    async def _create(self, deployment: Object, sets: list[Object], revision: str) -> Object:
        meta, spec = deployment["metadata"], deployment["spec"]
        digest = template_hash(spec["template"])
        template = copy.deepcopy(spec["template"])
        template.setdefault("metadata", {}).setdefault("labels", {})[_HASH] = digest
        selector = copy.deepcopy(spec["selector"])
        selector.setdefault("matchLabels", {})[_HASH] = digest
        limits = deployment_status.room(deployment)
        start = rolling.grow(rolling.Replicas("", 0, 0), [_numbers(one) for one in sets], limits)
        if spec.get("strategy", {}).get("type") == "Recreate":
            start = limits.replicas
        annotations = {
            name: value
            for name, value in (meta.get("annotations") or {}).items()
            if name not in _NOT_COPIED
        }
        body = {
            "apiVersion": REPLICA_SET.api_version,
            "kind": REPLICA_SET.kind,
            "metadata": {
                "name": f"{meta['name']}-{digest}",
                "namespace": meta["namespace"],
                "labels": template["metadata"]["labels"],
                "annotations": annotations | {REVISION: revision} | _sizes(limits),
                "ownerReferences": [ownership.controller_reference(DEPLOYMENT, deployment)],
            },
            "spec": {
                "replicas": start,
                "minReadySeconds": spec.get("minReadySeconds", 0),
                "selector": selector,
                "template": template,
            },
        }
        created = await self._client.create(REPLICA_SET, body)
        self._tell(deployment, created, 0, start)
        return created

    async def _resize(self, deployment: Object, sets: list[Object]) -> bool:
        """Follow a change of `spec.replicas`; return whether sizes had to change for it."""
        limits = deployment_status.room(deployment)
        active = [one for one in sets if one["spec"].get("replicas", 1)]
        if not active and deployment["spec"].get("paused"):
            active = sets[-1:]
        desired = str(limits.replicas)
        changed = [one for one in active if _annotation(one, _DESIRED) not in (None, desired)]
        if not changed:
            return False
        if len(active) == 1:
            targets = {active[0]["metadata"]["name"]: limits.replicas}
        else:
            before = int(_annotation(changed[0], _MAXIMUM) or 0)
            targets = rolling.proportional([_numbers(one) for one in active], before, limits)
        for one in active:
            await self._scale(deployment, one, targets[one["metadata"]["name"]], force=True)
        return True

    async def _roll(self, deployment: Object, old: list[Object], new: Object) -> None:
        limits = deployment_status.room(deployment)
        numbers = [_numbers(one) for one in old]
        size = rolling.grow(_numbers(new), numbers, limits)
        if size != new["spec"].get("replicas", 1):
            await self._scale(deployment, new, size)
            return
        targets = rolling.shrink(_numbers(new), numbers, limits)
        for one in old:
            await self._scale(deployment, one, targets[one["metadata"]["name"]])

    async def _scale(
        self, deployment: Object, one: Object, size: int, *, force: bool = False
    ) -> None:
        before = one["spec"].get("replicas", 1)
        if before == size and not force:
            return
        meta = one["metadata"]
        merge = {
            "metadata": {
                "resourceVersion": meta["resourceVersion"],
                "annotations": _sizes(deployment_status.room(deployment)),
            },
            "spec": {"replicas": size},
        }
        await self._client.patch(REPLICA_SET, meta["namespace"], meta["name"], merge)
        if before != size:
            self._tell(deployment, one, before, size)

    def _tell(self, deployment: Object, one: Object, before: int, size: int) -> None:
        way = "up" if size > before else "down"
        message = f"Scaled {way} replica set {one['metadata']['name']} from {before} to {size}"
        events = self._context.events
        events.normal(DEPLOYMENT, deployment, "ScalingReplicaSet", message)

    async def _annotate(self, one: Object, annotations: dict[str, str]) -> Object:
        meta = one["metadata"]
        merge = {"metadata": {"annotations": annotations}}
        return await self._client.patch(REPLICA_SET, meta["namespace"], meta["name"], merge)

    async def _forget_history(self, deployment: Object, old: list[Object]) -> None:
        keep = deployment["spec"].get("revisionHistoryLimit", 10)
        done = [
            one
            for one in sorted(old, key=_revision)
            if not one["spec"].get("replicas", 1)
            and not one.get("status", {}).get("replicas")
            and not pod_state.is_terminating(one)
        ]
        for one in done[: max(0, len(done) - keep)]:
            await self._client.delete(REPLICA_SET, one["metadata"]["namespace"], _name(one))

    async def _report(self, key: Key, sets: list[Object], new: Object | None) -> float | None:
        """Write the status that follows from the ReplicaSets."""
        deployment = await self._client.get(DEPLOYMENT, *key)
        if find_new(deployment, sets) is not new:
            return 0.0  # changed meanwhile: this look is out of date
        now = self._context.clock.now()
        status, after = deployment_status.status(deployment, sets, new, now)
        if status != deployment.get("status"):
            await self._client.update(DEPLOYMENT, {**deployment, "status": status}, "status")
        return after


def template_hash(template: Object) -> str:
    """Return the `pod-template-hash`, which also tells whether two templates are the same."""
    plain = json.dumps(_plain(template), sort_keys=True)
    return ownership.short_hash((plain,))


def _plain(template: Object) -> Object:
    meta = template.get("metadata") or {}
    labels = {name: value for name, value in (meta.get("labels") or {}).items() if name != _HASH}
    plain = {"metadata": {**meta, "labels": labels}, "spec": template.get("spec")}
    found: Object = _without_empty(plain)
    return found


def _without_empty(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return the value without what says nothing: writers differ in whether they send it."""
    if isinstance(value, dict):
        inner = {name: _without_empty(one) for name, one in value.items()}
        return {name: one for name, one in inner.items() if one not in (None, {}, [])}
    if isinstance(value, list):
        return [_without_empty(one) for one in value]
    return value


def find_new(deployment: Object, sets: list[Object]) -> Object | None:
    """Return the ReplicaSet that runs the Deployment's current template, or None."""
    template = deployment["spec"]["template"]
    digest, plain = template_hash(template), _plain(template)
    for one in sets:
        if _plain(one["spec"]["template"]) == plain:
            return one
    for one in sets:
        # The API may have defaulted the two templates differently; the label never lies.
        labels = one["metadata"].get("labels") or {}
        if labels.get(_HASH) == digest:
            return one
    return None


def _sizes(limits: rolling.Room) -> dict[str, str]:
    return {_DESIRED: str(limits.replicas), _MAXIMUM: str(limits.most)}


def _numbers(one: Object) -> rolling.Replicas:
    available = one.get("status", {}).get("availableReplicas", 0)
    return rolling.Replicas(_name(one), one["spec"].get("replicas", 1), available)


def _name(one: Object) -> str:
    name: str = one["metadata"]["name"]
    return name


def _same(one: Object, other: Object) -> bool:
    return bool(one["metadata"]["uid"] == other["metadata"]["uid"])


def _annotation(one: Object, name: str) -> str | None:
    value: str | None = (one["metadata"].get("annotations") or {}).get(name)
    return value


def _revision(one: Object) -> int:
    text = _annotation(one, REVISION) or "0"
    return int(text) if text.isdigit() else 0


def _age(one: Object) -> tuple[str, str]:
    return one["metadata"].get("creationTimestamp", ""), one["metadata"]["name"]
