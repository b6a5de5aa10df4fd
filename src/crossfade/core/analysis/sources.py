"""Where metrics come from, as users describe it.  Credentials are references."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from crossfade.base.secrets import SecretRef


@dataclass(frozen=True, slots=True)
class Bearer:
    """`Authorization: Bearer TOKEN`."""

    token: SecretRef


@dataclass(frozen=True, slots=True)
class Basic:
    """User and password."""

    user: str
    password: SecretRef


@dataclass(frozen=True, slots=True)
class Header:
    """A header of any name that has the secret, as `X-API-Key` does."""

    name: str
    value: SecretRef


Credentials: TypeAlias = Bearer | Basic | Header


@dataclass(frozen=True, slots=True)
class PrometheusSource:
    """Prometheus, or what speaks its HTTP API: Thanos, Mimir, VictoriaMetrics, ..."""

    address: str
    """Up to what comes before `/api/v1`."""
    credentials: Credentials | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """Sent along, as `X-Scope-OrgID` for Mimir."""
    ca_file: str = ""
    """Certificate authorities to trust instead of the system's."""
    timeout_seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class DatadogSource:
    """Datadog."""

    api_key: SecretRef
    application_key: SecretRef
    address: str = "https://api.datadoghq.com"
    """That of your site, as https://api.datadoghq.eu."""
    timeout_seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class CloudWatchSource:
    """Amazon CloudWatch in one region."""

    region: str
    access_key_id: SecretRef
    secret_access_key: SecretRef
    session_token: SecretRef | None = None
    address: str = ""
    """"" for the region's own, https://monitoring.REGION.amazonaws.com."""
    timeout_seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class WebSource:
    """Any JSON over HTTP: each query has its address."""

    ca_file: str = ""


@dataclass(frozen=True, slots=True)
class JobSource:
    """Jobs in clusters of the fleet."""


MetricSource: TypeAlias = (
    PrometheusSource | DatadogSource | CloudWatchSource | WebSource | JobSource
)
