"""A cluster is lost in the middle of a rollout: what is proven stays, and nothing else counts."""

from dataclasses import replace

import pytest

from crossfade.core.analysis.judgement import Verdict
from crossfade.core.failover.during_rollout import Interruption, Shift
from crossfade.core.failover.evidence import Condition, Statement
from crossfade.core.rollout.interruption import WINDOW_SECONDS, settling_of, shift_of
from crossfade.core.rollout.spec import Analyse, Pause, SetWeight, Strategy, Unreachable
from crossfade.core.rollout.state import ClusterPhase, Phase
from crossfade.testing.builders import CLUSTERS, judgement, rollout, seen, sight, stepping
from crossfade.testing.rehearsal import Rehearsal

AWS, GCP, ONPREM = CLUSTERS
STEPS = (SetWeight(10), Pause(20.0), SetWeight(50), Pause(20.0))
LOST = {
    "reachable": False,
    "converged": False,
    "condition": Condition.BOTH_DOWN,
    "lost_at": 0.5,
    "left": False,
}
SETTLE_SECONDS = settling_of(rollout())
CLEAN_SECONDS = SETTLE_SECONDS + 2 * WINDOW_SECONDS


def rehearse(percent=10, step=1, *, unreachable=Unreachable.SKIP, steps=STEPS, **strategy):
    strategy = Strategy(steps, unreachable=unreachable, **strategy)
    return Rehearsal(rollout(strategy=strategy, state=stepping(percent, step, 0.0)))


def lose(rehearsal, name=GCP, **more):
    rehearsal.faults[name] = {**LOST, "lost_at": rehearsal.now + 0.5, **more}


def users_have_left(rehearsal, name=GCP):
    rehearsal.faults[name] = {**rehearsal.faults[name], "left": True}


def test_it_stands_still_from_the_loss_on_until_users_have_moved_and_figures_have_settled():
    rehearsal = rehearse()
    rehearsal.look()
    lose(rehearsal)
    state = rehearsal.look()
    assert "gcp lost; clock and analysis stand still" in state.reason
    assert state.interruption == Interruption(rehearsal.now, 0)

    users_have_left(rehearsal)
    rehearsal.look()
    left_at = rehearsal.now
    while rehearsal.now < left_at + CLEAN_SECONDS - 1:
        state = rehearsal.look()
        assert (state.step, state.percent, state.interruption is None) == (1, 10, False)
    rehearsal.looks(2)
    assert rehearsal.state.interruption is None
    assert any("resumes at step 1" in each for each in rehearsal.reasons[-2:])


def test_one_loss_sends_it_back_once_however_long_the_cluster_is_away():
    rehearsal = rehearse()
    lose(rehearsal, left=True)
    reasons = [rehearsal.look().reason for _ in range(400)]

    assert len([each for each in reasons if "resumes" in each]) == 1
    assert rehearsal.state.phase is Phase.ENDED


def test_users_who_met_a_share_that_was_not_proven_are_fewer_after_it_resumes():
    rehearsal = rehearse(percent=50, step=2)
    lose(rehearsal, left=True)
    rehearsal.until(lambda state: state.interruption is not None)
    assert rehearsal.state.percent == 50  # standing still moves nobody
    state = rehearsal.until(lambda state: state.interruption is None)

    assert (state.step, rehearsal.at(AWS).percent, rehearsal.at(ONPREM).percent) == (1, 10, 10)


def test_no_user_is_sent_back_to_a_stable_revision_that_does_not_run_in_full():
    rehearsal = rehearse(percent=50, step=2)
    lose(rehearsal, left=True)
    rehearsal.faults[AWS] = {"stable_whole": False}
    rehearsal.until(lambda state: state.interruption is not None)
    rehearsal.until(lambda state: state.interruption is None)

    assert (rehearsal.at(AWS).percent, rehearsal.at(ONPREM).percent) == (50, 10)


def test_the_time_of_a_pause_does_not_run_while_it_stands_still():
    rehearsal = rehearse(steps=(SetWeight(10), Pause(20.0), Pause(100.0), SetWeight(50)), step=2)
    rehearsal.looks(50)
    lose(rehearsal, left=True)
    rehearsal.until(lambda state: state.interruption is not None)
    rehearsal.until(lambda state: state.interruption is None)
    back_at = rehearsal.now
    rehearsal.until(lambda state: state.percent == 50)

    assert rehearsal.now - back_at >= 120  # both pauses, whole


def test_hold_stands_still_until_the_cluster_is_back_and_its_users_have_returned():
    rehearsal = rehearse(unreachable=Unreachable.HOLD)
    lose(rehearsal, left=True)
    rehearsal.looks(200)
    assert rehearsal.state.interruption is not None
    rehearsal.faults[GCP] = {"left": False, "return_until": rehearsal.now + 60}
    rehearsal.looks(60)
    assert rehearsal.state.interruption is not None
    rehearsal.until(lambda state: state.interruption is None)

    assert rehearsal.now >= 260 + SETTLE_SECONDS


def test_a_lost_cluster_that_was_rolled_back_alone_keeps_nobody_waiting():
    rehearsal = rehearse(unreachable=Unreachable.HOLD)
    back = replace(rehearsal.at(GCP), phase=ClusterPhase.BACK, percent=0.0)
    clusters = {**rehearsal.state.clusters, GCP: back}
    state = replace(rehearsal.state, clusters=clusters, without=(GCP,))
    rehearsal.rollout = replace(rehearsal.rollout, state=state)
    lose(rehearsal, left=True)
    rehearsal.until(lambda state: state.interruption is not None)

    rehearsal.until(lambda state: state.interruption is None)


