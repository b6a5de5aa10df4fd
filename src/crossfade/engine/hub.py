"""The control loops of one hub, and how they wake each other."""

import asyncio
import gc
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from crossfade.base.clock import Clock
from crossfade.base.errors import Unavailable
from crossfade.base.ids import ApplicationName, ClusterName
from crossfade.core.rollout.notifications import Notification
from crossfade.engine.access_records import ACCESS
from crossfade.engine.audit import AuditedDocuments
from crossfade.engine.cached_documents import CachedDocuments
from crossfade.engine.figures import Figures
from crossfade.engine.leadership import Leadership
from crossfade.engine.loops.build_retention import BuildRetention
from crossfade.engine.loops.builds import BuildLoop, BuildPorts
from crossfade.engine.loops.convergence import Convergence
from crossfade.engine.loops.crons import Crons
from crossfade.engine.loops.drills import Drills
from crossfade.engine.loops.edges import EdgeWatch
from crossfade.engine.loops.failover import FailoverLoop
from crossfade.engine.loops.figures import FIGURES, FigureLoop
from crossfade.engine.loops.fleet import Fleet
from crossfade.engine.loops.gating import Gating
from crossfade.engine.loops.judging import Judging
from crossfade.engine.loops.kept_retention import KeptRetention
from crossfade.engine.loops.keyed import KeyedLoop
from crossfade.engine.loops.names import NameLoop
from crossfade.engine.loops.notifications import DELIVERY, DISPATCH, Notifications
from crossfade.engine.loops.retention import Retention
from crossfade.engine.loops.rollouts import Rollouts
from crossfade.engine.loops.runs import Runs
from crossfade.engine.loops.statuses import Statuses
from crossfade.engine.loops.supervisor import serve
from crossfade.engine.loops.telemetry import Telemetry
from crossfade.engine.loops.traffic import Traffic
from crossfade.engine.names import Names
from crossfade.engine.pipelines.forgetting import Forgetting
from crossfade.engine.pipelines.records import BUILD, PIPELINE, STATE, WISHES, Builds
from crossfade.engine.pipelines.starting import Registry
from crossfade.engine.records import (
    ANSWERS,
    APPLICATION,
    CLUSTER,
    DRILL,
    EDGE_PLAN,
    EVIDENCE,
    HEALTH,
    REPORT,
    ROLLOUT,
    RUN,
    USERS,
    Records,
    report_name,
)
from crossfade.ports.blobs import Blobs
from crossfade.ports.cluster_access import Connections
from crossfade.ports.dns import NameServers
from crossfade.ports.edge import Edges
from crossfade.ports.event_log import HubStore
from crossfade.ports.gates import Gates
from crossfade.ports.gateway_probe import GatewayProbe
from crossfade.ports.measurements import Sources
from crossfade.ports.notifier import Notifier

log = logging.getLogger(__name__)

POLL_SECONDS = 0.05
_COLLECT = (20_000, 20, 200)
"""Objects until the youngest are looked at, and how many such looks until older ones are."""
TRAFFIC_REST = 4.0
"""The plan of all edges is made as a whole: at most a fifth of the time goes into it."""


@dataclass(frozen=True, slots=True)
class HubPorts:
    """Everything that a hub works with."""

    documents: HubStore
    blobs: Blobs
    connections: Connections
    edges: Edges
    gateway_probe: GatewayProbe
    gates: Gates
    notifier: Notifier
    sources: Sources
    clock: Clock
    name_servers: NameServers
    builds: BuildPorts | None = None
    """None: it runs no builds."""


