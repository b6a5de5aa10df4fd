"""Which adapters the program is made of.  Nothing else builds them."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from crossfade.adapters.helm.charts import HelmCharts
from crossfade.adapters.helm.command import HelmCommand
from crossfade.adapters.helm.releases import HelmReleases
from crossfade.adapters.kubernetes.client import KubeApi
from crossfade.adapters.kubernetes.probe import LightkubeProbe
from crossfade.adapters.metrics.envoy import EnvoyCounts, EnvoyPages, cluster_name
from crossfade.adapters.person import who_runs_this
from crossfade.adapters.routers.choice import router_for
from crossfade.adapters.secrets.environment import EnvironmentSecrets
from crossfade.adapters.secrets.files import FileSecrets
from crossfade.adapters.secrets.kubernetes import KubernetesSecrets
from crossfade.adapters.secrets.places import SecretPlaces
from crossfade.adapters.secrets.sealed import SealedSecrets
from crossfade.adapters.secrets.sealing import KeyRing
from crossfade.adapters.store.sql import SqlStore
from crossfade.base.clock import Clock, SteadyClock
from crossfade.base.errors import NotFound, Unavailable
from crossfade.base.ids import ApplicationName, ClusterName
from crossfade.base.tracing import recorded
from crossfade.core.application import Application, Router, Values
from crossfade.core.fleet.cluster import Cluster
from crossfade.core.release.report import Address
from crossfade.core.release.revision import Revision
from crossfade.core.rollout.state import Rollout
from crossfade.engine.admission import Admitted
from crossfade.engine.audit import AuditedDocuments, AuditLog
from crossfade.engine.commands import Commands
from crossfade.engine.deploy_plan import DeployPlan, deploy_plan
from crossfade.engine.deploying_once import deploy_once
from crossfade.engine.deployments import Deployments
from crossfade.engine.drilling import Drilling
from crossfade.engine.failover_status import FailoverStatus, failover_history, failover_status
from crossfade.engine.figures import Figures
from crossfade.engine.history import History
from crossfade.engine.leadership import Leadership, own_holder, who_leads
from crossfade.engine.names import Names
from crossfade.engine.queries import Queries
from crossfade.engine.records import Records
from crossfade.ports.cluster_access import ClusterAccess
from crossfade.ports.documents import Documents, Event
from crossfade.ports.traffic_counts import Counts, TrafficCounts
from crossfade.settings import SEALING_KEY, SECRET, Settings, tracing

if TYPE_CHECKING:
    from crossfade.adapters.envoy.tls import HubTls
    from crossfade.engine.people import People
    from crossfade.engine.pipelines.shared_configurations import SharedConfigurations
    from crossfade.engine.secret_commands import SecretCommands
    from crossfade.engine.sign_on import SignOnCommands


class RealConnections:
    """Clusters over the Kubernetes API and the helm binary; counters from gateway Envoys."""

    def __init__(self, helm: HelmCommand) -> None:
        self._helm, self._pages = helm, EnvoyPages()
        self._known: dict[ClusterName, tuple[Cluster, ClusterAccess]] = {}
        self._apis: dict[ClusterName, KubeApi] = {}
        self._opened: list[KubeApi] = []
        """All that must be closed, also of clusters that were changed since."""

    def cluster(self, cluster: Cluster) -> ClusterAccess:
        """Return the ports of the cluster, the same ones each time while it stays the same."""
        known = self._known.get(cluster.name)
        if known is not None and known[0] == cluster:
            return known[1]
        api = self._apis[cluster.name] = KubeApi(cluster)
        self._opened.append(api)
        routers = {kind: router_for(kind, api) for kind in Router}
        access = ClusterAccess(
            LightkubeProbe(api),
            HelmReleases(api, self._helm),
            routers[Router.GATEWAY_API],
            routers,
        )
        self._known[cluster.name] = (cluster, access)
        return access

    def api(self, cluster: ClusterName) -> KubeApi:
        """Return the API of a cluster that was asked before.  Raises NotFound."""
        found = self._apis.get(cluster)
        if found is None:
            known = ", ".join(self._apis)
            raise NotFound(f"there is no cluster `{cluster}`", hint=f"the fleet: {known}")
        return found

    def counts(
        self, application: Application, address: Address, revisions: tuple[Revision, ...]
    ) -> TrafficCounts:
        """Return what reads the counters at the address."""
        if address.metrics_url is None or application.route is None:
            return _NoCounts(address)
        port = application.route.port
        clusters = {cluster_name(each.namespace, each.service, port): each.id for each in revisions}
        return EnvoyCounts(self._pages, address.metrics_url, clusters)

    async def close(self) -> None:
        """Close all connections."""
        for api in self._opened:
            await api.close()
        await self._pages.close()


@dataclass(frozen=True, slots=True)
class _NoCounts:
    """A gateway that publishes no counters: that is silence, no zero."""

    address: Address

    async def read(self, application: ApplicationName) -> tuple[Counts, ...]:
        raise Unavailable(
            "the gateway publishes no counters",
            hint="annotate the Gateway with `crossfade.dev/metrics-url`",
            application=application,
            gateway=f"{self.address.host}:{self.address.port}",
        )


@dataclass(frozen=True, slots=True)
class Session:
    """Everything that a command of a person works with."""

    commands: Commands
    deployments: Deployments
    queries: Queries
    history: History
    clock: Clock
    store: SqlStore
    settings: Settings
    connections: RealConnections

    def names(self) -> Names:
        """Return what looks at names in DNS; slow to import."""
        from crossfade.adapters.dns.rfc2136 import Rfc2136NameServers
        from crossfade.adapters.probes.gateway import HttpGatewayProbe

        servers = Rfc2136NameServers(self.secrets())
        return Names(self.queries.records, servers, HttpGatewayProbe(), self.clock)

    def secrets(self) -> SecretPlaces:
        """Return where the hub's secrets are looked up."""
        return _secrets(self.settings, self.connections, self.store)

    def audit(self) -> AuditLog:
        """Return who has done what."""
        return AuditLog(self.store)

    def people(self) -> "People":
        """Return the accounts; slow to import."""
        from crossfade.adapters.passwords import ArgonPasswords
        from crossfade.engine.people import People

        return People(self._own(), ArgonPasswords(), self.clock)

    def secret_commands(self) -> "SecretCommands":
        """Return the secrets of the store, for the person of this machine; slow to import."""
        from crossfade.engine.secret_commands import SecretCommands

        return SecretCommands(self._own(), key_ring(self.settings), self.clock)

    def shared_configurations(self) -> "SharedConfigurations":
        """Return the shared configurations of pipelines, for the person of this machine."""
        from crossfade.engine.pipelines.records import Builds
        from crossfade.wiring_pipelines import shared_configurations

        return shared_configurations(self.settings, Builds(self._own()), self.clock)

    def sign_on_commands(self) -> "SignOnCommands":
        """Return the identity provider, for the person of this machine."""
        from crossfade.engine.sign_on import SignOnCommands

        return SignOnCommands(self._own(), self.clock)

    def drilling(self) -> Drilling:
        """Return what is asked of drills."""
        return Drilling(self.commands.records, self.clock)

    async def plan(self, name: ApplicationName, changes: Values) -> DeployPlan:
        """Return what a deployment would do."""
        return await deploy_plan(self.deployments, name, changes)

    def _own(self) -> AuditedDocuments:
        return AuditedDocuments(self.store, who_runs_this(), "cli", self.clock)

    async def apply(
        self,
        applications: Sequence[Application],
        text: str,
        folder: Path | None,
        *,
        force: bool = False,
    ) -> Mapping[ApplicationName, str]:
        """Make or change the applications, read from this text; return what became of each."""
        return {each.name: await self.commands.apply(each, force=force) for each in applications}

    async def admitted(self, application: Application) -> Admitted:
        """Return whether what runs would survive what the file newly promises."""
        return await self.commands.admitted(application)

    async def deploy_once(
        self, name: ApplicationName, changes: Values, key: str, *, force: bool = False
    ) -> Rollout:
        """Return the rollout that was asked for with this key; one is started unless there is."""
        return await deploy_once(self.deployments, name, changes, key, force=force)

    async def failover(self) -> FailoverStatus:
        """Return where every cluster stands."""
        return await failover_status(self.queries.records, self.clock.now())

    async def failover_history(self, name: str) -> tuple[Event, ...]:
        """Return all that was decided of a cluster or an application.  Raises NotFound."""
        return await failover_history(self.queries.records, name)

    async def hub(self) -> str | None:
        """Return who runs the loops on this store, None when nobody does."""
        return await who_leads(self.store, self.clock.now())


