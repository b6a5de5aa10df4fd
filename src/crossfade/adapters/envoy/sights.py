"""Takes in what edges report, and remembers the newest report of each."""

# Generated protobuf modules get their attributes at run time.
# pyright: reportAttributeAccessIssue=false

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import grpc  # type: ignore[import-untyped]
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2

from crossfade.adapters.envoy.reports import answers, class_sights, seconds, sights
from crossfade.adapters.envoy.statistics import Message, Page, read
from crossfade.adapters.envoy.tls import NOT_ITS_NAME, Peer
from crossfade.base.clock import Clock
from crossfade.core.fleet.edges import FORGOTTEN_SECONDS
from crossfade.ports.edge import EdgeSight, kept

EDGE_HEADER = "crossfade-edge"
"""Where an edge's reports carry its name: OpenTelemetry's protocol has no place for it."""
_SERVICE = "opentelemetry.proto.collector.metrics.v1.MetricsService"
_Report: Message = metrics_service_pb2.ExportMetricsServiceRequest
_Answer: Message = metrics_service_pb2.ExportMetricsServiceResponse
_LOG = logging.getLogger(__name__)


class _Context(Peer, Protocol):
    """The part of grpc.aio's context that we use."""

    def invocation_metadata(self) -> Sequence[tuple[str, str]]: ...
    async def abort(self, code: grpc.StatusCode, details: str) -> None: ...


@dataclass(slots=True)
class _Known:
    sight: EdgeSight
    before: Page


@dataclass(slots=True)
class Sights:
    """The newest report of each edge, for `FORGOTTEN_SECONDS` after the last one."""

    clock: Clock
    max_edges: int
    may_say: Callable[[Peer, str], bool] = lambda _peer, _edge: True
    """Whether who is at the other end may speak as this edge."""
    _known: dict[str, _Known] = field(default_factory=dict)

    def newest(self) -> tuple[EdgeSight, ...]:
        """Return the newest report of each edge, by name."""
        self._forget()
        return tuple(known.sight for _, known in sorted(self._known.items()))

    def handlers(self) -> grpc.GenericRpcHandler:
        """Return what a gRPC server needs to take in reports."""
        export = grpc.unary_unary_rpc_method_handler(
            self._export, _Report.FromString, _Answer.SerializeToString
        )
        return grpc.method_handlers_generic_handler(_SERVICE, {"Export": export})

    async def _export(self, report: Message, context: _Context) -> Message:
        edge = dict(context.invocation_metadata()).get(EDGE_HEADER, "")
        if not edge:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"no {EDGE_HEADER} header")
        if not self.may_say(context, edge):
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, NOT_ITS_NAME)
        if edge not in self._known:
            self._forget()
            if len(self._known) >= self.max_edges:
                await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many edges")
            _LOG.info("edge reports", extra={"edge": edge})
        self.take(edge, report)
        return _Answer()

    def take(self, edge: str, report: Message) -> None:
        """Take in one report."""
        known = self._known.get(edge)
        page, before, now = read(report), known.before if known else None, self.clock.now()
        counted = seconds(page, before, now - known.sight.at if known else 0.0)
        classes = class_sights(page, before)
        targets, page = sights(page, before)
        fared = answers(page, before)
        earlier = kept(known.sight if known else None, now)
        sight = EdgeSight(edge, now, targets, classes, fared, counted, earlier)
        self._known[edge] = _Known(sight, page)

    def _forget(self) -> None:
        oldest = self.clock.now() - FORGOTTEN_SECONDS
        self._known = {name: each for name, each in self._known.items() if each.sight.at > oldest}
