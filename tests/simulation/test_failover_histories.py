"""All rules of failover together, through histories of loss, return, drains and new revisions."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from crossfade.base.ids import Epoch
from crossfade.core.analysis.judgement import Verdict
from crossfade.core.failover.decide import Action, Fleet, Wishes, decide
from crossfade.core.failover.eligible import admittance
from crossfade.core.failover.evidence import DOWN, Condition, Evidence
from crossfade.core.failover.failback import Failback, Return, ReturnSight, advance
from crossfade.core.failover.standing import Presence
from crossfade.core.traffic.destinations import PARTS, Destination, Eligibility, Exposure, Goal
from crossfade.core.traffic.matrix import TrafficPlan, plan_traffic

NAMES = ("aws", "gcp", "onprem")
CAPACITY = 600
DEMAND = 1000
FIRST = Epoch(1)
HEALTHY, LOST = Condition.HEALTHY, Condition.BOTH_DOWN


@dataclass
class World:
    fleet: Fleet
    now: float = 0.0
    wanted: Epoch = FIRST
    percent: int = 10
    conditions: dict = field(default_factory=lambda: dict.fromkeys(NAMES, HEALTHY))
    reported: dict = field(default_factory=lambda: dict.fromkeys(NAMES, FIRST))
    returns: dict = field(default_factory=dict)
    drained: frozenset = frozenset()
    verdict: Verdict = Verdict.PASS
    plan: TrafficPlan | None = None
    moved: list = field(default_factory=list)

    def happen(self, event, name):
        """Let something happen to a cluster, or to the rollout."""
        match event:
            case Condition():
                self.conditions[name] = event
                if event is LOST:
                    self.reported[name] = None
            case "converge":
                if self.conditions[name] is not LOST:
                    self.reported[name] = self.wanted
            case "step":
                self.wanted = Epoch(self.wanted + 1)
                self.percent = min(100, self.percent * 2)
            case "drain":
                self.drained ^= {name}
            case Verdict():
                self.verdict = event

    def turn(self):
        """Look, decide, and plan, as the hub's loops do."""
        self.fleet, decisions = decide(
            self.fleet, Evidence(dict(self.conditions)), Wishes(self.drained), self.now
        )
        for each in decisions:
            if each.action is Action.MOVE:
                self.moved.append((each.cluster, self.now))
                self.returns.pop(each.cluster, None)
            if each.action is Action.RETURN:
                self.returns[each.cluster] = Return(each.cluster)
        for name, back in list(self.returns.items()):
            sight = ReturnSight(self.reported[name], self.wanted, self.verdict)
            after, _ = advance(back, sight, Failback.RAMP, self.now)
            self.returns[name] = after
        self.goal = self._goal()
        self.plan = plan_traffic(self.goal)

    def _goal(self):
        destinations = []
        for name in NAMES:
            stale = "" if self.reported[name] == self.wanted else f"at {self.reported[name]}"
            found = admittance(
                self.fleet.presences[name],
                stale=stale,
                drained=name in self.drained,
                back=self.returns.get(name),
            )
            split = {r: p for r, p in (("old", 100 - self.percent), ("new", self.percent)) if p}
            destinations.append(
                Destination(
                    name,
                    split,
                    capacity=CAPACITY,
                    eligibility=found.eligibility,
                    ramp_percent=found.ramp_percent,
                )
            )
        exposure = Exposure("new", self.percent * PARTS // 100)
        before = self.plan.parts if self.plan else {}
        return Goal(tuple(destinations), DEMAND, exposure=exposure, before=before)


EVENTS = st.tuples(
    st.sampled_from(
        [HEALTHY] * 4 + [LOST] * 3 + ["converge"] * 6 + ["step", "drain", *Condition, *Verdict]
    ),
    st.sampled_from(NAMES),
    st.sampled_from([1, 1, 5, 30, 61]),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(EVENTS, max_size=60))
def test_no_history_of_losses_and_returns_breaks_a_promise(history):
    world = World(Fleet({name: Presence(name) for name in NAMES}))
    world.turn()
    for event, name, seconds in history:
        world.now += seconds
        world.happen(event, name)
        before = world.plan
        world.turn()
        check(world, before)


def check(world, before):
    plan = world.plan
    recent = {name for name, at in world.moved if world.now - at < 60}
    assert len(recent) <= 1, "more than one of three clusters was taken out within a minute"
    if plan.frozen:
        assert plan.parts == before.parts
        return
    assert plan.exposure("new") <= world.percent * 100, "exposed"
    known = {each.cluster for each in world.goal.destinations}
    assert known >= {name for name, row in plan.parts.items() if any(row.values())}, "lost users"
    for each in world.goal.destinations:
        users = plan.share(each.cluster)
        assert users * world.goal.demand <= each.capacity * PARTS, "overloaded"
        if world.reported[each.cluster] != world.wanted:
            assert users == 0, "users of a stale cluster"
        if users > PARTS * each.ramp_percent // 100:
            assert not room(world), "over its ramp, and others had room"


def room(world):
    """Return the clusters with their whole share that could take more."""
    return [
        each.cluster
        for each in world.goal.destinations
        if each.eligibility is Eligibility.SERVES
        and each.ramp_percent == 100
        and world.plan.share(each.cluster) < CAPACITY * PARTS // DEMAND
    ]


def test_a_cloud_is_lost_and_comes_back_over_five_steps():
    world = World(Fleet({name: Presence(name) for name in NAMES}))
    world.turn()
    seen = [world.plan.share("gcp")]
    for now in range(1, 500):
        world.now = float(now)
        if now == 10:
            world.happen(LOST, "gcp")
        if now == 100:
            world.happen(HEALTHY, "gcp")
        if now == 170:
            world.happen("converge", "gcp")
        world.turn()
        assert world.plan.shed == {}
        if world.plan.share("gcp") != seen[-1]:
            seen.append(world.plan.share("gcp"))

    assert seen == [3333, 0, 33, 166, 833, 1666, 3333]
    assert all(world.conditions[name] not in DOWN for name in NAMES)
