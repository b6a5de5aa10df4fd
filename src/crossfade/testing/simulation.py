"""
A small world without I/O: clusters that take acts late or never, a hub that forgets and repeats.

It runs the real decisions of `core` in the order in which the engine runs them.  Tests look at it
after every event, and say what must hold.
"""

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from crossfade.base.errors import Conflict
from crossfade.base.ids import NO_EPOCH, ClusterName, Epoch, RevisionId
from crossfade.core.analysis.judgement import Judgement, Verdict
from crossfade.core.failover.health import ClusterHealth
from crossfade.core.failover.standing import Presence, Standing
from crossfade.core.failover.users import Candidate, Users, next_users
from crossfade.core.failover.wish import ClusterWish
from crossfade.core.release.converge import (
    Act,
    Install,
    Rest,
    Roll,
    Scale,
    Uninstall,
    WriteRoute,
    next_act,
)
from crossfade.core.release.report import Address, Report, RevisionReport
from crossfade.core.rollout.commands import Command, perform
from crossfade.core.rollout.decide import decide
from crossfade.core.rollout.record import Record, advance, with_wanted
from crossfade.core.rollout.state import ClusterSight, Rollout, Sight
from crossfade.core.traffic.split import Split
from crossfade.testing.builders import APP

PODS = 3


@dataclass(slots=True)
class ModelCluster:
    """One cluster: what is installed, what its route says, and what its data plane serves."""

    name: ClusterName
    up: bool = True
    api: bool = True
    """Its API server answers; without it the data plane serves on, and nothing can be asked."""
    pods: dict[RevisionId, int] = field(default_factory=dict)
    """Ready pods of each installed revision."""
    scale: dict[RevisionId, int] = field(default_factory=dict)
    """Percent of the chart's pods that each installed revision is asked to run."""
    held: Epoch = NO_EPOCH
    route: Split = field(default_factory=Split)
    served_epoch: Epoch = NO_EPOCH
    served: Split = field(default_factory=Split)
    """What users of this cluster meet; follows the route late."""
    idle_since: dict[RevisionId, float] = field(default_factory=dict)
    report: Report | None = None
    back_at: float = 0.0
    share: int = 0
    """Weight at the edge."""

    @property
    def reachable(self) -> bool:
        """Whether anything can be seen of it or asked of it."""
        return self.up and self.api

    def size(self, revision: RevisionId) -> int:
        """Return how many pods the revision is asked to run."""
        return math.ceil(PODS * self.scale.get(revision, 100) / 100)

    def take_route(self) -> None:
        """Let the data plane serve the route."""
        if self.up:
            self.served_epoch, self.served = self.held, self.route

    def look(self, now: float) -> Report:
        """Return what a hub sees, which the cluster remembers as its report."""
        in_force = self.served_epoch == self.held
        last = self.report
        if in_force:
            epoch, shares = self.served_epoch, dict(self.served.shares)
        elif last is None or last.looked_at < self.back_at:
            epoch, shares = NO_EPOCH, {}
        else:
            epoch, shares = last.epoch, dict(last.shares)
        if in_force:
            idle = {each for each in self.pods if not self.served.meets_users(each)}
            for revision in set(self.idle_since) - idle:
                del self.idle_since[revision]
            for revision in idle:
                self.idle_since.setdefault(revision, now)
        else:
            self.idle_since.clear()
        revisions = {
            revision: RevisionReport(
                True,
                ready >= self.size(revision),
                self.size(revision),
                min(ready, self.size(revision)),
                scale=self.scale.get(revision, 100),
            )
            for revision, ready in self.pods.items()
        }
        self.report = Report(
            APP,
            self.name,
            now,
            epoch=epoch,
            shares=shares,
            in_force=in_force,
            revisions=revisions,
            idle_since=dict(self.idle_since),
            address=Address("127.0.0.1", 80),
        )
        return self.report


