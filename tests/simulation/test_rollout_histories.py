"""Whatever happens to clusters, hub and people on the way: promises hold, and the end is the same."""

from dataclasses import dataclass, field

import pytest
from hypothesis import Phase as Search
from hypothesis import given, settings
from hypothesis import strategies as st

from crossfade.base.ids import Epoch
from crossfade.core.analysis.judgement import Verdict
from crossfade.core.rollout.commands import Command
from crossfade.core.rollout.record import with_wanted
from crossfade.core.rollout.spec import (
    Analyse,
    Approval,
    Deadlines,
    Pause,
    Ramp,
    SetHeaderRoute,
    SetMirror,
    SetScale,
    SetWeight,
    Strategy,
    Unreachable,
)
from crossfade.core.rollout.state import ClusterPhase, Outcome, Phase
from crossfade.core.traffic.split import HeaderMatch, Split
from crossfade.testing.builders import BLUE, CLUSTERS, YELLOW, record, rollout
from crossfade.testing.simulation import PODS, ModelCluster, World

TESTERS = SetHeaderRoute("testers", (HeaderMatch("x-tester", "yes"),))
ALL_STEPS = (
    (SetWeight(10), Pause(3.0), SetWeight(50)),
    (SetWeight(10), Approval(), SetWeight(60), SetWeight(20)),
    (SetScale(40), TESTERS, SetWeight(20), SetScale(None), SetWeight(50)),
    (SetMirror(30), Analyse(None, 2.0), SetMirror(0), SetWeight(30)),
    (SetWeight(10), SetScale(0), SetWeight(50)),
    (Ramp(50.0), Analyse()),
    (),
)
BOUNDS = (50, 60, 50, 30, 50, 50, 0)
"""The highest share before all users, for each of them."""


def mostly(value, *others):
    return st.sampled_from([value] * 9 + list(others))


STORMS = ("lose", "cut off", "back", "back", "crash", "repeat", "late", "break", "ask")
VERDICTS = (
    *[Verdict.PASS] * 24,
    *[Verdict.UNKNOWN] * 3,
    Verdict.HOLD,
    Verdict.FAIL,
    "alone",
    "alone",
)
EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["turn"] * 12 + list(STORMS)),
        st.integers(0, 2),
        st.sampled_from(VERDICTS),
        st.sampled_from([0.1, 0.5, 2.0]),
        st.sampled_from(list(Command)),
    ),
    min_size=20,
    max_size=90,
)
STRATEGIES = st.builds(
    Strategy,
    steps=st.sampled_from(ALL_STEPS),
    max_skew=mostly(0, 1, 2),
    quorum=mostly(0, 2),
    unreachable=st.sampled_from(list(Unreachable)),
    keep_old_seconds=st.just(0.0),
    deadlines=mostly(Deadlines(1e9), Deadlines(5.0, 5.0)),
    survive=mostly(0, 1),
)
WAVES = mostly({}, {CLUSTERS[0]: 0, CLUSTERS[1]: 1, CLUSTERS[2]: 1})


# A history shrinks for minutes and stays long; what it broke is told by the assertion.
HUNT = (Search.explicit, Search.reuse, Search.generate)


def new_world(strategy, waves=None):
    """Blue serves everywhere; yellow is about to come."""
    remembered = with_wanted(record(active=BLUE), None, CLUSTERS, 0.0)
    clusters = [
        ModelCluster(
            name,
            pods={BLUE.id: PODS},
            held=Epoch(1),
            route=Split({BLUE.id: 100}),
            served_epoch=Epoch(1),
            served=Split({BLUE.id: 100}),
            share=100,
        )
        for name in CLUSTERS
    ]
    coming = rollout(strategy=strategy)
    remembered = with_wanted(remembered, coming, CLUSTERS, 1.0)
    world = World(remembered, coming, clusters, waves or {})
    for cluster in clusters:
        cluster.look(world.now)
    world.plan()
    return world


