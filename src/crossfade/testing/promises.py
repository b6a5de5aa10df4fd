"""
What must hold at every moment of a world, looked at from outside: by what users really meet.

The numbers are those of the safety rules in docs/concepts/simulation.md.
"""

from dataclasses import dataclass, field

from crossfade.base.ids import ClusterName, RevisionId
from crossfade.core.analysis.judgement import Verdict
from crossfade.core.rollout.commands import Command
from crossfade.core.rollout.record import Record
from crossfade.core.rollout.state import Outcome, Phase, Rollout
from crossfade.engine.decisions import is_decision
from crossfade.engine.records import ROLLOUT, Records, rollout_name
from crossfade.ports.documents import Event
from crossfade.testing.builders import APP
from crossfade.testing.engine_world import EngineWorld
from crossfade.testing.fake_cluster import FakeCluster

DRAIN_SECONDS = 5.0
STALE_SECONDS = 10.0
"""After this time no user may be on a reachable cluster that is not at the wanted epoch."""


class Broken(AssertionError):
    """A promise that did not hold."""

    def __init__(self, number: int, what: str) -> None:
        super().__init__(f"rule {number}: {what}")
        self.number, self.what = number, what


def _hold(number: int, holds: bool, what: str) -> None:
    if not holds:
        raise Broken(number, what)


