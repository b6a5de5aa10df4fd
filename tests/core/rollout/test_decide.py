"""A rollout rises on proof only, holds on silence, and never goes back onto a broken stable."""

import itertools
from dataclasses import replace

import pytest

from crossfade.core.analysis.judgement import Verdict
from crossfade.core.rollout.decide import decide
from crossfade.core.rollout.spec import Pause, SetWeight, Strategy, Unreachable
from crossfade.core.rollout.state import ClusterSight, Outcome, Phase, Sight, State
from crossfade.testing.builders import CLUSTERS, judgement, rollout

STEPS = (SetWeight(10), Pause(30.0), SetWeight(50))
PROGRESS = Phase.PROGRESSING


def cluster(name="aws", *, reachable=True, converged=True, ready=True, whole=True, refused=False):
    trouble = "" if ready and not refused else "the pod crashes"
    return ClusterSight(name, reachable, converged, ready, whole, trouble, refused)


def sight(verdict=Verdict.PASS, **first):
    others = tuple(cluster(name) for name in CLUSTERS[1:])
    return Sight((cluster(**first), *others), judgement(verdict))


def at(percent, step, since=0.0, **more):
    return State(PROGRESS, percent=percent, step=step, level_since=since, **more)


@pytest.mark.parametrize(
    ("state", "seen", "phase", "percent", "step"),
    [
        pytest.param(State(), sight(ready=False), Phase.INSTALLING, 0, 0, id="waits-for-pods"),
        pytest.param(State(), sight(), PROGRESS, 0, 0, id="begins-when-ready-everywhere"),
        pytest.param(at(0, 0), sight(Verdict.UNKNOWN), PROGRESS, 10, 1, id="first-step-needs-no-proof"),
        pytest.param(at(10, 1, 80.0), sight(), PROGRESS, 10, 1, id="pause-lasts"),
        pytest.param(at(10, 1, 60.0), sight(), PROGRESS, 10, 2, id="pause-ends"),
        pytest.param(at(10, 2), sight(), PROGRESS, 50, 3, id="rises-on-a-good-verdict"),
        pytest.param(at(10, 2), sight(Verdict.UNKNOWN), PROGRESS, 10, 2, id="silence-does-not-promote"),
        pytest.param(at(10, 2), sight(converged=False), PROGRESS, 10, 2, id="waits-for-the-last-cluster"),
        pytest.param(at(10, 2), sight(ready=False), PROGRESS, 10, 2, id="unready-pods-hold"),
        pytest.param(at(10, 2), sight(reachable=False), PROGRESS, 10, 2, id="a-silent-cluster-holds"),
        pytest.param(at(10, 2, paused=True), sight(), PROGRESS, 10, 2, id="a-person-holds"),
        pytest.param(at(10, 2), sight(Verdict.FAIL), Phase.ROLLING_BACK, 0, 2, id="bad-verdict-goes-back"),
        pytest.param(at(10, 2, paused=True), sight(Verdict.FAIL), Phase.ROLLING_BACK, 0, 2, id="also-while-paused"),
        pytest.param(at(10, 2), sight(Verdict.FAIL, whole=False), PROGRESS, 10, 2, id="never-back-onto-a-broken-stable"),
        pytest.param(at(10, 2, abort="no"), sight(), Phase.ROLLING_BACK, 0, 2, id="abort-goes-back"),
        pytest.param(at(10, 2, abort="no"), sight(whole=False), PROGRESS, 10, 2, id="abort-needs-a-whole-stable"),
        pytest.param(at(50, 3), sight(Verdict.UNKNOWN), PROGRESS, 50, 3, id="all-users-need-proof-too"),
        pytest.param(at(50, 3), sight(), Phase.PROMOTING, 100, 3, id="then-all-users"),
        pytest.param(at(10, 1, 80.0, passed=1), sight(), PROGRESS, 10, 2, id="promote-ends-a-pause"),
        pytest.param(at(10, 2, passed=2), sight(Verdict.UNKNOWN), PROGRESS, 50, 3, id="a-person-may-pass-silence"),
        pytest.param(at(10, 2, passed=2), sight(Verdict.FAIL), Phase.ROLLING_BACK, 0, 2, id="but-not-a-bad-verdict"),
        pytest.param(at(10, 1, full=True), sight(Verdict.UNKNOWN), Phase.PROMOTING, 100, 1, id="promote-full"),
        pytest.param(State(Phase.PROMOTING, 100), sight(converged=False), Phase.PROMOTING, 100, 0, id="waits-for-all-at-100"),
        pytest.param(State(Phase.PROMOTING, 100), sight(), Phase.ENDED, 100, 0, id="done"),
        pytest.param(State(Phase.PROMOTING, 100), sight(Verdict.FAIL), Phase.ROLLING_BACK, 0, 0, id="bad-at-the-end-goes-back"),
    ],
)  # fmt: skip
def test_decide(state, seen, phase, percent, step):
    got = decide(rollout(*STEPS, state=state), seen, now=100.0).want

    assert (got.phase, got.percent, got.step) == (phase, percent, step)


def test_the_pause_counts_from_when_the_last_cluster_had_confirmed_the_share():
    late = decide(rollout(*STEPS, state=at(10, 1)), sight(converged=False), 50.0).want
    confirmed = decide(rollout(*STEPS, state=late), sight(), 60.0).want

    assert (late.level_since, confirmed.level_since) == (None, 60.0)


def test_a_pause_without_time_waits_for_a_person():
    paused = rollout(Pause(None), state=at(10, 0, since=0.0))

    assert decide(paused, sight(), 1e9).want.step == 0