def key_ring(settings: Settings) -> KeyRing:
    """Return the keys of the secrets in the store."""
    given = os.environ.get(SEALING_KEY.name, "")
    return KeyRing(settings.sealing_key_file, SEALING_KEY.name, given)


def _secrets(
    settings: Settings, connections: RealConnections, documents: Documents
) -> SecretPlaces:
    return SecretPlaces(
        EnvironmentSecrets(os.environ, SECRET.name),
        FileSecrets(settings.secrets_dir),
        SealedSecrets(documents, key_ring(settings)),
        KubernetesSecrets(connections.api),
    )


@asynccontextmanager
async def session(settings: Settings) -> AsyncIterator[Session]:
    """Open the store for one command of a person."""
    store = await SqlStore.open(settings.database_url)
    helm = HelmCommand()
    connections = RealConnections(helm)
    try:
        clock = SteadyClock(not_before=await store.newest_event_at())
        records = Records(AuditedDocuments(store, who_runs_this(), "cli", clock))
        queries = Queries(records, clock)
        yield Session(
            Commands(records, connections, clock),
            Deployments(records, store, HelmCharts(helm), clock, connections),
            queries,
            History(queries),
            clock,
            store,
            settings,
            connections,
        )
    finally:
        await connections.close()
        await store.close()