class Hub:
    """Runs every loop until cancelled, or until another hub has taken over."""

    def __init__(
        self,
        ports: HubPorts,
        leadership: Leadership,
        epoch: int,
        figures: Figures | None = None,
    ) -> None:
        self._documents = CachedDocuments(ports.documents)
        records = Records(self._documents, fence=epoch)
        records.on_commit = self._committed
        self._records = records
        telemetry = Telemetry(records, ports.connections, ports.sources, ports.clock)
        judging = Judging(records, telemetry, ports.clock)
        runs = Runs(records, ports.sources, ports.clock)
        rollouts = Rollouts(records, judging, runs, ports.clock)
        convergence = Convergence(records, ports.blobs, ports.connections, ports.clock)
        fleet = Fleet(records, ports.connections, ports.gateway_probe, ports.clock)
        failover = FailoverLoop(records, ports.edges, fleet, ports.clock)
        traffic = Traffic(records, ports.edges, ports.clock)
        drills = Drills(records, ports.edges, traffic, ports.clock)
        edges = EdgeWatch(records, ports.edges, ports.clock)
        counted = FigureLoop(records, ports.edges, ports.clock, figures or Figures())
        names = NameLoop(Names(records, ports.name_servers, ports.gateway_probe, ports.clock))
        gating = Gating(records, ports.gates, ports.clock)
        notifications = Notifications(
            records, self._documents, ports.notifier, partial(_subscriptions, records), ports.clock
        )
        retention = Retention(records, self._documents, ports.clock, epoch)
        self._ports, self._keep_lease = ports, partial(leadership.keep, epoch)
        self._wakes, self._outside = self._own_changes(), self._changes_by_others()
        self.rollouts = KeyedLoop("rollouts", rollouts.keys, rollouts.reconcile)
        self.convergence = KeyedLoop("convergence", convergence.keys, convergence.reconcile)
        self.telemetry = KeyedLoop("telemetry", convergence.keys, telemetry.reconcile)
        self.judging = KeyedLoop("judging", rollouts.keys, judging.reconcile)
        self.runs = KeyedLoop("runs", rollouts.keys, runs.reconcile)
        self.gating = KeyedLoop("gating", rollouts.keys, gating.reconcile)
        self.notifications = KeyedLoop("notifications", notifications.keys, notifications.reconcile)
        self.retention = KeyedLoop("retention", retention.keys, retention.reconcile)
        self.fleet = KeyedLoop("fleet", fleet.keys, fleet.reconcile)
        self.failover = KeyedLoop("failover", failover.keys, failover.reconcile)
        self.names = KeyedLoop("names", names.keys, names.reconcile)
        self.drills = KeyedLoop("drills", drills.keys, drills.reconcile)
        self.edges = KeyedLoop("edges", edges.keys, edges.reconcile)
        self.figures = KeyedLoop(FIGURES, counted.keys, counted.reconcile)
        self.traffic = KeyedLoop("traffic", traffic.keys, traffic.reconcile, rest=TRAFFIC_REST)
        self.builds = _build_loops(ports, epoch)

    async def run(self) -> None:
        """Run until cancelled.  Raises Conflict (in a group) when the lease is lost."""
        await self._documents.refresh()
        await read_ahead(self._records)
        with calm_collector():
            await serve(
                {
                    "lease": self._keep_lease,
                    "commands": self._watch_store,
                    **{loop.name: loop.run for loop in (*self._loops(), *self._apart())},
                }
            )

    def _own_changes(self) -> dict[str, Callable[[str], None]]:
        """Return whom to wake after commits of this hub, by kind."""
        return {
            APPLICATION: self._changed,
            REPORT: self._reported,
            HEALTH: self._fleet_changed,
            CLUSTER: self._fleet_changed,
            USERS: self._users_moved,
            DRILL: self._drilled,
            ROLLOUT: self._moved,
            EVIDENCE: self._moved,
            ANSWERS: self._moved,
            RUN: self._moved,
            DELIVERY: self._undelivered,
        }

    def _changes_by_others(self) -> dict[str, Callable[[str], None]]:
        """Return whom to wake after commits of commands; all, for kinds that are not named."""
        return {
            APPLICATION: self._commanded,
            ROLLOUT: self._commanded_rollout,
            DRILL: self._drilled,
            **dict.fromkeys((BUILD, WISHES, PIPELINE), self._build_asked_for),
            **dict.fromkeys((STATE, *ACCESS), _of_no_concern),
        }

    def _loops(self) -> tuple[KeyedLoop, ...]:
        return (
            self.traffic,
            self.drills,
            self.edges,
            self.names,
            self.fleet,
            self.failover,
            self.convergence,
            self.telemetry,
            self.judging,
            self.gating,
            self.runs,
            self.rollouts,
            self.notifications,
        )

    def _apart(self) -> tuple[KeyedLoop, ...]:
        """Return the loops that no change of the fleet concerns."""
        return (self.retention, self.figures, *self.builds)

    async def _watch_store(self) -> None:
        """
        Have looked at again what somebody else, a user's command, has changed.

        A store that cannot be read just now is asked again; when it stays away, the lease ends us.
        """
        readable = True
        while True:
            await asyncio.sleep(POLL_SECONDS)
            try:
                changed = await self._documents.refresh()
            except Unavailable as error:
                if readable:
                    log.warning("store-unreadable", extra={"error": str(error)})
                readable = False
                continue
            readable = True
            if changed is None:
                self._everything_changed("")
                continue
            for kind, name in changed:
                self._outside.get(kind, self._everything_changed)(name)

    def _committed(self, _sequence: int, changed: tuple[tuple[str, str], ...]) -> None:
        """Wake whom our own commit concerns."""
        for kind, name in changed:
            wake = self._wakes.get(kind)
            if wake is not None:
                wake(name)

    def _everything_changed(self, _name: str) -> None:
        for loop in self._loops():
            loop.poke()

    def _commanded(self, name: str) -> None:
        """Somebody has changed an application, made one, or removed it."""
        self._changed(name)
        for loop in (self.judging, self.runs, self.gating):
            loop.poke(name)

    def _commanded_rollout(self, name: str) -> None:
        """Somebody has begun a rollout, or changed what it is to do."""
        self._commanded(name.rpartition(".")[0])
        self.notifications.poke(DISPATCH)

    def _build_asked_for(self, _name: str) -> None:
        """Somebody wants a build, or wants something of one."""
        for loop in self.builds:
            loop.poke()

    def _changed(self, name: str) -> None:
        """We have changed what the clusters of an application should run."""
        for loop in (self.convergence, self.telemetry):
            loop.poke_those_of(report_name(ApplicationName(name), ClusterName("")))
        self.traffic.poke()
        self.rollouts.poke(name)

    def _fleet_changed(self, _name: str) -> None:
        for loop in (self.rollouts, self.convergence, self.telemetry, self.traffic):
            loop.poke()

    def _drilled(self, _name: str) -> None:
        """A drill takes a cluster out, or brings it back: who is asked meanwhile must know."""
        for loop in (self.traffic, self.failover, self.fleet, self.drills):
            loop.poke()

    def _reported(self, name: str) -> None:
        self.rollouts.poke(name.partition("@")[0])
        self.traffic.poke(EDGE_PLAN)

    def _users_moved(self, name: str) -> None:
        """Users of an application move between clusters: what is counted meanwhile says little."""
        self.rollouts.poke(name)

    def _moved(self, name: str) -> None:
        """A rollout, or what it depends on, has changed: `application.number`, a run behind it."""
        application = name.partition("/")[0].rpartition(".")[0]
        for loop in (self.rollouts, self.judging, self.gating):
            loop.poke(application)
        self.notifications.poke(DISPATCH)

    def _undelivered(self, _name: str) -> None:
        self.notifications.poke()