def test_a_cluster_that_only_lags_behind_does_not_interrupt_anything():
    rehearsal = rehearse()
    rehearsal.faults[GCP] = {"converged": False, "left": True}
    rehearsal.looks(30)

    assert (rehearsal.state.interruption, rehearsal.state.shift) == (None, None)


def test_a_fault_of_the_new_revision_alone_takes_its_users_back_before_anything_else():
    rehearsal = rehearse()
    lose(rehearsal, ONPREM)
    rehearsal.faults[GCP] = {"only_new_fails": True}
    state = rehearsal.look()

    assert (state.phase, state.percent) == (Phase.ROLLING_BACK, 0)
    assert "only the new revision fails: on gcp beside an old one that serves" in state.reason


DARK = {"reachable": True, "condition": Condition.DATA_PLANE_DOWN, "left": True}


def only_on_gcp(rehearsal, **more):
    """Leave gcp as the only cluster whose users meet the new revision."""
    others = {
        name: replace(each, phase=ClusterPhase.WAITING, percent=0.0, step=0)
        for name, each in rehearsal.state.clusters.items()
        if name != GCP
    }
    clusters = {**rehearsal.state.clusters, **others}
    state = replace(rehearsal.state, clusters=clusters, **more)
    rehearsal.rollout = replace(rehearsal.rollout, state=state)


def test_when_only_clusters_with_the_new_revision_go_dark_it_goes_back_first():
    rehearsal = rehearse()
    only_on_gcp(rehearsal)
    lose(rehearsal, **DARK)

    assert rehearsal.look().phase is Phase.ROLLING_BACK


def test_until_the_only_cluster_with_it_has_said_what_failed_the_revision_is_not_blamed():
    rehearsal = rehearse()
    only_on_gcp(rehearsal)
    lose(rehearsal, **DARK, statement=Statement.SILENT)
    state = rehearsal.looks(30)
    assert "gcp went dark, and nobody knows yet if it is the version or the cloud" in state.reason
    assert (state.phase, state.percent) == (Phase.PROGRESSING, 10)

    rehearsal.faults[GCP] = {**rehearsal.faults[GCP], "statement": Statement.FINE}
    assert rehearsal.look().phase is Phase.ROLLING_BACK


def test_a_canary_that_begins_elsewhere_needs_no_proof_of_those_who_are_lost_and_then_it_does():
    rehearsal = rehearse(steps=(SetWeight(10), SetWeight(50)))
    only_on_gcp(rehearsal)
    rehearsal.judgement = judgement(Verdict.UNKNOWN)
    lose(rehearsal, left=True)
    rehearsal.until(lambda state: state.clusters[AWS].percent == 10)

    rehearsal.looks(60)
    assert (rehearsal.at(AWS).percent, rehearsal.at(ONPREM).percent) == (10, 10)


@pytest.mark.parametrize("rule", [Unreachable.SKIP, Unreachable.HOLD])
def test_when_the_only_canary_is_lost_nothing_that_it_earned_counts_elsewhere(rule):
    rehearsal = rehearse(unreachable=rule)
    only_on_gcp(rehearsal, passed=3)
    lose(rehearsal, left=True)
    state = rehearsal.look()
    assert "gcp had the only canary" in state.reason
    if rule is Unreachable.HOLD:
        assert rehearsal.looks(100).held_since is not None
        return
    assert state.passed == -1
    state = rehearsal.until(lambda state: state.clusters[AWS].meets_users)
    assert (rehearsal.at(AWS).step, rehearsal.at(AWS).percent) == (0, 10)


def test_a_verdict_on_what_was_counted_before_the_loss_still_takes_users_back():
    rehearsal = rehearse(steps=(SetWeight(10), Analyse()))
    lose(rehearsal)
    rehearsal.look()
    ended = replace(rehearsal.judgement, verdict=Verdict.FAIL)
    rehearsal.judgement = ended

    assert rehearsal.look().phase is Phase.ROLLING_BACK


def test_a_person_who_asks_for_all_users_is_not_kept_waiting_by_a_loss():
    rehearsal = rehearse()
    lose(rehearsal, left=True)
    rehearsal.look()
    rehearsal.rollout = replace(rehearsal.rollout, state=replace(rehearsal.state, full=True))

    assert rehearsal.look().interruption is None


@pytest.mark.parametrize(
    ("known", "fields", "found"),
    [
        pytest.param(None, {}, None, id="nothing-moves"),
        pytest.param(None, {"lost_at": 90.0, "left": False}, Shift(90.0), id="they-are-leaving"),
        pytest.param(None, {"lost_at": 90.0}, Shift(90.0, 100.0), id="they-left-before-we-looked"),
        pytest.param(None, {"lost_at": -60.0}, None, id="lost-long-before-the-rollout"),
        pytest.param(Shift(90.0), {}, Shift(90.0, 100.0), id="they-have-arrived"),
        pytest.param(Shift(20.0, 30.0), {"lost_at": 20.0}, Shift(20.0, 30.0), id="the-same-loss"),
        pytest.param(Shift(20.0, 30.0), {"return_until": 101.0}, Shift(100.0), id="they-return"),
        pytest.param(Shift(80.0, 95.0), {"return_until": 101.0}, Shift(80.0), id="one-after-the-other"),
        pytest.param(Shift(20.0, 30.0), {"return_until": 99.0}, Shift(20.0, 30.0), id="a-return-that-waits"),
    ],
)  # fmt: skip
def test_moves_of_users_are_known_by_losses_and_returns(known, fields, found):
    begun = rollout(state=replace(stepping(10, 1, 0.0), shift=known))

    assert shift_of(begun, sight(Verdict.PASS, seen(GCP, **fields)), 100.0) == found