@dataclass(slots=True)
class World:
    """A fleet, one application, one rollout."""

    record: Record
    rollout: Rollout
    clusters: list[ModelCluster]
    waves: Mapping[ClusterName, int] = field(default_factory=dict)
    verdict: Verdict = Verdict.PASS
    scope: tuple[ClusterName, ...] = ()
    """Where a FAIL was found; empty: everywhere."""
    now: float = 100.0
    removed: list[tuple[ClusterName, RevisionId]] = field(default_factory=list)
    users: Users = field(default_factory=lambda: Users(APP))

    @property
    def names(self) -> list[ClusterName]:
        """The clusters of the fleet."""
        return [each.name for each in self.clusters]

    def decide(self) -> None:
        """Let the rollouts loop take one step."""
        if not self.rollout.active:
            self.record = with_wanted(self.record, None, self.names, self.now)
            return
        decision = decide(self.rollout, self.sight(), self.now)
        self.record, self.rollout = advance(
            self.record, self.rollout, decision, self.names, self.now
        )

    def sight(self) -> Sight:
        """Return what the rollouts loop sees now."""
        good = self.verdict is Verdict.PASS
        scope = self.scope if self.verdict is Verdict.FAIL else ()
        share = self.rollout.state.percent
        judged = Judgement(
            self.verdict,
            100,
            10,
            "model",
            scope=scope,
            proven=good and share > 0,
            ramp=max(1.0, 2 * share) if good else share / 2,
        )
        return Sight(tuple(self._sight(each) for each in self.clusters), judged)

    def ask(self, command: Command) -> bool:
        """Ask for a change of the rollout under way; return False when it is refused."""
        try:
            after = perform(self.rollout, command, "so said somebody")
        except Conflict:
            return False
        if isinstance(after, Rollout):
            self.rollout = after
        return True

    def turn(self, *, crash: bool = False, repeat: bool = False, late: bool = False) -> None:
        """
        Let every loop take one turn.

        A hub that crashes does not act; one that repeats acts twice; gateways that are late do
        not take the route, and nobody looks again.
        """
        self.decide()
        for cluster in self.clusters:
            self.converge(cluster, times=2 if repeat else 1, lost=crash)
            self.start_pod(cluster)
        for cluster in self.clusters:
            if not late:
                cluster.take_route()
            if cluster.reachable and not late:
                cluster.look(self.now)
        self.plan()

    def converge(self, cluster: ModelCluster, *, times: int = 1, lost: bool = False) -> None:
        """
        Let the convergence loop take one step.

        `times` > 1 repeats the act, as after a crash that came before the save; `lost` crashes
        before the act.  Raises AssertionError when the second time changes anything.
        """
        if not cluster.reachable:
            return
        seen = cluster.look(self.now)
        act = next_act(self.record.at(cluster.name), seen, cluster.held, 5.0, self.now)
        if lost:
            return
        self._do(cluster, act)
        for _ in range(times - 1):
            once = copy.deepcopy(cluster)
            self._do(cluster, act)
            if cluster != once:
                raise AssertionError(f"{act} is not the same when it is repeated")

    def _do(self, cluster: ModelCluster, act: Act) -> None:
        match act:
            case Install(revision, percent):
                cluster.pods.setdefault(revision, 0)
                cluster.scale.setdefault(revision, percent)
            case Scale(revision, percent):
                cluster.scale[revision] = percent
                cluster.pods[revision] = min(cluster.pods[revision], cluster.size(revision))
            case WriteRoute(epoch):
                cluster.held = epoch
                cluster.route = self.record.at(cluster.name).split
            case Uninstall(revision_id):
                if cluster.pods.pop(revision_id, None) is not None:
                    cluster.scale.pop(revision_id, None)
                    self.removed.append((cluster.name, revision_id))
            case Rest() | Roll():  # nothing here is replaced in place
                pass

    def start_pod(self, cluster: ModelCluster) -> None:
        """Let one more pod of each revision become ready."""
        if cluster.up:
            for revision in cluster.pods:
                cluster.pods[revision] = min(cluster.size(revision), cluster.pods[revision] + 1)

    def lose(self, cluster: ModelCluster) -> None:
        """Kill the cluster: its objects stay, its pods do not."""
        cluster.up = False
        cluster.pods = dict.fromkeys(cluster.pods, 0)

    def break_pods(self, cluster: ModelCluster, revision: RevisionId) -> None:
        """Let the pods of the revision fail there; they start again one by one."""
        if revision in cluster.pods:
            cluster.pods[revision] = 0

    def bring_back(self, cluster: ModelCluster) -> None:
        """Bring it back as it was saved."""
        cluster.api = True
        if not cluster.up:
            cluster.up, cluster.back_at = True, self.now

    def plan(self) -> None:
        """Let the traffic loop tell the edges."""
        found = []
        for cluster in self.clusters:
            if cluster.report is None or not self.record.at(cluster.name).split.shares:
                continue
            standing = Standing.SERVING if cluster.up else Standing.OUT
            health = ClusterHealth(
                cluster.name, presence=Presence(cluster.name, standing), back_at=cluster.back_at
            )
            wanted = self.record.at(cluster.name)
            found.append(Candidate(wanted, cluster.report, health, ClusterWish(cluster.name)))
        # How slowly users return is another matter: here they are back as soon as they may be.
        before = replace(self.users, returns={})
        self.users = next_users(self.record.spec, before, found, None, self.now)
        for cluster in self.clusters:
            cluster.share = self.users.share(cluster.name)

    def exposure(self, revision: RevisionId) -> float:
        """Return the percentage of all users that meet `revision` now."""
        serving = [each for each in self.clusters if each.up and each.share > 0]
        total = sum(each.share for each in serving)
        if total == 0:
            return 0.0
        return sum(each.share * each.served.share(revision) for each in serving) / total

    def _sight(self, cluster: ModelCluster) -> ClusterSight:
        report, name = cluster.report, cluster.name
        stable = self.rollout.stable
        base = self.record.pinned.get(name) or (stable.id if stable else None)
        wave = self.waves.get(name, 0)
        if report is None:
            return ClusterSight(
                name, cluster.reachable, False, False, base is None, scale=0, wave=wave
            )
        fresh = cluster.reachable and report.looked_at >= cluster.back_at
        canary = report.of(self.rollout.canary.id)
        return ClusterSight(
            name,
            cluster.reachable,
            converged=fresh and report.in_force and report.epoch == self.record.at(name).epoch,
            canary_ready=fresh and canary.ready,
            stable_whole=base is None or report.of(base).ready,
            scale=canary.scale if canary.installed else 0,
            wave=wave,
        )