@dataclass(slots=True)
class Watch:
    """Looks at a world around each turn, and says which promise was broken."""

    world: World
    asked: dict = field(default_factory=dict)
    """What each cluster was asked to serve since it last confirmed."""
    zero_since: dict = field(default_factory=dict)

    def __post_init__(self):
        self.asked = {name: [self.world.record.at(name).split] for name in CLUSTERS}
        self.note_zero()

    def turn(self, **faults):
        world = self.world
        before, record_before = world.rollout, world.record
        sight = world.sight() if before.active else None
        removed = len(world.removed)
        world.turn(**faults)
        after = world.rollout
        for name in CLUSTERS:
            split = world.record.at(name).split
            if split != record_before.at(name).split:
                self.asked[name].append(split)
        if sight is not None:
            self.check_decision(before, after, sight)
        self.check_removals(world.removed[removed:])
        self.note_zero()
        self.check_now()

    def check_now(self):
        """Invariants 1, 2, 5: exposure, last copy, stale gets nothing."""
        world = self.world
        serving = [each for each in world.clusters if each.share > 0]
        assert serving, "the edges were left without any cluster"
        highest = 0.0
        for each in serving:
            if each.up:
                assert each.served in self.asked[each.name], (
                    "a cluster serves what nobody asked for"
                )
                highest = max(highest, *(split.share(YELLOW.id) for split in self.asked[each.name]))
                self.check_stale(each)
        assert world.exposure(YELLOW.id) <= highest + 1e-9, "a loss raised the exposure"
        for each in world.clusters:
            if each.up and each.served_epoch == world.record.at(each.name).epoch:
                self.asked[each.name] = [each.served]

    def check_stale(self, each):
        wanted = self.world.record.at(each.name)
        recent = self.world.now - wanted.since < 5.0
        frozen = not any(
            c.up and c.served_epoch == self.world.record.at(c.name).epoch
            for c in self.world.clusters
        )
        fresh = each.served_epoch == wanted.epoch or recent or frozen or not each.api
        assert fresh, f"{each.name} is stale and has users"

    def check_decision(self, before, after, sight):
        """Invariants 1, 4, 7, 10: proof, silence, honest ends, never onto a broken stable."""
        states = before.state.clusters
        for each in sight.clusters:
            old, new = states.get(each.cluster), after.state.clusters[each.cluster]
            if old is not None and new.exceeds(old):
                self.check_rise(before, sight, each, old, new)
        back = [
            each
            for each in sight.clusters
            if each.reachable
            and after.state.clusters[each.cluster].phase is ClusterPhase.BACK
            and each.cluster in states
            and states[each.cluster].percent > 0
        ]
        assert all(each.stable_whole for each in back), "went back onto a broken stable"
        if after.state.phase is Phase.ROLLING_BACK and before.state.phase is not after.state.phase:
            bad = sight.judgement.verdict is Verdict.FAIL or before.state.abort
            away = any(not each.reachable for each in sight.clusters)
            failed = away and before.strategy.unreachable is Unreachable.FAIL
            overdue = before.strategy.deadlines.step_seconds is not None
            assert bad or failed or overdue, "silence was taken for failure"
        if after.state.outcome is Outcome.ROLLED_BACK and before.active:
            for each in self.world.clusters:
                assert each.reachable, "success while a cluster is away"
                assert all(c.converged for c in sight.clusters), "success while one is pending"

    def check_rise(self, before, sight, each, old, new):
        state, verdict = before.state, sight.judgement.verdict
        met = state.meets_users
        allowed = state.full or state.passed >= old.step or not before.strategy.steps
        led = verdict is Verdict.UNKNOWN and any(
            not new.exceeds(other) or other.step > old.step
            for name, other in state.clusters.items()
            if name != each.cluster
        )
        assert verdict is Verdict.PASS or not met or allowed or led or self.elsewhere(sight, state)
        assert not state.paused, "rose although a person paused it"
        assert each.reachable, "rose where nothing can be seen"
        bound = BOUNDS[ALL_STEPS.index(before.strategy.steps)]
        whole = state.full or old.step >= len(before.strategy.steps) or old.late
        assert new.percent <= (100 if whole else bound), "rose beyond its step"
        if new.percent > old.percent:
            assert each.canary_ready, "users before pods"
            assert new.percent < 100 or each.scale == 100, "all users before all pods"

    def elsewhere(self, sight, state):
        """Whether what failed is where no user meets it any more."""
        scope = sight.judgement.scope
        return bool(scope) and not any(state.clusters[name].meets_users for name in scope)

    def check_removals(self, removed):
        """Invariant 6: shrink last."""
        for name, revision in removed:
            since = self.zero_since.get((name, revision))
            assert since is not None, f"{revision} was removed from {name} while it had users"
            assert self.world.now - since >= 5.0, "it was not drained"
        for each in self.world.clusters:
            for revision in each.pods:
                if each.up and each.served.share(revision) > 0:
                    assert each.size(revision) > 0, "scaled to nothing with users"

    def note_zero(self):
        for each in self.world.clusters:
            for revision in (BLUE.id, YELLOW.id):
                key = (each.name, revision)
                if each.served.meets_users(revision):
                    self.zero_since.pop(key, None)
                else:
                    self.zero_since.setdefault(key, self.world.now)