async def read_ahead(records: Records) -> None:
    """
    Read at once what all loops are about to read one by one, and what pages list.

    With a thousand applications, that saves their first looks thousands of reads, and people who
    look at once a second.
    """
    applications = await records.applications()
    await records.rollouts_of(each.value for each in applications)
    for kind in (REPORT, HEALTH, USERS, BUILD):
        await records.documents.list(kind)


def _of_no_concern(_name: str) -> None:
    """Who runs a build watches its state; accounts are for those who ask."""


def _build_loops(ports: HubPorts, epoch: int) -> tuple[KeyedLoop, ...]:
    """Return what runs builds.  It reads the store itself: hours pass between two of its looks."""
    builds = Builds(ports.documents, epoch)
    old = BuildRetention(builds, ports.documents, ports.clock, epoch)
    retention = KeyedLoop("build-retention", old.keys, old.reconcile)
    if ports.builds is None:
        return (retention,)
    work = BuildLoop(builds, ports.builds)
    loop = KeyedLoop("builds", work.keys, work.reconcile)
    audited = AuditedDocuments(ports.documents, "cron", "cron", ports.clock)
    registry = Registry(Builds(audited, epoch), ports.clock, ports.builds.graph)
    crons = Crons(builds, registry, ports.clock)
    work.on_end = crons.on_start = loop.poke
    loops: tuple[KeyedLoop, ...] = (
        retention,
        loop,
        KeyedLoop("crons", crons.keys, crons.reconcile),
    )
    files, workspaces = ports.builds.around.files, ports.builds.workspaces
    if files is not None and workspaces is not None:
        forgetting = Forgetting(builds, files, workspaces, ports.clock)
        kept = KeptRetention(forgetting, ports.builds.limits)
        loops = (*loops, KeyedLoop("kept-files", kept.keys, kept.reconcile))
    if ports.builds.servers is None:
        return loops
    told = Statuses(builds, ports.builds.servers, ports.clock)
    return (*loops, KeyedLoop("statuses", told.keys, told.reconcile))


@contextmanager
def calm_collector() -> Iterator[None]:
    """
    Have rings of garbage looked for less often.

    A whole look takes half a second with a thousand applications, in which nothing else is done;
    nearly everything here is freed without it.
    """
    before = gc.get_threshold()
    gc.set_threshold(*_COLLECT)
    try:
        yield
    finally:
        gc.set_threshold(*before)


async def _subscriptions(
    records: Records, application: ApplicationName
) -> tuple[Notification, ...]:
    stored = await records.find_application(application)
    return stored.value.spec.notifications if stored else ()
