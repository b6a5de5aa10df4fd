"""Each step does what its name says, waits for what it must, and never goes too fast."""

from dataclasses import replace

import pytest

from crossfade.core.analysis.judgement import Judgement, Run, Verdict
from crossfade.core.rollout.commands import Command, perform
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
)
from crossfade.core.rollout.state import ClusterPhase, Outcome, Phase
from crossfade.core.traffic.split import HeaderMatch
from crossfade.testing.builders import CLUSTERS, judgement, rollout, stepping
from crossfade.testing.rehearsal import Rehearsal

AWS, GCP, ONPREM = CLUSTERS
TESTERS = SetHeaderRoute("testers", (HeaderMatch("x-tester", "yes"),))
NO_TESTERS = SetHeaderRoute("testers")


def rehearse(*steps, **strategy):
    return Rehearsal(rollout(strategy=Strategy(steps, **strategy)))


def standing(rehearsal, percent, step, **more):
    """The rehearsal with all clusters at this step."""
    since = rehearsal.now
    state = stepping(percent, step, since, **more)
    rehearsal.rollout = replace(rehearsal.rollout, state=state)
    return rehearsal


def trace(rehearsal, looks=60):
    """What users meet, in order: share, pods, names of header routes, mirrored share."""
    found = []
    for _ in range(looks):
        rehearsal.look()
        at = rehearsal.at(AWS)
        now = (at.percent, at.scale, *(each.name for each in at.headers), at.mirror)
        if not found or found[-1] != now:
            found.append(now)
    return found


@pytest.mark.parametrize(
    ("steps", "met"),
    [
        pytest.param((), [(0, 100, 0), (100, 100, 0)], id="no-steps-give-everybody-at-once"),
        pytest.param(
            (SetWeight(10), SetWeight(50)),
            [(0, 10, 0), (10, 10, 0), (10, 50, 0), (50, 50, 0), (50, 100, 0), (100, 100, 0)],
            id="pods-come-before-their-users",
        ),
        pytest.param(
            (SetWeight(50), SetWeight(10)),
            [(0, 50, 0), (50, 50, 0), (10, 50, 0), (10, 100, 0), (100, 100, 0)],
            id="a-lower-weight-takes-users-back-and-leaves-the-pods",
        ),
        pytest.param(
            (SetScale(30), SetWeight(10), SetScale(None)),
            [(0, 30, 0), (10, 30, 0), (10, 10, 0), (10, 100, 0), (100, 100, 0)],
            id="a-set-scale-holds-until-it-follows-the-share-again",
        ),
        pytest.param(
            (SetScale(20), SetWeight(50)),
            [(0, 20, 0), (50, 20, 0), (50, 100, 0), (100, 100, 0)],
            id="all-users-get-all-pods-whatever-scale-was-set",
        ),
        pytest.param(
            (SetScale(0), SetWeight(10)),
            [(0, 10, 0), (0, 0, 0), (0, 1, 0), (10, 1, 0), (10, 100, 0), (100, 100, 0)],
            id="nobody-is-sent-to-a-revision-that-was-scaled-to-nothing",
        ),
        pytest.param(
            (SetWeight(10), SetScale(0)),
            [(0, 10, 0), (10, 10, 0), (10, 1, 0), (10, 100, 0), (100, 100, 0)],
            id="a-revision-with-users-keeps-a-pod",
        ),
        pytest.param(
            (SetWeight(100), SetScale(50)),
            [(0, 100, 0), (100, 100, 0)],
            id="a-revision-with-all-users-keeps-all-pods",
        ),
        pytest.param(
            (TESTERS, SetWeight(10), NO_TESTERS),
            [
                (0, 10, 0),
                (0, 10, "testers", 0),
                (10, 10, "testers", 0),
                (10, 10, 0),
                (10, 100, 0),
                (100, 100, 0),
            ],
            id="header-routes-come-and-go",
        ),
        pytest.param(
            (TESTERS,),
            [(0, 100, 0), (0, 100, "testers", 0), (100, 100, "testers", 0), (100, 100, 0)],
            id="no-header-route-is-left-when-all-users-are-there",
        ),
        pytest.param(
            (SetMirror(20), SetMirror(0)),
            [(0, 100, 0), (0, 100, 20), (0, 100, 0), (100, 100, 0)],
            id="a-mirror-is-set-and-ended",
        ),
        pytest.param(
            (SetMirror(20), SetWeight(100)),
            [(0, 100, 0), (0, 100, 20), (100, 100, 20), (100, 100, 0)],
            id="requests-are-not-doubled-when-all-users-are-there",
        ),
    ],
)  # fmt: skip
def test_what_users_meet(steps, met):
    rehearsal = rehearse(*steps)

    assert trace(rehearsal) == met
    assert rehearsal.state.outcome is Outcome.SUCCEEDED