@dataclass(slots=True)
class Promises:
    """Looks at a world again and again, and remembers what it needs for that."""

    stable: RevisionId
    canary: RevisionId
    highest: float
    """The highest share before all users."""
    asked: dict[ClusterName, list[dict[RevisionId, float]]] = field(default_factory=dict)
    """What each cluster was asked to serve since it last served it."""
    met: dict[tuple[ClusterName, RevisionId], float] = field(default_factory=dict)
    """When users were last on a revision of a cluster."""
    present: set[tuple[ClusterName, RevisionId]] = field(default_factory=set)
    events: int = 0
    aborted: bool = False
    served_once: bool = False
    outcome: Outcome = Outcome.NONE
    stale_since: dict[ClusterName, float] = field(default_factory=dict)

    @classmethod
    async def of(cls, world: EngineWorld) -> "Promises":
        """Return the promises of the rollout that has begun in the world."""
        rollout = await world.rollout()
        if rollout.stable is None:
            raise ValueError("the first deployment promises nothing")
        made = cls(rollout.stable.id, rollout.canary.id, 50.0)
        for name, cluster in world.clusters.items():
            made.asked[name] = [dict(cluster.shares(APP))]
        made.events = len(await world.store.events())
        return made

    def asked_by_person(self, command: Command) -> None:
        """Remember that it was a person who wanted it."""
        self.aborted |= command is Command.ABORT

    async def check(self, world: EngineWorld) -> None:
        """Raise Broken when a promise is."""
        records = Records(world.store)
        stored = await records.application(APP)
        rollout = await records.rollout(stored.value)
        if rollout is None:
            raise Broken(8, "the rollout is forgotten")
        record, now = stored.value, world.clock.now()
        self._exposure(world, record)
        self._last_copy(world)
        self._stale(world, record, now)
        self._shrink_last(world, now)
        self._honest(world, rollout.value)
        await self._decisions(records, rollout.value)

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
        weights, users, new, most = world.weights(), 0.0, 0.0, 0.0
        for name, cluster in world.clusters.items():
            wanted, served = dict(record.at(name).split.shares), dict(cluster.shares(APP))
            if wanted != self.asked[name][-1]:
                self.asked[name].append(wanted)
            _hold(1, served in self.asked[name], f"{name} serves {served}, which nobody asked for")
            if served == wanted:
                self.asked[name] = [wanted]
            if cluster.faults.gateway_down or weights.get(name, 0) == 0:
                continue
            users += weights[name]
            new += weights[name] * served.get(self.canary, 0.0)
            most = max(most, *(each.get(self.canary, 0.0) for each in self.asked[name]))
        if users:
            what = f"{new / users:g} % of users met the new revision, {most:g} % were asked for"
            _hold(1, new / users <= most + 1e-9, what)

    def _last_copy(self, world: EngineWorld) -> None:
        """Rule 2: somebody has users, and whoever has them has something to serve with."""
        left = any(world.weights().values())
        _hold(2, left or not self.served_once, "the edges were left without any cluster")
        self.served_once |= left
        for name, cluster in world.clusters.items():
            for revision, share in cluster.shares(APP).items():
                held = cluster.revisions.get((APP, revision))
                there = held is not None and held.wanted > 0
                _hold(2, there or share == 0, f"{revision} serves on {name} and was taken away")

    def _stale(self, world: EngineWorld, record: Record, now: float) -> None:
        """Rule 5: a reachable cluster that is behind has no users, if another could serve."""
        weights = world.weights()
        behind = {n: _epoch(each) != record.at(n).epoch for n, each in world.clusters.items()}
        current = any(
            not behind[name] and not each.faults.gateway_down and not each.faults.unreachable
            for name, each in world.clusters.items()
        )
        for name, each in world.clusters.items():
            dead = each.faults.unreachable or each.faults.gateway_down
            if not (behind[name] and weights.get(name, 0) and current) or dead:
                self.stale_since.pop(name, None)
                continue
            since = self.stale_since.setdefault(name, now)
            what = f"{name} has users, and is behind by an epoch for {now - since:g} s"
            _hold(5, now - since <= STALE_SECONDS, what)

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
            what = f"{revision} was removed from {name} {since:g} s after its last user"
            _hold(6, since >= DRAIN_SECONDS, what)
        self.present = present

    def _honest(self, world: EngineWorld, rollout: Rollout) -> None:
        """Rule 7: whoever says that all went back tells the truth."""
        before, self.outcome = self.outcome, rollout.state.outcome
        if self.outcome is Outcome.ROLLED_BACK and before is not self.outcome:
            for name, cluster in world.clusters.items():
                left = cluster.shares(APP).get(self.canary, 0.0)
                what = f"it was called rolled back, and {left:g} % of {name} are not"
                _hold(7, left == 0, what)

    async def _decisions(self, records: Records, rollout: Rollout) -> None:
        """Rules 4 and 10: what each decision rested on."""
        subject = f"{ROLLOUT}/{rollout_name(rollout.application, rollout.number)}"
        found = await records.events(subject, self.events)
        for each in found:
            self.events = each.number
            if is_decision(each):
                self._silence(each)
                self._broken_stable(each)

    def _silence(self, event: Event) -> None:
        facts = event.facts
        rose = facts["percent"] > facts["from_percent"] > 0
        good = facts["verdict"] == Verdict.PASS
        _hold(4, good or not rose, f"users rose on the verdict {facts['verdict']}: {event.reason}")
        if not rose and facts["phase"] == Phase.ROLLING_BACK != facts["from_phase"]:
            why = self.aborted or facts["verdict"] == Verdict.FAIL or "deadline" in event.reason
            _hold(4, why, f"it went back without a bad verdict: {event.reason}")

    def _broken_stable(self, event: Event) -> None:
        if not (event.facts["phase"] == Phase.ROLLING_BACK != event.facts["from_phase"]):
            return
        written = event.facts["decision"]
        states = written["state"]["clusters"]
        for each in written["sight"]["clusters"]:
            percent = states.get(each["cluster"], {}).get("percent", 0.0)
            broken = each["reachable"] and not each["stable_whole"] and percent > 0
            _hold(10, not broken, f"{each['cluster']} went back onto a broken stable")


def _epoch(cluster: FakeCluster) -> int:
    """Return the epoch of what the data plane serves."""
    return next((each.epoch for (_, name), each in cluster.served.items() if name == APP), 0)
