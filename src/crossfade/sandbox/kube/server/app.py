"""The Kubernetes API of one cloud as an ASGI application."""

import hmac
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from crossfade.sandbox.kube.api import Api
from crossfade.sandbox.kube.client import ApiError
from crossfade.sandbox.kube.logs import LogReader
from crossfade.sandbox.kube.server import bodies, target
from crossfade.sandbox.kube.server.answers import refusal
from crossfade.sandbox.kube.server.documents import Documents
from crossfade.sandbox.kube.server.gate import Gate
from crossfade.sandbox.kube.server.pods import Pods
from crossfade.sandbox.kube.server.proxying import Asked
from crossfade.sandbox.kube.server.reading import Reader
from crossfade.sandbox.kube.server.watching import Watcher
from crossfade.sandbox.kube.server.writing import Request, Writer
from crossfade.sandbox.kube.status import method_not_allowed, no_such_path, unauthorized

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_LOG = logging.getLogger(__name__)
_OPEN_PATHS = frozenset({"/healthz", "/livez", "/readyz", "/version"})


class ApiServer:
    """Serves one `Api` over HTTP to whoever has the token; `gate` makes trouble on purpose."""

    def __init__(self, api: Api, token: str, log_reader: LogReader | None = None) -> None:
        self.gate = Gate()
        self._token = token.encode()
        self._watcher = Watcher(api, self.gate)
        self._reader = Reader(api, self._watcher)
        self._writer = Writer(api, self._reader)
        self._pods = Pods(api, log_reader)
        self._documents = Documents(api.registry)
        self._registry = api.registry

    def close(self) -> None:
        """End all watches, so that the server can end."""
        self._watcher.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        if scope["type"] != "http":
            return
        request = HttpRequest(scope, receive)
        try:
            body = await _body(request)
            if not self.gate.clear:
                await self._pass_gate(request)
            response = await self._answer(request, body)
        except ClientDisconnect:
            return
        except ApiError as error:
            response = refusal(error)
        except RecursionError:
            response = refusal(ApiError(400, "BadRequest", "the object is nested too deep"))
        except Exception as error:
            _LOG.exception("request failed: %s %s", request.method, request.url.path)
            message = f"Internal error occurred: {type(error).__name__}: {error}"
            response = refusal(ApiError(500, "InternalError", message))
        await response(scope, receive, send)

    async def _pass_gate(self, request: HttpRequest) -> None:
        """Wait for the passage; a client that gave up meanwhile must not have its will."""
        await self.gate.passage()
        if await request.is_disconnected():
            raise ClientDisconnect

    async def _answer(self, request: HttpRequest, body: bytes) -> Response:
        path = request.url.path
        self._authenticate(request, path)
        document = self._documents.find(request)
        if document is not None:
            return document
        where = target.parse(self._registry, path)
        if where.subresource == "proxy" and where.kind.plural == "pods":
            asked = Asked(request.method, request.url.query, request.headers, body)
            return await self._pods.proxy(where, asked)
        if request.method == "GET":
            return await self._read(where, request)
        write = Request(
            where,
            request.query_params,
            request.headers.get("content-type", ""),
            request.headers.get("user-agent", ""),
            body,
        )
        return self._write(request.method, write)

    def _authenticate(self, request: HttpRequest, path: str) -> None:
        given = request.headers.get("authorization", "")
        if not given and path.split("/")[1] in {open_[1:] for open_ in _OPEN_PATHS}:
            return
        scheme, _, token = given.partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(
            token.strip().encode(), self._token
        ):
            raise unauthorized()

    async def _read(self, where: target.Target, request: HttpRequest) -> Response:
        query = request.query_params
        match where.subresource:
            case "status" if "status" not in where.kind.subresources:
                raise no_such_path()
            case "" | "status":
                return self._reader.read(where, query, request.headers.get("accept", ""))
            case "log" if where.kind.plural == "pods":
                return await self._pods.log(where, query)
            case "scale":
                return self._writer.scale("GET", Request(where, query, "", "", b""))
            case _:
                raise no_such_path()

    def _write(self, method: str, request: Request) -> Response:
        where = request.target
        is_pod = where.kind.plural == "pods" and where.kind.group == ""
        match where.subresource:
            case "scale":
                return self._writer.scale(method, request)
            case "eviction" if is_pod and method == "POST":
                return self._pods.evict(request)
            case "binding" if is_pod and method == "POST":
                return self._pods.bind(request)
            case "eviction" | "binding":
                raise method_not_allowed()
            case _:
                return self._writer.write(method, request)


async def _body(request: HttpRequest) -> bytes:
    """Return the body; raises ApiError 413 before a too large one fills the memory."""
    if request.method == "GET":
        return b""
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > bodies.LARGEST:
            raise bodies.too_large()
        chunks.append(chunk)
    return b"".join(chunks)
