"""The adapter for each kind of source."""

import pytest

from crossfade.adapters.metrics.sources import MetricSources
from crossfade.base.secrets import SecretRef
from crossfade.core.analysis.sources import (
    CloudWatchSource,
    DatadogSource,
    JobSource,
    PrometheusSource,
    WebSource,
)
from crossfade.testing.clock import FakeClock

KEY = SecretRef("key")
SOURCES = [
    PrometheusSource("http://prometheus"),
    DatadogSource(KEY, KEY),
    CloudWatchSource("eu-west-1", KEY, KEY),
    WebSource(),
    JobSource(),
]


@pytest.mark.parametrize("source", SOURCES, ids=lambda each: type(each).__name__)
async def test_every_kind_of_source_can_be_opened_and_stays_open(source, secrets):
    sources = MetricSources(secrets, FakeClock(), lambda _: None)
    assert sources.open(source) is sources.open(source)
    assert type(sources.open(source)).__name__ == type(source).__name__.replace(
        "Source", "Measurements"
    )
    await sources.close()


async def test_two_sources_of_one_kind_are_not_mixed_up(secrets):
    sources = MetricSources(secrets, FakeClock(), lambda _: None)
    assert sources.open(PrometheusSource("http://a")) is not sources.open(
        PrometheusSource("http://b")
    )
    await sources.close()
