"""Counters of the API for Prometheus; labels are routes and classes of answers, never names."""

import time

from fastapi import Response
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crossfade.engine.feed import Feed

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Meters:
    """The counters of one API."""

    def __init__(self, feed: Feed) -> None:
        self._registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self._requests = Counter(
            "crossfade_api_requests",
            "Requests that were answered, by class of status.",
            labels,
            registry=self._registry,
        )
        self._seconds = Histogram(
            "crossfade_api_request_duration_seconds",
            "Time until an answer began.",
            ("route",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        watchers = Gauge(
            "crossfade_api_event_streams", "Open streams of events.", registry=self._registry
        )
        watchers.set_function(lambda: feed.watchers)
        newest = Gauge(
            "crossfade_newest_event", "Number of the newest event.", registry=self._registry
        )
        newest.set_function(lambda: feed.newest)

    def count(self, scope: Scope, status: int, seconds: float) -> None:
        """Count one answer."""
        # Paths that no route knows are one label: there is no end to them.
        route = getattr(scope.get("route"), "path_format", "unknown")
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._requests.labels(method, route, f"{status // 100}xx").inc()
        self._seconds.labels(route).observe(seconds)

    def page(self) -> Response:
        """Return all of them."""
        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_LATEST)


class Measured:
    """Counts every answer."""

    def __init__(self, app: ASGIApp, meters: Meters) -> None:
        self._app, self._meters = app, meters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, counted = time.perf_counter(), False

        async def counting(message: Message) -> None:
            nonlocal counted
            if message["type"] == "http.response.start":
                counted = True
                self._meters.count(scope, message["status"], time.perf_counter() - begun)
            await send(message)

        try:
            await self._app(scope, receive, counting)
        finally:
            if not counted:
                self._meters.count(scope, 500, time.perf_counter() - begun)
