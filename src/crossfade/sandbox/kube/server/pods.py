"""The parts of a pod that are more than data: log, proxy, binding to a node, eviction."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime

from starlette.responses import Response, StreamingResponse

from crossfade.sandbox.kube import eviction
from crossfade.sandbox.kube.api import Api
from crossfade.sandbox.kube.client import ApiError, Object
from crossfade.sandbox.kube.kinds import POD
from crossfade.sandbox.kube.logs import LogQuery, LogReader
from crossfade.sandbox.kube.server import bodies
from crossfade.sandbox.kube.server.answers import Answer
from crossfade.sandbox.kube.server.proxying import Asked, proxied
from crossfade.sandbox.kube.server.target import Target, dry_run, flag, number
from crossfade.sandbox.kube.server.writing import Request
from crossfade.sandbox.kube.status import bad_request, conflict, not_found
from crossfade.sandbox.kube.values import timestamp


class Pods:
    """Answers requests to `pods/NAME/log`, `/binding` and `/eviction` of one API."""

    def __init__(self, api: Api, reader: LogReader | None) -> None:
        self._api, self._reader = api, reader

    async def log(self, target: Target, query: Mapping[str, str]) -> Response:
        """Answer with what a container wrote; raises ApiError."""
        pod = self._api.get(POD, target.namespace, target.name)
        asked = _log_query(target, pod, query)
        if self._reader is None:
            raise ApiError(500, "InternalError", "no kubelet serves the logs of this cloud")
        chunks = self._reader(asked)
        if asked.follow:
            return StreamingResponse(_quiet(chunks), media_type="text/plain")
        try:
            first = await anext(chunks)  # an error must become a status before the answer begins
        except StopAsyncIteration:
            return Response(b"", media_type="text/plain")
        return StreamingResponse(_quiet(chunks, first), media_type="text/plain")

    async def proxy(self, target: Target, asked: Asked) -> Response:
        """Answer with what the pod answers over HTTP; raises ApiError."""
        return await proxied(self._api, target, asked)

    def bind(self, request: Request) -> Answer:
        """Bind the pod to the node that a `Binding` names; raises ApiError 404, 409."""
        target = request.target
        body = bodies.read_object(request.body, request.content_type)
        node = (body.get("target") or {}).get("name")
        if not isinstance(node, str) or not node:
            raise bad_request("target.name: Required value")
        now = timestamp(self._api.clock.now())

        def bound(pod: Object) -> Object:
            if (pod.get("spec") or {}).get("nodeName"):
                why = f"pod {target.name} is already assigned to node {pod['spec']['nodeName']!r}"
                raise conflict(POD, target.name, why)
            status = pod.get("status") or {}
            condition = {
                "type": "PodScheduled",
                "status": "True",
                "lastProbeTime": None,
                "lastTransitionTime": now,
            }
            others = [
                one for one in status.get("conditions") or () if one["type"] != "PodScheduled"
            ]
            return {
                **pod,
                "spec": {**(pod.get("spec") or {}), "nodeName": node},
                "status": {**status, "conditions": [*others, condition]},
            }

        if not dry_run(request.query):
            key = (target.namespace, target.name)
            self._api.change(POD, key, bound, "binding")
        return Answer(_success(), 201)

    def evict(self, request: Request) -> Answer:
        """Delete the pod unless a disruption budget forbids it; raises ApiError 429."""
        target = request.target
        body = bodies.read_object(request.body, request.content_type)
        options = bodies.options_of(body.get("deleteOptions") or {"metadata": {}}, request.query)
        pod = self._api.get(POD, target.namespace, target.name)
        eviction.check(self._api, pod)
        if not dry_run(request.query):
            now = self._api.clock.now()
            key = (target.namespace, target.name)
            self._api.change(POD, key, lambda pod: eviction.marked(pod, now), "status")
        self._api.delete(POD, target.namespace, target.name, options)
        return Answer(_success(), 201)


def _success() -> Object:
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


async def _quiet(chunks: AsyncIterator[bytes], first: bytes = b"") -> AsyncIterator[bytes]:
    """Yield the chunks; an error after the answer began can only end it."""
    if first:
        yield first
    try:
        async for chunk in chunks:
            yield chunk
    except ApiError as error:
        yield f"{error.message}\n".encode()


def _log_query(target: Target, pod: Object, query: Mapping[str, str]) -> LogQuery:
    spec = pod.get("spec") or {}
    names = [
        one["name"] for part in ("initContainers", "containers") for one in spec.get(part) or ()
    ]
    mains = [one["name"] for one in spec.get("containers") or ()]
    container = query.get("container", "")
    if not container:
        if len(mains) != 1:
            choices = " ".join(mains)
            raise bad_request(
                f"a container name must be specified for pod {target.name}, "
                f"choose one of: [{choices}]"
            )
        container = mains[0]
    if container not in names:
        raise bad_request(f"container {container} is not valid for pod {target.name}")
    _check_started(pod, container, previous=flag(query, "previous"))
    return LogQuery(
        target.namespace or "",
        target.name,
        container,
        tail_lines=number(query, "tailLines"),
        follow=flag(query, "follow"),
        previous=flag(query, "previous"),
        timestamps=flag(query, "timestamps"),
        since_seconds=number(query, "sinceSeconds"),
        limit_bytes=number(query, "limitBytes"),
        since_time=_time(query.get("sinceTime", "")),
    )


def _time(text: str) -> float | None:
    """Return a time of the query in whole seconds, as API servers pass it on."""
    if not text:
        return None
    try:
        return float(int(datetime.fromisoformat(text).timestamp()))
    except ValueError:
        why = f'sinceTime: Invalid value: "{text}": must be a time as 2026-01-31T12:00:00Z'
        raise bad_request(why) from None


def _check_started(pod: Object, container: str, *, previous: bool) -> None:
    name, status = pod["metadata"]["name"], pod.get("status") or {}
    if not (pod.get("spec") or {}).get("nodeName"):
        raise bad_request(f"pod {name} does not have a host assigned")
    everyone = [
        *(status.get("initContainerStatuses") or ()),
        *(status.get("containerStatuses") or ()),
    ]
    found = next((one for one in everyone if one.get("name") == container), None)
    if found is None:
        raise bad_request(
            f'container "{container}" in pod "{name}" is waiting to start: ContainerCreating'
        )
    if previous:
        if not (found.get("lastState") or {}).get("terminated"):
            raise bad_request(
                f'previous terminated container "{container}" in pod "{name}" not found'
            )
        return
    waiting = (found.get("state") or {}).get("waiting")
    if waiting and not (found.get("lastState") or {}).get("terminated"):
        reason = waiting.get("message") or waiting.get("reason")
        if waiting.get("reason") in ("ErrImagePull", "ImagePullBackOff"):
            reason = "trying and failing to pull image"
        raise bad_request(f'container "{container}" in pod "{name}" is waiting to start: {reason}')


def missing(target: Target) -> ApiError:
    """Return the 404 for a part that the kind does not have."""
    return not_found(target.kind, f"{target.name}/{target.subresource}")
