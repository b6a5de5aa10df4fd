"""Counters that gateways and meshes already have in Prometheus, per revision."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from crossfade.base.ids import ClusterName, RevisionId
from crossfade.core.analysis.queries import CounterQuery, CounterSeries


class Preset(StrEnum):
    """Who counts."""

    ISTIO = "istio"
    NGINX = "nginx"
    ENVOY_GATEWAY = "envoy-gateway"
    LINKERD = "linkerd"


@dataclass(frozen=True, slots=True)
class Arm:
    """One revision as gateways know it."""

    revision: RevisionId
    service: str
    """Name of its Service."""
    backend: int = 0
    """Its position among the backends of the route's rule."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where requests are counted."""

    cluster: ClusterName
    namespace: str
    """Of the application."""
    route: str = ""
    """Name of the HTTPRoute."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """More labels that all series must have, as where one Prometheus has many clusters."""


@dataclass(frozen=True, slots=True)
class _Counters:
    """How one kind of gateway labels what it counts."""

    requests: str
    latency: str
    unit_seconds: float
    arm_labels: tuple[str, ...]
    failed_label: str
    failed_pattern: str
    labels: tuple[str, ...] = ()
    """Matchers of both counters; `{namespace}` stands for the application's."""


_COUNTERS = {
    # The client's side counts also what never arrived: refused, reset, too slow (code 0).
    Preset.ISTIO: _Counters(
        "istio_requests_total",
        "istio_request_duration_milliseconds_bucket",
        0.001,
        ("destination_service_name",),
        "response_code",
        "5..|0",
        ('reporter="source"', 'destination_service_namespace="{namespace}"'),
    ),
    # Unless Prometheus honours labels, it renames those of the controller to `exported_...`.
    Preset.NGINX: _Counters(
        "nginx_ingress_controller_requests",
        "nginx_ingress_controller_request_duration_seconds_bucket",
        1.0,
        ("exported_service", "service"),
        "status",
        "5..",
    ),
    # Backends of one rule are counted apart only where each has an Envoy cluster of its own.
    Preset.ENVOY_GATEWAY: _Counters(
        "envoy_cluster_upstream_rq_xx",
        "envoy_cluster_upstream_rq_time_bucket",
        0.001,
        ("envoy_cluster_name",),
        "envoy_response_code_class",
        "5",
    ),
    Preset.LINKERD: _Counters(
        "response_total",
        "response_latency_ms_bucket",
        0.001,
        ("dst_service",),
        "classification",
        "failure",
        ('direction="outbound"', 'dst_namespace="{namespace}"'),
    ),
}


def counters(
    preset: Preset, place: Place, arms: tuple[Arm, ...], edges_seconds: tuple[float, ...] = ()
) -> CounterQuery:
    """Return the raw counters of the revisions, for the sequential judge."""
    shape = _COUNTERS[preset]
    return CounterQuery(
        cluster=place.cluster,
        arms={_value(preset, place, arm): arm.revision for arm in arms},
        requests=_series(preset, shape.requests, place),
        failed_label=shape.failed_label,
        failed_pattern=shape.failed_pattern,
        latency=_series(preset, shape.latency, place) if edges_seconds else (),
        edge_unit_seconds=shape.unit_seconds,
        edges_seconds=edges_seconds,
    )


def _value(preset: Preset, place: Place, arm: Arm) -> str:
    """Return what the series call the revision."""
    if preset is Preset.ENVOY_GATEWAY:
        return f"httproute/{place.namespace}/{place.route}/rule/0/backend/{arm.backend}"
    return arm.service


def _series(preset: Preset, metric: str, place: Place) -> tuple[CounterSeries, ...]:
    shape = _COUNTERS[preset]
    return tuple(
        CounterSeries(_selector(metric, place, shape, [f'{label}=~"{{{{arms}}}}"']), label)
        for label in shape.arm_labels
    )


def _selector(metric: str, place: Place, shape: _Counters, matchers: list[str]) -> str:
    fixed = [each.replace("{namespace}", place.namespace) for each in shape.labels]
    if shape is _COUNTERS[Preset.NGINX]:
        service = matchers[0].partition("service")[0]  # "exported_" or ""
        fixed = [f'{service}namespace="{place.namespace}"']
    more = [f"{name}={_quoted(value)}" for name, value in sorted(place.labels.items())]
    return f"{metric}{{{', '.join([*fixed, *matchers, *more])}}}"


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