def happen(world, watch, history, *, people=True):
    for event, which, verdict, seconds, command in history:
        cluster = world.clusters[which]
        alone = verdict == "alone"
        world.verdict = Verdict.FAIL if alone else verdict
        world.scope = (cluster.name,) if alone else ()
        world.now += seconds
        if event == "lose":
            world.lose(cluster)
            world.plan()
        elif event == "cut off":
            cluster.api = False
        elif event == "back":
            world.bring_back(cluster)
            world.plan()
        elif event == "break":
            world.break_pods(cluster, BLUE.id)
            if people:
                watch.turn()  # it is seen, and then the new revision turns out to be bad
                world.verdict, world.scope = Verdict.FAIL, ()
        elif event == "ask" and people:
            world.ask(command)
        watch.turn(crash=event == "crash", repeat=event == "repeat", late=event == "late")


@settings(max_examples=150, deadline=None, phases=HUNT)
@given(EVENTS, STRATEGIES, WAVES)
def test_no_history_breaks_a_promise(history, strategy, waves):
    world = new_world(strategy, waves)

    happen(world, Watch(world), history)


def calm(world, watch, turns=160):
    """All is well again, and somebody lets the rollout go on wherever it waits for a person."""
    world.verdict, world.scope = Verdict.PASS, ()
    for cluster in world.clusters:
        world.bring_back(cluster)
    for number in range(turns):
        world.now += 0.5
        if number % 8 == 0:
            world.ask(Command.RESUME)
            world.ask(Command.PROMOTE)
        watch.turn()
        if not world.rollout.active and number > 60:
            break


@settings(max_examples=70, deadline=None, phases=HUNT)
@given(EVENTS, STRATEGIES, WAVES)
def test_every_history_ends_whole_once_it_is_calm(history, strategy, waves):
    world = new_world(strategy, waves)
    watch = Watch(world)
    happen(world, watch, history)
    calm(world, watch)

    state = world.rollout.state
    assert state.outcome in {Outcome.SUCCEEDED, Outcome.ROLLED_BACK}, state.reason
    for _ in range(30):
        world.now += 0.5
        watch.turn()
    for cluster in world.clusters:
        promoted = state.outcome is Outcome.SUCCEEDED
        stays = cluster.name in world.record.pinned or not promoted
        winner = BLUE if stays else YELLOW
        assert cluster.served == Split({winner.id: 100})
        assert cluster.pods == {winner.id: PODS}, "another one is still there, or pods are missing"
        assert cluster.share >= 3333


@settings(max_examples=40, deadline=None, phases=HUNT)
@given(EVENTS, st.sampled_from(ALL_STEPS[:2]))
def test_silence_alone_neither_promotes_nor_rolls_back(history, steps):
    world = new_world(Strategy(steps, deadlines=Deadlines(1e9)))
    watch = Watch(world)
    for event, which, _, seconds, _ in history:
        happen(
            world, watch, [(event, which, Verdict.UNKNOWN, seconds, Command.PAUSE)], people=False
        )

        assert world.rollout.state.percent <= 10
        assert world.rollout.state.phase in {Phase.INSTALLING, Phase.PROGRESSING}


@pytest.mark.parametrize("steps", ALL_STEPS)
def test_an_undisturbed_rollout_of_every_kind_succeeds(steps):
    world = new_world(Strategy(steps, keep_old_seconds=0.0))
    watch = Watch(world)
    calm(world, watch)

    assert world.rollout.state.outcome is Outcome.SUCCEEDED
    assert all(each.served == Split({YELLOW.id: 100}) for each in world.clusters)
