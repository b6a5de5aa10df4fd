"""Traces for OpenTelemetry: over HTTP to where the variables OTEL_* say."""

import logging
import threading
import time
from collections.abc import Mapping, Sequence

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Status, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from crossfade.base.tracing import HEADER, Fact, Kind

log = logging.getLogger(__name__)

LAST_SECONDS = 1.0
"""So long at most the newest spans are waited for at the end."""
_QUIET_SECONDS = 60.0
_LONGEST = 1000
"""Longer texts are cut off."""
_KINDS = {Kind.INTERNAL: trace.SpanKind.INTERNAL, Kind.SERVER: trace.SpanKind.SERVER}
_W3C = TraceContextTextMapPropagator()


class OtlpRecorder:
    """
    The protocol `base.tracing.Recorder`.

    Spans are sent by a thread of their own.  What it cannot send in time is dropped: nobody waits.
    """

    def __init__(self, version: str, environment: Mapping[str, str]) -> None:
        """Begin; where to is read from the variables OTEL_* of the process."""
        facts = {"service.version": version}
        named = "service.name=" in environment.get("OTEL_RESOURCE_ATTRIBUTES", "")
        if not named and not environment.get("OTEL_SERVICE_NAME"):
            facts["service.name"] = "crossfade"
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # we say it once a minute
        # It is not made that of the process: others would take down what is ours, in their words.
        self._provider = TracerProvider(resource=Resource.create(facts), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(Telling(OTLPSpanExporter())))
        self._tracer = self._provider.get_tracer("crossfade", version)

    def begin(
        self, name: str, kind: Kind, parent: str, facts: Mapping[str, Fact], began_ns: int
    ) -> "OtlpSpan":
        """Return the work."""
        span = self._tracer.start_span(
            name, _context(parent), _KINDS[kind], _attributes(facts), start_time=began_ns
        )
        return OtlpSpan(span)

    def past(
        self, name: str, parent: str, facts: Mapping[str, Fact], seconds: tuple[float, float]
    ) -> None:
        """Take down what was."""
        began, ended = (int(each * 1e9) for each in seconds)
        attributes = _attributes(facts)
        span = self._tracer.start_span(
            name, _context(parent), attributes=attributes, start_time=began
        )
        span.end(ended)

    def close(self) -> None:
        """Send what is left, within a second; what does not get through by then is lost."""
        last = threading.Thread(target=self._provider.shutdown, daemon=True, name="last-traces")
        last.start()
        last.join(LAST_SECONDS)


class OtlpSpan:
    """The protocol `base.tracing.Taken`."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span
        carrier: dict[str, str] = {}
        _W3C.inject(carrier, set_span_in_context(span, Context()))
        self._traceparent = carrier.get(HEADER, "")

    @property
    def traceparent(self) -> str:
        """Its place."""
        return self._traceparent

    def put(self, facts: Mapping[str, Fact]) -> None:
        """Add facts."""
        self._span.set_attributes(_attributes(facts))

    def note(self, name: str, facts: Mapping[str, Fact]) -> None:
        """Add something that has just happened."""
        self._span.add_event(name, _attributes(facts))

    def rename(self, name: str) -> None:
        """Give it a better name."""
        self._span.update_name(name)

    def end(self, failure: str = "") -> None:
        """Say that it is over."""
        if failure:
            self._span.set_status(Status(StatusCode.ERROR, failure[:_LONGEST]))
        self._span.end()


class Telling(SpanExporter):
    """Sends as the inner one does; says once a minute at most that it does not get through."""

    def __init__(self, inner: SpanExporter) -> None:
        self._inner = inner
        self._lost = 0
        self._told_at: float | None = None

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send them."""
        result = self._inner.export(spans)
        if result is SpanExportResult.SUCCESS:
            if self._lost:
                log.info("traces-sent-again", extra={"lost": self._lost})
            self._lost, self._told_at = 0, None
            return result
        self._lost += len(spans)
        now = time.monotonic()
        if self._told_at is None or now - self._told_at >= _QUIET_SECONDS:
            self._told_at = now
            log.warning("traces-not-sent", extra={"lost": self._lost})
        return result

    def shutdown(self) -> None:
        """End."""
        self._inner.shutdown()


def _context(parent: str) -> Context:
    # Always one of its own: what else runs in this process does not become a parent.
    return _W3C.extract({HEADER: parent}, Context()) if parent else Context()


def _attributes(facts: Mapping[str, Fact]) -> dict[str, Fact]:
    """Return the facts by the names of OpenTelemetry's conventions, ours below `crossfade.`."""
    return {
        name if "." in name else f"crossfade.{name}": (
            value[:_LONGEST] if isinstance(value, str) else value
        )
        for name, value in facts.items()
    }
