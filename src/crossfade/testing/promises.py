"""
What must hold at every moment of a world, looked at from outside: by what users really meet.

The numbers are those of the safety rules in docs/concepts/simulation.md.  Rules about the fleet
are in `promises_of_fleet`.
"""

from dataclasses import dataclass, field

from crossfade.base.ids import ApplicationName, ClusterName, RevisionId
from crossfade.core.analysis.judgement import Verdict
from crossfade.core.rollout.commands import Command
from crossfade.core.rollout.record import Record
from crossfade.core.rollout.state import Outcome, Phase, Rollout
from crossfade.core.traffic.destinations import PARTS
from crossfade.engine.decisions import is_decision
from crossfade.engine.records import APPLICATION, ROLLOUT, rollout_name
from crossfade.ports.documents import Event
from crossfade.testing.broken import Broken
from crossfade.testing.builders import APP
from crossfade.testing.engine_world import EngineWorld
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
    """The same where nothing is rolled out."""
    application: ApplicationName = APP
    fails: bool = False
    """Requests to its new revision fail wherever it is."""
    others: tuple["Promises", ...] = ()
    """Those of other applications in the same world."""
    asked: dict[ClusterName, dict[int, dict[RevisionId, float]]] = field(default_factory=dict)
    """What each cluster was asked to serve, by epoch, from the one that it serves on."""
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
        """Return the promises of the rollouts that have begun in the world."""
        first, *others = [await cls._of(world, each) for each in world.applications]
        if not first.rolls:
            raise ValueError("the first deployment promises nothing")
        first.others = tuple(others)
        fleet = FleetPromises(skew)
        for each in first.every:
            each.fleet, each.onlooker = fleet, first.onlooker
        return first

    @classmethod
    async def _of(cls, world: EngineWorld, application: ApplicationName) -> "Promises":
        rollout = await world.rollout(application)
        canary = rollout.canary.id
        stable = rollout.stable.id if rollout.stable is not None else canary
        made = cls(stable, canary, application, fails=canary in world.error_rates)
        for name, cluster in world.clusters.items():
            made.asked[name] = {cluster.epoch(application): dict(cluster.shares(application))}
        made.events = len(world.store.history(0))
        return made

    @property
    def every(self) -> tuple["Promises", ...]:
        """These, and those of the other applications."""
        return (self, *self.others)

    @property
    def rolls(self) -> bool:
        """Whether the application gets a new revision."""
        return self.canary != self.stable

    @property
    def starves(self) -> bool:
        """Whether most of its users are turned away."""
        users = self.fleet.users.get(self.application)
        return users is not None and users.shed > PARTS / 2

    def asked_by_person(self, command: Command) -> None:
        """Remember that it was a person who wanted it."""
        self.aborted |= command is Command.ABORT

    def check(self, world: EngineWorld) -> None:
        """Raise Broken when a promise is."""
        records = {each.application: each.check_one(world) for each in self.every}
        self.fleet.check(world, self.onlooker, records)

    def check_one(self, world: EngineWorld) -> Record:
        """Return the record of the application, of which no promise is broken."""
        record = self.onlooker.see(world.store, APPLICATION, self.application, Record)
        if record is None:
            raise Broken(8, f"{self.application} is forgotten")
        name = rollout_name(self.application, record.rollout)
        rollout = self.onlooker.see(world.store, ROLLOUT, name, Rollout)
        if rollout is None:
            raise Broken(8, f"the rollout {name} is forgotten")
        now = world.clock.now()
        self._exposure(world, record)
        self._last_copy(world)
        self._stale(world, record, now)
        self._shrink_last(world, now)
        self._honest(world, rollout)
        self._decisions(world, name)
        return record

    def unlike_wanted(self, world: EngineWorld) -> str:
        """Return what is not as wanted in the end, "" when all is."""
        winner = self.canary if self.outcome is Outcome.SUCCEEDED else self.stable
        application = self.application
        told = [world.told(edge, application) for edge in world.edge_names]
        for name, cluster in world.clusters.items():
            shares = cluster.shares(application)
            if shares != {winner: 100.0}:
                return f"{name} serves {shares}, and {winner} should have all"
            if (application, winner) not in cluster.revisions:
                return f"{winner} is not on {name}"
            crowded = self.fleet.crowded(world, application, name)
            if not all(each.get(name, 0) for each in told) and not crowded:
                return f"{name} has no users of {application}"
        users = self.fleet.users.get(application)
        returns = sorted(users.returns) if users is not None else []
        returning = [each for each in returns if not self.fleet.crowded(world, application, each)]
        return f"users are still returning to {', '.join(returning)}" if returning else ""

    def _exposure(self, world: EngineWorld, record: Record) -> None:
        """Rule 1: by all that was asked, users of the new revision are as many as a step says."""
        shares: dict[ClusterName, float] = {}
        most: dict[ClusterName, float] = {}
        for name, cluster in world.clusters.items():
            wanted, epoch = record.at(name), cluster.epoch(self.application)
            served = cluster.shares(self.application)
            asked = self.asked[name]
            if wanted.epoch not in asked:
                asked[wanted.epoch] = dict(wanted.split.shares)
            if asked.get(epoch) != served:
                raise Broken(1, f"nobody asked for {served} on {name} at epoch {epoch}")
            if len(asked) > 1:
                # What was asked for later may be on its way still; what was before can not.
                asked = {each: shares for each, shares in asked.items() if each >= epoch}
                self.asked[name] = asked
            shares[name] = served.get(self.canary, 0.0)
            most[name] = max(each.get(self.canary, 0.0) for each in asked.values())
        for edge in world.edge_names:
            sent = world.sent(edge, self.application)
            if not sent:
                continue
            met = sum(part * shares[name] for name, part in sent.items())
            limit = max(most[name] for name in sent)
            if met > limit + 1e-6:
                raise Broken(
                    1, f"{met:g} % of users met the new revision, {limit:g} % were asked for"
                )

    def _last_copy(self, world: EngineWorld) -> None:
        """Rule 2: somebody has users, and whoever has them has something to serve with."""
        for edge in world.edge_names:
            left = any(world.told(edge, self.application).values())
            # Nobody is sent anywhere where others have all the room, and all are turned away.
            left |= world.refused(edge, self.application) >= 1.0
            if not left and edge in self.served_once:
                raise Broken(2, f"{edge} has no cluster left")
            if left:
                self.served_once.add(edge)
        for name, cluster in world.clusters.items():
            for revision, share in cluster.shares(self.application).items():
                held = cluster.revisions.get((self.application, revision))
                there = held is not None and held.wanted > 0
                if share > 0 and not there:
                    raise Broken(2, f"{revision} serves on {name} and was taken away")

    def _stale(self, world: EngineWorld, record: Record, now: float) -> None:
        """Rule 5: a reachable cluster that is behind has no users, if another could serve."""
        if not self.fleet.paced:
            self.stale_since.clear()
            return
        behind = {
            n: each.epoch(self.application) != record.at(n).epoch
            for n, each in world.clusters.items()
        }
        if not any(behind.values()):
            self.stale_since.clear()
            return
        weights = world.weights(self.application)
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
            if since > STALE_SECONDS + self.fleet.skew:
                raise Broken(5, f"{name} has users, and is behind by an epoch for {since:g} s")

    def _shrink_last(self, world: EngineWorld, now: float) -> None:
        """Rule 6: what is taken away has had no users for the time to drain."""
        present = set()
        for name, cluster in world.clusters.items():
            for revision, share in cluster.shares(self.application).items():
                if share > 0:
                    self.met[name, revision] = now
            present |= {
                (name, revision)
                for application, revision in cluster.revisions
                if application == self.application
            }
        for name, revision in self.present - present:
            since = now - self.met.get((name, revision), 0.0)
            if since < DRAIN_SECONDS - self.fleet.skew:
                raise Broken(
                    6, f"{revision} was removed from {name} {since:g} s after its last user"
                )
        self.present = present

    def _honest(self, world: EngineWorld, rollout: Rollout) -> None:
        """Rule 7: whoever says that all went back tells the truth."""
        before, self.outcome = self.outcome, rollout.state.outcome
        if self.outcome is Outcome.ROLLED_BACK and before is not self.outcome:
            for name, cluster in world.clusters.items():
                left = cluster.shares(self.application).get(self.canary, 0.0)
                if left > 0:
                    raise Broken(7, f"it was called rolled back, and {left:g} % of {name} are not")

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
        if rose and not good:
            raise Broken(4, f"users rose on the verdict {facts['verdict']}: {event.reason}")
        if not rose and facts["phase"] == Phase.ROLLING_BACK != facts["from_phase"]:
            said = "deadline" in event.reason or "only the new revision fails" in event.reason
            why = self.aborted or (self.fails and facts["verdict"] == Verdict.FAIL) or said
            if not why:
                raise Broken(4, f"it went back without a bad verdict: {event.reason}")


def _broken_stable(event: Event) -> None:
    if not (event.facts["phase"] == Phase.ROLLING_BACK != event.facts["from_phase"]):
        return
    written = event.facts["decision"]
    states = written["state"]["clusters"]
    for each in written["sight"]["clusters"]:
        percent = states.get(each["cluster"], {}).get("percent", 0.0)
        broken = each["reachable"] and not each["stable_whole"] and percent > 0
        if broken:
            raise Broken(10, f"{each['cluster']} went back onto a broken stable")
