"""Requests as pieces of work, which belong to what their headers say."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crossfade.base import tracing
from crossfade.base.tracing import Kind

_PROBES = ("/healthz", "/readyz", "/metrics")
"""They are asked every few seconds, and tell nobody anything."""
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class Traced:
    """
    Has requests taken down when anything is: method, route, path and status.

    Neither queries, headers nor bodies are, as they may have secrets; nor are streams, which last
    as long as somebody looks on.
    """

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        """`prefix` is what the paths of all routes begin with that are not for the page."""
        self._app, self._prefix = app, prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"] in _PROBES or _streams(scope):
            await self._app(scope, receive, send)
            return
        method = scope["method"] if scope["method"] in _METHODS else "_OTHER"
        parent = tracing.valid(Headers(scope=scope).get(tracing.HEADER, ""))
        with tracing.span(method, parent=parent, kind=Kind.SERVER) as work:

            async def watching(message: Message) -> None:
                if message["type"] == "http.response.start":
                    work.put({"http.response.status_code": message["status"]})
                    if message["status"] >= 500:
                        work.fail(f"answered {message['status']}")
                await send(message)

            work.put({"http.request.method": method, "url.path": scope["path"]})
            try:
                await self._app(scope, receive, watching)
            finally:
                # Routes are known only now; those of paths that nobody knows have no end.
                route = getattr(scope.get("route"), "path_format", "")
                if route:
                    # A router knows its own part of the path alone.
                    inside = scope["path"].startswith(f"{self._prefix}/")
                    whole = route.startswith(self._prefix) or not inside
                    route = route if whole else f"{self._prefix}{route}"
                    work.rename(f"{method} {route}")
                    work.put({"http.route": route})


def _streams(scope: Scope) -> bool:
    return "text/event-stream" in Headers(scope=scope).get("Accept", "")