def test_a_refused_revision_goes_back_before_anybody_meets_it():
    got = decide(rollout(*STEPS), sight(ready=False, refused=True), 1.0)

    assert got.want.phase is Phase.ROLLING_BACK
    assert "aws: the pod crashes" in got.reason


def test_a_revision_that_never_gets_ready_goes_back_at_the_deadline():
    strategy = Strategy(STEPS, ready_seconds=60.0)

    early = decide(rollout(strategy=strategy), sight(ready=False), 60.0)
    late = decide(rollout(strategy=strategy), sight(ready=False), 61.0)

    assert early.want.phase is Phase.INSTALLING
    assert late.want.phase is Phase.ROLLING_BACK


@pytest.mark.parametrize(
    ("rule", "phase", "percent"),
    [
        (Unreachable.HOLD, PROGRESS, 10),
        (Unreachable.SKIP, PROGRESS, 50),
        (Unreachable.FAIL, Phase.ROLLING_BACK, 0),
    ],
)
def test_an_unreachable_cluster_is_treated_by_the_rule(rule, phase, percent):
    strategy = Strategy(STEPS, unreachable=rule)
    state = at(10, 2)

    got = decide(
        rollout(strategy=strategy, state=state), sight(reachable=False, converged=False), 0.0
    )

    assert (got.want.phase, got.want.percent) == (phase, percent)


def test_nobody_is_promoted_when_every_cluster_is_skipped():
    strategy = Strategy(STEPS, unreachable=Unreachable.SKIP)
    gone = Sight(
        tuple(cluster(name, reachable=False) for name in CLUSTERS), judgement(Verdict.PASS)
    )

    assert decide(rollout(strategy=strategy, state=at(10, 2)), gone, 0.0).want.percent == 10


def test_a_roll_back_is_no_success_while_a_cluster_is_pending():
    state = State(Phase.ROLLING_BACK, reason="analysis failed")

    pending = decide(rollout(state=state), sight(reachable=False, converged=False), 1.0)
    again = decide(rollout(state=replace(pending.want, reason=pending.reason)), sight(), 2.0)

    assert pending.want.phase is Phase.ROLLING_BACK
    assert pending.want.pending == ("aws",)
    assert pending.reason == "analysis failed; rolled back 2/3, pending aws"
    assert again.want.outcome is Outcome.ROLLED_BACK
    assert again.reason == "analysis failed; rolled back 3/3"


def test_the_first_revision_is_not_taken_back_for_errors_since_there_is_nothing_to_go_to():
    first = rollout(stable=None, state=State(Phase.PROMOTING, 100))

    assert decide(first, sight(Verdict.FAIL), 1.0).want.phase is Phase.ENDED


def test_a_swap_back_needs_neither_steps_nor_verdict():
    state = decide(rollout(*STEPS, swap=True), sight(Verdict.UNKNOWN), 1.0).want

    assert (state.phase, state.percent) == (Phase.PROMOTING, 100)


def every_sight():
    """All that two clusters can show, with every verdict: a cluster has six meaningful faces."""
    faces = [
        {"reachable": False, "converged": False},
        {"converged": False},
        {"ready": False},
        {"whole": False},
        {"refused": True, "ready": False},
        {},
    ]
    for one, two in itertools.product(faces, repeat=2):
        for verdict in Verdict:
            yield Sight((cluster("aws", **one), cluster("gcp", **two)), judgement(verdict))


def every_state():
    for phase, percent, step in itertools.product(Phase, (0, 10, 50, 100), range(5)):
        for since, passed, full, abort, paused in itertools.product(
            (None, 0.0, 90.0), (-1, step), (False, True), ("", "no"), (False, True)
        ):
            yield State(phase, percent, step, 0.0, since, paused, passed, full, abort)


SIGHTS = list(every_sight())


@pytest.mark.parametrize("unreachable", list(Unreachable))
def test_every_state_under_every_sight_is_safe(unreachable):
    strategy = Strategy((*STEPS, Pause(None)), unreachable=unreachable)
    allowed = {10: 10, 50: 50, 100: 100}
    for state in every_state():
        moved = rollout(strategy=strategy, state=state)
        for seen in SIGHTS:
            want = decide(moved, seen, 100.0).want
            verdict = seen.judgement.verdict
            if want.percent > state.percent:
                assert want.percent in allowed
                assert verdict is not Verdict.FAIL or state.percent == 0, "rose on a bad verdict"
                proven = verdict is Verdict.PASS or state.percent == 0
                assert proven or state.full or state.passed >= state.step, "rose without proof"
                assert state.phase is not Phase.ENDED, "an ended rollout moved users"
                assert not state.paused, "rose while a person holds it"
                counted = [
                    c for c in seen.clusters if c.reachable or unreachable is not Unreachable.SKIP
                ]
                assert counted, "rose with nobody to see it"
                assert all(c.reachable for c in counted), "rose while a cluster is silent"
            if (
                state.percent > 0
                and want.percent < state.percent
                and want.phase is Phase.ROLLING_BACK
            ):
                whole = all(c.stable_whole for c in seen.clusters if c.reachable)
                assert whole, "went back onto a broken stable"
            if want.outcome is Outcome.ROLLED_BACK and state.phase is not Phase.ENDED:
                assert all(c.converged for c in seen.clusters), "success while a cluster is pending"
            if verdict is Verdict.UNKNOWN and not state.abort and state.percent > 0:
                lost = any(not c.reachable for c in seen.clusters)
                if not (lost and unreachable is Unreachable.FAIL) and state.phase is PROGRESS:
                    assert want.phase is not Phase.ROLLING_BACK, "took silence for failure"
