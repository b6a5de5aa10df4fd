"""`pods/NAME/proxy`: what a pod answers over HTTP, asked through the API server."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.responses import Response

from crossfade.sandbox.kube.api import Api
from crossfade.sandbox.kube.client import ApiError, Object
from crossfade.sandbox.kube.kinds import POD
from crossfade.sandbox.kube.kubelet.ports import mapped_ports, port_number
from crossfade.sandbox.kube.server.target import Target
from crossfade.sandbox.kube.status import bad_request

_NAME = re.compile(r"(?:(?P<scheme>https?):)?(?P<name>[a-z0-9.-]+)(?::(?P<port>[a-z0-9-]*))?")
_SECONDS = 30.0
_NOT_PASSED_ON = frozenset(
    {"authorization", "connection", "content-length", "host", "transfer-encoding", "upgrade"}
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a pod is asked."""

    method: str
    query: str
    headers: Mapping[str, str]
    body: bytes = b""


async def proxied(api: Api, target: Target, question: Asked) -> Response:
    """Answer with what the pod answers; raises ApiError 400, 404, 503."""
    import httpx  # half of the time that a cloud takes to start; few ask for this

    asked = _NAME.fullmatch(target.name)
    if asked is None:
        raise bad_request(f'invalid pod request "{target.name}"')
    pod = api.get(POD, target.namespace, asked["name"])
    address = (pod.get("status") or {}).get("podIP")
    if not address:
        raise _unreachable("the pod has no address yet")
    port = _port(pod, asked["port"] or "")
    place = f"{asked['scheme'] or 'http'}://{address}:{port}/{target.rest}"
    url = f"{place}?{question.query}".rstrip("?")
    passed = {k: v for k, v in question.headers.items() if k.lower() not in _NOT_PASSED_ON}
    try:
        # No certificates are checked, as by the real API server.
        async with httpx.AsyncClient(verify=False, trust_env=False, timeout=_SECONDS) as client:  # noqa: S501
            answer = await client.request(
                question.method, url, headers=passed, content=question.body
            )
    except httpx.HTTPError as error:
        raise _unreachable(str(error) or type(error).__name__) from error
    media = answer.headers.get("content-type", "text/plain")
    return Response(answer.content, answer.status_code, media_type=media)


def _port(pod: Object, wanted: str) -> int:
    """Return the port of this machine that a port of the pod is at."""
    ports = mapped_ports(pod)
    containers = pod["spec"].get("containers") or ()
    declared = [port for each in containers for port in each.get("ports") or ()]
    if not wanted:
        wanted = str(declared[0]["containerPort"]) if declared else "80"
    for container in containers:
        found = port_number(container, wanted, ports)
        if found is not None:
            return found
    raise bad_request(f'invalid port "{wanted}"')


def _unreachable(why: str) -> ApiError:
    return ApiError(503, "ServiceUnavailable", f"error trying to reach service: {why}")
