"""
What must hold at every moment of a world, looked at from outside: by what users really meet.

The numbers are those of the safety rules in docs/concepts/simulation.md.  Rules about the fleet
are in `promises_of_fleet`.
"""

from dataclasses import dataclass, field

from crossfade.base.ids import ClusterName, RevisionId
from crossfade.core.analysis.judgement import Verdict
from crossfade.core.rollout.commands import Command
from crossfade.core.rollout.record import Record
from crossfade.core.rollout.state import Outcome, Phase, Rollout
from crossfade.engine.decisions import is_decision
from crossfade.engine.records import APPLICATION, ROLLOUT, rollout_name
from crossfade.ports.documents import Event
from crossfade.testing.broken import Broken, hold
from crossfade.testing.builders import APP
from crossfade.testing.engine_world import EngineWorld
from crossfade.testing.fake_cluster import FakeCluster
from crossfade.testing.onlooker import Onlooker
from crossfade.testing.promises_of_fleet import FleetPromises

DRAIN_SECONDS = 5.0
STALE_SECONDS = 10.0
"""After this time no user may be on a reachable cluster that is not at the wanted epoch."""


@dataclass(slots=True)
class Promises:
    """Looks at a world again and again, and remembers what it needs for that."""

    stable: RevisionId
    canary: RevisionId
    skew: float = 0.0
    """Seconds by which clocks of hubs differ: times are promised to within that much."""
    paced: bool = True
    """Hubs take their turns in time, so that what takes too long is their fault."""
    asked: dict[ClusterName, list[dict[RevisionId, float]]] = field(default_factory=dict)
    """What each cluster was asked to serve since it last served it."""
    met: dict[tuple[ClusterName, RevisionId], float] = field(default_factory=dict)
    """When users were last on a revision of a cluster."""
    present: set[tuple[ClusterName, RevisionId]] = field(default_factory=set)
    events: int = 0
    aborted: bool = False
    served_once: set[str] = field(default_factory=set)
    """Edges that have been told of a cluster with users."""
    outcome: Outcome = Outcome.NONE
    stale_since: dict[ClusterName, float] = field(default_factory=dict)
    onlooker: Onlooker = field(default_factory=Onlooker)
    fleet: FleetPromises = field(default_factory=FleetPromises)

    @classmethod
    async def of(cls, world: EngineWorld, skew: float = 0.0) -> "Promises":
        """Return the promises of the rollout that has begun in the world."""
        rollout = await world.rollout()
        if rollout.stable is None:
            raise ValueError("the first deployment promises nothing")
        made = cls(rollout.stable.id, rollout.canary.id, skew)
        for name, cluster in world.clusters.items():
            made.asked[name] = [dict(cluster.shares(APP))]
        made.events = len(world.store.history(0))
        return made

    def asked_by_person(self, command: Command) -> None:
        """Remember that it was a person who wanted it."""
        self.aborted |= command is Command.ABORT

    def check(self, world: EngineWorld) -> None:
        """Raise Broken when a promise is."""
        record = self.onlooker.see(world.store, APPLICATION, APP, Record)
        if record is None:
            raise Broken(8, "the application is forgotten")
        name = rollout_name(APP, record.rollout)
        rollout = self.onlooker.see(world.store, ROLLOUT, name, Rollout)
        if rollout is None:
            raise Broken(8, "the rollout is forgotten")
        now = world.clock.now()
        self._exposure(world, record)
        self._last_copy(world)
        self._stale(world, record, now)
        self._shrink_last(world, now)
        self._honest(world, rollout)
        self._decisions(world, name)
        self.fleet.check(world, self.onlooker, record, self.skew)

    def unlike_wanted(self, world: EngineWorld) -> str:
        """Return what is not as wanted in the end, "" when all is."""
        winner = self.canary if self.outcome is Outcome.SUCCEEDED else self.stable
        weights = world.weights()
        for name, cluster in world.clusters.items():
            if cluster.shares(APP) != {winner: 100.0}:
                return f"{name} serves {cluster.shares(APP)}, and {winner} should have all"
            if winner not in {revision for _, revision in cluster.revisions}:
                return f"{winner} is not on {name}"
            if weights.get(name, 0) == 0:
                return f"{name} has no users"
        return ""

    def _exposure(self, world: EngineWorld, record: Record) -> None:
        """Rule 1: by all that was asked, users of the new revision are as many as a step says."""
        shares: dict[ClusterName, float] = {}
        most: dict[ClusterName, float] = {}
        for name, cluster in world.clusters.items():
            wanted, served = dict(record.at(name).split.shares), cluster.shares(APP)
            asked = self.asked[name]
            if wanted != asked[-1]:
                asked.append(wanted)
            hold(1, served in asked, lambda n=name, s=served: f"nobody asked for {s} on {n}")
            if served == wanted:
                self.asked[name] = asked = [wanted]
            shares[name] = served.get(self.canary, 0.0)
            most[name] = max(each.get(self.canary, 0.0) for each in asked)
        for edge in world.edge_names:
            sent = world.sent(edge)
            if not sent:
                continue
            met = sum(part * shares[name] for name, part in sent.items())
            limit = max(most[name] for name in sent)
            hold(
                1,
                met <= limit + 1e-6,
                lambda m=met, most=limit: (
                    f"{m:g} % of users met the new revision, {most:g} % were asked for"
                ),
            )

    def _last_copy(self, world: EngineWorld) -> None:
        """Rule 2: somebody has users, and whoever has them has something to serve with."""
        for edge in world.edge_names:
            left = any(world.told(edge).values())
            hold(2, left or edge not in self.served_once, lambda e=edge: f"{e} has no cluster left")
            if left:
                self.served_once.add(edge)
        for name, cluster in world.clusters.items():
            for revision, share in cluster.shares(APP).items():
                held = cluster.revisions.get((APP, revision))
                there = held is not None and held.wanted > 0
                hold(
                    2,
                    there or share == 0,
                    lambda r=revision, n=name: f"{r} serves on {n} and was taken away",
                )

    def _stale(self, world: EngineWorld, record: Record, now: float) -> None:
        """Rule 5: a reachable cluster that is behind has no users, if another could serve."""
        if not self.paced:
            self.stale_since.clear()
            return
        behind = {n: epoch_of(each) != record.at(n).epoch for n, each in world.clusters.items()}
        if not any(behind.values()):
            self.stale_since.clear()
            return
        weights = world.weights()
        current = any(
            not behind[name] and not each.faults.gateway_down and not each.faults.unreachable
            for name, each in world.clusters.items()
        )
        for name, each in world.clusters.items():
            dead = each.faults.unreachable or each.faults.gateway_down
            if not (behind[name] and weights.get(name, 0) and current) or dead:
                self.stale_since.pop(name, None)
                continue
            since = now - self.stale_since.setdefault(name, now)
            hold(
                5,
                since <= STALE_SECONDS + self.skew,
                lambda n=name, s=since: f"{n} has users, and is behind by an epoch for {s:g} s",
            )

    def _shrink_last(self, world: EngineWorld, now: float) -> None:
        """Rule 6: what is taken away has had no users for the time to drain."""
        present = set()
        for name, cluster in world.clusters.items():
            for revision, share in cluster.shares(APP).items():
                if share > 0:
                    self.met[name, revision] = now
            present |= {(name, revision) for _, revision in cluster.revisions}
        for name, revision in self.present - present:
            since = now - self.met.get((name, revision), 0.0)
            hold(
                6,
                since >= DRAIN_SECONDS - self.skew,
                lambda n=name, r=revision, s=since: (
                    f"{r} was removed from {n} {s:g} s after its last user"
                ),
            )
        self.present = present

    def _honest(self, world: EngineWorld, rollout: Rollout) -> None:
        """Rule 7: whoever says that all went back tells the truth."""
        before, self.outcome = self.outcome, rollout.state.outcome
        if self.outcome is Outcome.ROLLED_BACK and before is not self.outcome:
            for name, cluster in world.clusters.items():
                left = cluster.shares(APP).get(self.canary, 0.0)
                hold(
                    7,
                    left == 0,
                    lambda n=name, x=left: f"it was called rolled back, and {x:g} % of {n} are not",
                )

    def _decisions(self, world: EngineWorld, rollout: str) -> None:
        """Rules 4 and 10: what each decision rested on."""
        for each in world.store.history(self.events):
            self.events = each.number
            if each.subject == f"{ROLLOUT}/{rollout}" and is_decision(each):
                self._silence(each)
                _broken_stable(each)

    def _silence(self, event: Event) -> None:
        facts = event.facts
        rose = facts["percent"] > facts["from_percent"] > 0
        good = facts["verdict"] == Verdict.PASS
        hold(
            4,
            good or not rose,
            lambda: f"users rose on the verdict {facts['verdict']}: {event.reason}",
        )
        if not rose and facts["phase"] == Phase.ROLLING_BACK != facts["from_phase"]:
            why = self.aborted or facts["verdict"] == Verdict.FAIL or "deadline" in event.reason
            hold(4, why, lambda: f"it went back without a bad verdict: {event.reason}")


def _broken_stable(event: Event) -> None:
    if not (event.facts["phase"] == Phase.ROLLING_BACK != event.facts["from_phase"]):
        return
    written = event.facts["decision"]
    states = written["state"]["clusters"]
    for each in written["sight"]["clusters"]:
        percent = states.get(each["cluster"], {}).get("percent", 0.0)
        broken = each["reachable"] and not each["stable_whole"] and percent > 0
        hold(10, not broken, lambda n=each["cluster"]: f"{n} went back onto a broken stable")


def epoch_of(cluster: FakeCluster) -> int:
    """Return the epoch of what the data plane serves."""
    return next((each.epoch for (_, name), each in cluster.served.items() if name == APP), 0)
