"""How the statistics that edges push are read, and which they push."""

import re

import pytest
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2

from crossfade.adapters.envoy.statistics import SENT, Endpoint, Page, read

GCP = Endpoint("colors", "10.0.0.1:80", "gcp")


def report(*values: tuple[str, int, dict[str, str]]):
    """Return a report as an edge sends it; counters are sums and levels are gauges."""
    made = metrics_service_pb2.ExportMetricsServiceRequest()
    resource = made.resource_metrics.add()
    fields = {kind.number: kind.name for kind in resource.DESCRIPTOR.fields}
    scope = getattr(resource, fields[2]).add()
    for name, value, attributes in values:
        metric = scope.metrics.add(name=name)
        kind = metric.gauge if name.endswith(("healthy", "active", "total")) else metric.sum
        point = kind.data_points.add(as_int=value)
        for key, text in attributes.items():
            point.attributes.add(key=key).value.string_value = text
    return made


def at(group: str, **more: str) -> dict[str, str]:
    return {"envoy.cluster_name": group} | {f"envoy.{key}": text for key, text in more.items()}


def test_values_are_sorted_by_what_they_are_about():
    where = at("colors", endpoint_address="10.0.0.1:80", endpoint_hostname="gcp")
    page = read(
        report(
            ("cluster.endpoint.healthy", 1, where),
            ("cluster.endpoint.rq_success", 70, where),
            ("cluster.upstream_rq_retry", 3, at("colors")),
            ("cluster.upstream_rq_xx", 5, at("colors", response_code_class="5")),
            ("cluster.upstream_rq", 2, at("colors", response_code="503")),
        )
    )

    assert page == Page(
        {GCP: {"healthy": 1, "rq_success": 70}},
        {"colors": {"upstream_rq_retry": 3, "5xx": 5, "503": 2}},
    )


def test_a_page_tells_when_the_edge_looked_at_its_counters():
    made = report(("cluster.endpoint.healthy", 1, at("colors")))
    for resource in made.resource_metrics:
        for scope in resource.ListFields()[-1][1]:
            scope.metrics[0].gauge.data_points[0].time_unix_nano = 1_500_000_000

    assert read(made).at == 1.5


def test_an_empty_report_is_an_empty_page():
    assert read(report()) == Page()


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("cluster.colors.endpoint.127.0.0.1:80.healthy", True),
        ("cluster.colors~standby.endpoint.[2001:db8::1]:80.rq_active", True),
        ("cluster.colors.upstream_rq_5xx", True),
        ("cluster.colors.external.upstream_rq_5xx", False),
        ("cluster.colors.upstream_rq_retry", True),
        ("cluster.colors.upstream_rq_retry_success", False),
        ("cluster.colors.upstream_rq_200", False),
        ("cluster.colors.upstream_rq_total", False),
        ("http.edge.downstream_rq_5xx", False),
    ],
)
def test_only_what_is_read_is_sent(name, sent):
    assert bool(re.fullmatch(SENT, name)) is sent
