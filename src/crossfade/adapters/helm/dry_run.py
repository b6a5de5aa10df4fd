"""What a cluster would say to a revision: every object asked of its API server, none written."""

import asyncio
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass

from crossfade.adapters.helm import manifest_text
from crossfade.adapters.helm.command import Call, HelmCommand
from crossfade.adapters.kubernetes.client import KubeApi, Object
from crossfade.adapters.kubernetes.discovery import Kinds, Served, discover
from crossfade.base.errors import Conflict, CrossfadeError, Denied, InputError, NotFound
from crossfade.core.application import Values
from crossfade.core.release.kinds import child, is_hook, is_test, mapping, name_of, pod_templates
from crossfade.core.release.objection import Objection, objection

_SIDE_BY_SIDE = 8
_STAND_IN = "default"
"""Namespace that is asked in place of one that is yet to be made."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A release that is not installed."""

    release: str
    namespace: str
    chart: bytes
    values: Values
    renderer: Sequence[str]
    """Flags for our post-renderer."""


@dataclass(frozen=True, slots=True)
class DryRun:
    """Asks one cluster."""

    api: KubeApi
    helm: HelmCommand
    seconds: float

    async def run(self, wanted: Rehearsal) -> tuple[Objection, ...]:
        """
        Return every objection, refusals first.

        Raises InputError when the chart does not render, Unavailable.
        """
        kinds = await discover(self.api)
        objects = await self._render(wanted, kinds)
        homes, found = await self._homes(wanted.namespace)
        room = asyncio.Semaphore(_SIDE_BY_SIDE)

        async def ask(question: _Question) -> list[Objection]:
            async with room:
                return await self._ask(question)

        try:
            async with asyncio.TaskGroup() as group:
                asked = [group.create_task(ask(each)) for each in _questions(objects, kinds, homes)]
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from failed
        found += [_unknown(thing) for thing in objects if _place(thing, kinds) is None]
        found += [each for task in asked for each in task.result()]
        return tuple(sorted(dict.fromkeys(found), key=lambda each: each.warning))

    async def _render(self, wanted: Rehearsal, kinds: Kinds) -> list[Object]:
        """Return the objects as this cluster's abilities make the chart render them."""
        version = str((await self.api.get("/version")).get("gitVersion", ""))
        abilities = sorted({each for version, kind in kinds for each in _ability(version, kind)})
        with tempfile.NamedTemporaryFile(prefix="crossfade-", suffix=".tgz") as archive:
            archive.write(wanted.chart)
            archive.flush()
            arguments = ["template", wanted.release, archive.name]
            arguments += ["--namespace", wanted.namespace, "--values", "-", "--skip-tests"]
            arguments += ["--kube-version", version, "--api-versions", ",".join(abilities)]
            arguments += wanted.renderer
            values = manifest_text.write_values(wanted.values)
            text = await self.helm.run(Call(arguments, values, self.seconds))
        rendered = manifest_text.read(text)
        return [thing for thing in rendered if not (is_hook(thing) and is_test(thing))]

    async def _homes(self, namespace: str) -> tuple[dict[str, str], list[Objection]]:
        """Return which namespace to ask in for those that objects name, and what to say of it."""
        try:
            there = await self.api.find(f"/api/v1/namespaces/{namespace}")
        except Denied:  # most accounts may not look, and may well write into it
            return {"": namespace}, []
        if there is not None:
            return {"": namespace}, []
        told = f"it is not there yet and will be made; objects were checked in {_STAND_IN} instead"
        said = Objection("Namespace", namespace, told, warning=True)
        return {"": _STAND_IN, namespace: _STAND_IN}, [said]

    async def _ask(self, question: "_Question") -> list[Objection]:
        kind, name = question.kind, question.name
        try:
            warnings = await self.api.rehearse(question.method, question.path, question.body)
        except (InputError, Conflict, NotFound) as error:
            return [_told(kind, name, error)]
        except Denied as error:
            if "forbids" not in error.what:
                raise
            return [_told(kind, name, error)]
        return [Objection(kind, name, text, warning=True) for text in warnings]


@dataclass(frozen=True, slots=True)
class _Question:
    """One write that is not done."""

    method: str
    path: str
    body: Object
    kind: str
    """Of the object that people know: a pod is asked about for its Deployment."""
    name: str


def _questions(
    objects: Sequence[Object], kinds: Kinds, homes: Mapping[str, str]
) -> Iterator[_Question]:
    accounts = {name_of(thing) for thing in objects if thing.get("kind") == "ServiceAccount"}
    for thing in objects:
        served = _place(thing, kinds)
        if served is None:
            continue
        body = deepcopy(thing)
        named = str(mapping(body.get("metadata")).get("namespace") or "")
        space = homes.get(named, named)
        if served.namespaced:
            child(body, "metadata")["namespace"] = space
        kind, name = str(thing.get("kind")), name_of(thing)
        yield _Question("PATCH", served.path(space, name), body, kind, name)
        if kind == "Pod":
            continue
        for template in pod_templates(body):
            if mapping(body.get("spec")).get("template") is template:
                pod = _pod(template, name, space, accounts)
                yield _Question("POST", f"/api/v1/namespaces/{space}/pods", pod, kind, name)


def _pod(template: Object, name: str, namespace: str, accounts: set[str]) -> Object:
    """Return a pod of the template: quotas and pod policies look at nothing else."""
    pod = deepcopy(template)
    pod["apiVersion"], pod["kind"] = "v1", "Pod"
    metadata = child(pod, "metadata")
    metadata["namespace"], metadata["generateName"] = namespace, f"{name}-"
    spec = child(pod, "spec")
    for key in ("serviceAccountName", "serviceAccount"):
        if spec.get(key) in accounts:  # made together with it, so not there yet
            del spec[key]
    return pod


def _place(thing: Object, kinds: Kinds) -> Served | None:
    return kinds.get((str(thing.get("apiVersion")), str(thing.get("kind"))))


def _ability(version: str, kind: str) -> tuple[str, str]:
    """Return how charts ask for a version or a kind: `apps/v1`, `apps/v1/Deployment`."""
    return version, f"{version}/{kind}"


def _unknown(thing: Object) -> Objection:
    told = (
        f"this cluster does not know the kind {thing.get('kind')} of {thing.get('apiVersion')}: "
        "install what defines it (an operator, a CRD) first, or name its chart in spec.shared"
    )
    return Objection(str(thing.get("kind")), name_of(thing), told, unknown_kind=True)


def _told(kind: str, name: str, error: CrossfadeError) -> Objection:
    words = error.what.removeprefix("the cluster refuses it: ")
    return objection(kind, name, words.removeprefix("the cluster forbids it: "))