@contextmanager
def traced(told: Callable[[str], None]) -> Iterator[None]:
    """
    Have all that is done in the block traced if the environment says where to; `told` why not.

    Whatever is wrong with traces, the work goes on without them.
    """
    wish = tracing(os.environ)
    if not wish.wanted:
        if wish.refusal:
            told(f"no traces: {wish.refusal}")
        yield
        return
    try:
        from crossfade.adapters.tracing.otlp import OtlpRecorder
    except ImportError:
        told(
            "no traces: OTEL_* asks for them, `pip install 'crossfade[otel]'` and then"
            " `pip install --force-reinstall --no-deps opentelemetry-proto` bring what it takes"
        )
        yield
        return
    recorder = OtlpRecorder(_version(), os.environ)
    try:
        with recorded(recorder):
            yield
    finally:
        recorder.close()


def _version() -> str:
    try:
        return version("crossfade")
    except PackageNotFoundError:  # a checkout that was not installed
        return "unknown"


def _edge_tls(settings: Settings) -> "HubTls | None":
    """
    Return what the hub shows to edges, which is read now: not when the hub that leads has ended.

    Raises InputError, Denied.
    """
    from crossfade.adapters.envoy.tls import Ends, HubTls

    if settings.edge_tls is None:
        return None
    tls = HubTls(settings.edge_tls)
    tls.read()
    Ends(tls, SteadyClock()).look(())
    return tls


async def run_hub(
    settings: Settings,
    ready: asyncio.Event,
    *,
    standby: Callable[[str], None] | None = None,
    figures: Figures | None = None,
) -> None:
    """
    Run a hub until cancelled, with edges at `settings.hub_listens`; `ready` is set once it listens.

    With `standby` another hub on the store is waited for, and `standby` is told who it is.
    What edges count is put into `figures`.
    Raises Conflict when the port is taken, when another hub runs, or has taken over.
    """
    from crossfade.adapters.dns.rfc2136 import Rfc2136NameServers
    from crossfade.adapters.envoy.ads import AdsEdges
    from crossfade.adapters.git_servers.statuses import GitServers
    from crossfade.adapters.metrics.sources import MetricSources
    from crossfade.adapters.notify.channels import ChannelNotifier
    from crossfade.adapters.notify.gates import WebhookGates
    from crossfade.adapters.probes.gateway import HttpGatewayProbe
    from crossfade.engine.hub import Hub, HubPorts
    from crossfade.wiring_pipelines import build_ports

    tls = _edge_tls(settings)
    async with AsyncExitStack() as closing:  # closes what was opened, the newest first
        store = await SqlStore.open(settings.database_url)
        closing.push_async_callback(store.close)
        clock = SteadyClock(not_before=await store.newest_event_at())
        leadership = Leadership(store, clock, own_holder())
        lease = await (leadership.stand_by(standby) if standby else leadership.acquire())
        closing.push_async_callback(leadership.give_up)
        # Made after the other hub has ended: no time of ours is before one that it has written.
        clock = SteadyClock(not_before=await store.newest_event_at())
        connections = RealConnections(HelmCommand())
        closing.push_async_callback(connections.close)
        secrets = _secrets(settings, connections, store)
        sources = MetricSources(secrets, clock, connections.api)
        closing.push_async_callback(sources.close)
        notifier = ChannelNotifier(secrets, clock)
        closing.push_async_callback(notifier.close)
        gates = WebhookGates(secrets, clock)
        closing.push_async_callback(gates.close)
        servers = GitServers(secrets)
        closing.push_async_callback(servers.close)
        at = settings.hub_listens
        edges = AdsEdges(at.port, at.host, clock=clock, tls=tls)
        closing.push_async_callback(edges.stop)
        await edges.start()
        probe = HttpGatewayProbe()
        names = Rfc2136NameServers(secrets)
        own = (store, store, connections, edges, probe, gates, notifier, sources, clock, names)
        builds = build_ports(settings, store, clock, secrets, servers)
        if builds.close is not None:
            closing.push_async_callback(builds.close)
        ports = HubPorts(*own, builds)
        hub = Hub(ports, leadership, lease.epoch, figures)
        ready.set()
        await hub.run()
