"""The adapter for each kind of source."""

from collections.abc import Callable
from typing import assert_never

from crossfade.adapters.kubernetes.client import KubeApi
from crossfade.adapters.metrics.cloudwatch import CloudWatchMeasurements
from crossfade.adapters.metrics.datadog import DatadogMeasurements
from crossfade.adapters.metrics.job import JobMeasurements
from crossfade.adapters.metrics.prometheus import PrometheusMeasurements
from crossfade.adapters.metrics.web import WebMeasurements
from crossfade.base.clock import Clock
from crossfade.base.ids import ClusterName
from crossfade.core.analysis.sources import (
    CloudWatchSource,
    DatadogSource,
    JobSource,
    MetricSource,
    PrometheusSource,
    WebSource,
)
from crossfade.ports.measurements import Measurements
from crossfade.ports.secrets import Secrets


class MetricSources:
    """Opens sources, each once: they keep connections open."""

    def __init__(
        self, secrets: Secrets, clock: Clock, api: Callable[[ClusterName], KubeApi]
    ) -> None:
        """`api` returns the API of a cluster of the fleet, or raises NotFound."""
        self._secrets, self._clock, self._api = secrets, clock, api
        self._opened: list[tuple[MetricSource, Measurements]] = []

    def open(self, source: MetricSource) -> Measurements:
        """Return what asks the source; nothing is asked yet."""
        for known, opened in self._opened:
            if known == source:
                return opened
        made = self._made(source)
        self._opened.append((source, made))
        return made

    async def close(self) -> None:
        """Close all connections."""
        for _, opened in self._opened:
            await opened.close()
        self._opened.clear()

    def _made(self, source: MetricSource) -> Measurements:
        match source:
            case PrometheusSource():
                return PrometheusMeasurements(source, self._secrets)
            case DatadogSource():
                return DatadogMeasurements(source, self._secrets)
            case CloudWatchSource():
                return CloudWatchMeasurements(source, self._secrets, self._clock)
            case WebSource():
                return WebMeasurements(source, self._secrets)
            case JobSource():
                return JobMeasurements(self._api)
            case _:
                assert_never(source)