def test_the_first_share_counts_for_the_first_pods_with_those_of_lost_clusters():
    rehearsal = rehearse(SetWeight(10), survive=1)
    rehearsal.look()

    assert rehearsal.at(AWS).scale == 15


def test_users_do_not_rise_while_the_pods_for_them_start():
    rehearsal = standing(rehearse(SetWeight(10), SetWeight(50)), 10, 1, scale=10)
    rehearsal.faults[AWS] = {"scale": 10}
    rehearsal.looks(5)

    assert (rehearsal.at(AWS).percent, rehearsal.at(AWS).scale) == (10, 50)
    rehearsal.faults[AWS] = {"scale": 50, "canary_ready": False, "trouble": "no node has room"}
    rehearsal.looks(5)
    assert rehearsal.at(AWS).percent == 10
    assert "no node has room" in rehearsal.at(AWS).reason


def test_a_pause_counts_from_when_the_data_plane_has_confirmed_the_share():
    rehearsal = standing(rehearse(SetWeight(10), Pause(10.0), SetWeight(50)), 10, 1)
    for name in CLUSTERS:
        rehearsal.faults[name] = {"converged": False}
    rehearsal.looks(20)
    rehearsal.faults.clear()
    confirmed = rehearsal.look()
    assert {each.level_since for each in confirmed.clusters.values()} == {21.0}

    assert rehearsal.looks(9).step == 1
    assert rehearsal.look().step == 2


@pytest.mark.parametrize("step", [Pause(None), Approval("the shop is closed?")])
def test_what_waits_for_a_person_waits_for_ever(step):
    rehearsal = standing(rehearse(SetWeight(10), step, SetWeight(50)), 10, 1)

    assert rehearsal.looks(50, seconds=1e6).percent == 10
    assert "wait" in rehearsal.state.reason or "paused" in rehearsal.state.reason


def test_an_approval_ends_the_wait_for_it_and_nothing_else():
    rehearsal = standing(rehearse(SetWeight(10), Approval(), SetWeight(50)), 10, 1)
    rehearsal.judgement = judgement(Verdict.UNKNOWN)
    approved = perform(rehearsal.rollout, Command.APPROVE)
    rehearsal.rollout = approved
    rehearsal.looks(5)

    assert (rehearsal.state.step, rehearsal.state.percent) == (2, 10), "silence still holds"


def test_an_approval_at_the_foremost_cluster_does_not_let_the_others_skip_their_proof():
    rehearsal = standing(rehearse(SetWeight(10), Approval(), SetWeight(50), max_skew=1), 10, 1)
    clusters = dict(rehearsal.state.clusters)
    clusters[GCP] = replace(clusters[GCP], step=0, percent=5)
    rehearsal.rollout = replace(
        rehearsal.rollout, state=replace(rehearsal.state, clusters=clusters)
    )
    rehearsal.judgement = judgement(Verdict.HOLD)
    rehearsal.rollout = perform(rehearsal.rollout, Command.APPROVE)
    rehearsal.looks(5)

    assert rehearsal.at(GCP).percent == 5


@pytest.mark.parametrize(
    ("found", "seconds", "over"),
    [
        (Judgement(Verdict.PASS, 1, 0, "", proven=True), 0.0, True),
        (Judgement(Verdict.PASS, 1, 0, ""), 9.0, False),
        (Judgement(Verdict.PASS, 1, 0, ""), 10.0, True),
        (Judgement(Verdict.UNKNOWN, 1, 0, ""), 1e9, False),
        (Judgement(Verdict.HOLD, 1, 0, ""), 1e9, False),
        (Judgement(Verdict.INCONCLUSIVE, 1, 0, ""), 1e9, False),
    ],
)
def test_an_analysis_ends_when_proven_or_when_good_for_long_enough(found, seconds, over):
    rehearsal = standing(rehearse(SetWeight(10), Analyse(None, 10.0), SetWeight(50)), 10, 1)
    rehearsal.judgement = found

    assert (rehearsal.look(seconds).step == 2) is over


def test_an_analysis_without_a_time_waits_until_it_is_proven():
    rehearsal = standing(rehearse(SetWeight(10), Analyse()), 10, 1)

    assert rehearsal.look(1e9).step == 1


@pytest.mark.parametrize("users", [0, 10])
@pytest.mark.parametrize(
    ("runs", "phase", "step"),
    [
        ({}, Phase.PROGRESSING, 1),
        ({"smoke": Run(Verdict.UNKNOWN, "running")}, Phase.PROGRESSING, 1),
        ({"smoke": Run(Verdict.INCONCLUSIVE, "who knows")}, Phase.PROGRESSING, 1),
        ({"smoke": Run(Verdict.PASS, "fine")}, Phase.PROGRESSING, 2),
        ({"smoke": Run(Verdict.FAIL, "500")}, Phase.ROLLING_BACK, 0),
        ({"other": Run(Verdict.FAIL, "500")}, Phase.PROGRESSING, 1),
        ({"other": Run(Verdict.FAIL, "500", background=True)}, Phase.ROLLING_BACK, 0),
    ],
)
def test_a_named_run_lets_pass_or_takes_back_also_before_any_user(runs, phase, step, users):
    rehearsal = standing(rehearse(SetScale(10), Analyse("smoke"), SetWeight(50)), users, 1)
    rehearsal.runs = runs
    state = rehearsal.look()

    assert state.phase is phase
    assert phase is Phase.ROLLING_BACK or state.step == step


