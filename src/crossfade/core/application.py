"""An application as its file describes it: what to run, where, and how users move to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from crossfade.base.ids import ApplicationName, ClusterName
from crossfade.base.json_value import Json
from crossfade.core.analysis.spec import Analysis
from crossfade.core.dns.record import DnsSpec
from crossfade.core.failover.drill import Objective
from crossfade.core.failover.failback import STEP_SECONDS, Failback
from crossfade.core.failover.standing import PATIENCE
from crossfade.core.release.data import DataForms
from crossfade.core.rollout.notifications import Notification
from crossfade.core.rollout.spec import Strategy
from crossfade.core.traffic.destinations import Mode
from crossfade.core.traffic.priorities import Priority

Values: TypeAlias = dict[str, Json]
"""Helm values."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the Kubernetes objects of a revision come from: a Helm chart and its values."""

    chart: str
    """A folder (absolute once read from the file), an `oci://` reference, or a name in `repo`."""
    repo: str | None = None
    """Address of the chart repository that `chart` is a name in."""
    version: str | None = None
    """Chart version; needed with `oci://` and `repo`."""
    values: Values = field(default_factory=dict)


class Router(StrEnum):
    """What splits users over revisions inside a cluster."""

    GATEWAY_API = "gateway-api"
    ISTIO = "istio"
    NGINX = "nginx"
    REPLICAS = "replicas"


@dataclass(frozen=True, slots=True)
class Route:
    """How users reach the application inside each cluster, and through the edge."""

    host: str
    service: str
    """Name of the Service as the chart renders it with the application's name as release name."""
    port: int = 80
    """Port of that Service."""
    gateway: str = "infra/public"
    """`namespace/name` of the Gateway that the HTTPRoute attaches to."""
    probe_path: str = "/"
    """Path that edges ask for to learn whether a cluster serves; any answer below 400 is good."""
    try_seconds: float = 0.5
    """Time for one try at one cluster before an idempotent request is tried on another one."""
    router: Router = Router.GATEWAY_API
    retry_non_idempotent: bool = False
    """Whether edges may try a POST or PATCH again that may have been worked on already."""
    sticky: bool = False
    """Whether a user's requests stay with the cluster that answered the first, by a cookie."""
    priorities: tuple[Priority, ...] = ()
    """Classes of requests, the most important first: the last one is turned away first."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Which clusters run the application: those that carry all the labels."""

    match_labels: Mapping[str, str] = field(default_factory=dict)
    mode: Mode = Mode.ACTIVE_ACTIVE
    orders: Mapping[ClusterName, int] = field(default_factory=dict)
    """Lower ones get users first, in every mode but active-active; 0 for those not named."""
    full_percent: int = 80
    """In overflow: how far an order is filled before the next one is used."""
    exclusive: bool = False
    """Only one order serves at a time, as for applications with a single writer."""
    pod_capacity: int | None = None
    """Requests per second that one ready pod carries; None: nobody has said."""
    priority: int = 0
    """Who shares clusters with others gets its capacity before those with lower ones."""
    standby_percent: int = 25
    """Of its pods: what a cluster of an order above 0 runs in the modes with standbys, at rest."""
    minimum_percent: int = 50
    """Of its pods: what a pilot light has ready before it gets anybody."""
    demand: int | None = None
    """Requests per second that must be served whatever is lost; None: what edges count."""


@dataclass(frozen=True, slots=True)
class Failover:
    """How users leave a cluster that fails, and how they come back."""

    auto: bool = True
    """False: the hub never takes a cluster out for its health; edges still leave a dead one."""
    failback: Failback = Failback.RAMP
    recover_seconds: float = PATIENCE.recover_seconds
    """Health without a break before users come back; twice as long with each flap."""
    step_seconds: float = STEP_SECONDS
    """How long each step of a return lasts at least."""
    objective: Objective = field(default_factory=Objective)
    """What is promised of the loss of a cloud; drills measure it."""


@dataclass(frozen=True, slots=True)
class Shared:
    """A chart that is there once, upgraded in place before the revision: a database, CRDs."""

    name: str
    """Of its Helm release."""
    source: Source


@dataclass(frozen=True, slots=True)
class Application:
    """One application file."""

    name: ApplicationName
    source: Source
    route: Route | None = None
    """None: nobody asks it over HTTP, and its pods are all that is rolled out."""
    namespace: str = "default"
    shared: tuple[Shared, ...] = ()
    placement: Placement = Placement()
    failover: Failover = Failover()
    strategy: Strategy = field(default_factory=Strategy)
    analysis: Analysis = field(default_factory=Analysis)
    notifications: tuple[Notification, ...] = ()
    dns: DnsSpec | None = None
    """Where its host is published in DNS; None: a person does."""
    data: DataForms | None = None
    """What this version writes and reads; None: it gets along with every other one."""
    edge_weights: Mapping[ClusterName, int] = field(default_factory=dict)
    """Shares of users per cluster as proportions; a cluster that is not named weighs 100."""