def ramped(ramp, proven=False, verdict=Verdict.PASS):
    return Judgement(verdict, 100, 0, "so far", ramp=ramp, proven=proven)


@pytest.mark.parametrize(
    ("percent", "found", "after", "over"),
    [
        pytest.param(0, ramped(1.0), 1, False, id="begins"),
        pytest.param(4, ramped(8.0), 8, False, id="rises-as-the-budget-allows"),
        pytest.param(4, ramped(90.0), 50, False, id="never-beyond-its-limit"),
        pytest.param(20, ramped(5.0), 5, False, id="falls-when-the-budget-shrinks"),
        pytest.param(20, ramped(5.0, verdict=Verdict.HOLD), 5, False, id="falls-also-in-doubt"),
        pytest.param(20, ramped(21.0), 20, False, id="noise-moves-nobody"),
        pytest.param(4, ramped(8.0, verdict=Verdict.UNKNOWN), 4, False, id="silence-holds"),
        pytest.param(4, ramped(None), 4, False, id="holds-without-a-ramp"),
        pytest.param(4, ramped(None, proven=True), 50, False, id="proven-goes-to-its-limit"),
        pytest.param(50, ramped(50.0), 50, False, id="at-its-limit-waits-for-proof"),
        pytest.param(50, ramped(50.0, proven=True), 50, True, id="ends-when-proven"),
    ],
)  # fmt: skip
def test_a_ramp(percent, found, after, over):
    rehearsal = standing(rehearse(Ramp(50.0)), percent, 0)
    rehearsal.judgement = found
    state = rehearsal.look()

    assert state.percent == after
    assert (state.step == 1) is over


def test_a_person_ends_a_ramp():
    rehearsal = standing(rehearse(Ramp(50.0), SetWeight(80)), 4, 0)
    rehearsal.judgement = ramped(4.0)
    rehearsal.rollout = perform(rehearsal.rollout, Command.PROMOTE)

    assert rehearsal.look().step == 1


def test_a_step_that_was_skipped_does_not_use_up_the_pause_after_it():
    rehearsal = standing(rehearse(SetWeight(10), Pause(None), Pause(10.0), SetWeight(50)), 10, 1)
    rehearsal.looks(5, seconds=1000.0)
    rehearsal.rollout = perform(rehearsal.rollout, Command.SKIP)
    rehearsal.looks(3)

    assert rehearsal.state.step == 2
    assert rehearsal.looks(10).step == 3


def test_a_long_wait_for_a_verdict_is_not_blamed_on_the_route_that_follows():
    strategy = Strategy((SetWeight(10), SetWeight(50)), deadlines=Deadlines(step_seconds=60.0))
    rehearsal = standing(Rehearsal(rollout(strategy=strategy)), 10, 1)
    rehearsal.judgement = judgement(Verdict.HOLD)
    rehearsal.looks(5, seconds=1000.0)
    rehearsal.judgement = judgement(Verdict.PASS)
    rehearsal.look()
    rehearsal.faults = {name: {"converged": False} for name in CLUSTERS}
    rehearsal.looks(30)
    assert (rehearsal.state.phase, rehearsal.state.percent) == (Phase.PROGRESSING, 50)

    rehearsal.looks(35)
    assert rehearsal.state.phase is Phase.ROLLING_BACK


def test_a_route_that_is_unconfirmed_for_a_moment_after_a_long_pause_is_no_failure():
    strategy = Strategy((SetWeight(10), Pause(None)), deadlines=Deadlines(step_seconds=60.0))
    rehearsal = standing(Rehearsal(rollout(strategy=strategy)), 10, 1)
    rehearsal.looks(5, seconds=1000.0)
    rehearsal.faults[AWS] = {"converged": False}

    assert rehearsal.looks(30).phase is Phase.PROGRESSING


def test_a_cluster_is_done_only_after_its_data_plane_has_confirmed_all_users():
    rehearsal = standing(rehearse(SetWeight(50)), 100, 1)
    rehearsal.faults[AWS] = {"converged": False}
    rehearsal.looks(10)

    assert rehearsal.at(AWS).phase is ClusterPhase.STEPPING
    assert rehearsal.at(GCP).phase is ClusterPhase.DONE
    assert rehearsal.state.outcome is Outcome.NONE
