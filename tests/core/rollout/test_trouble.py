"""Trouble comes before progress: bad verdicts, deadlines, holds; waiting is no trouble."""

from dataclasses import replace

import pytest

from crossfade.core.analysis.judgement import Judgement, Verdict
from crossfade.core.failover.during_rollout import Shift
from crossfade.core.release.report import Cause
from crossfade.core.rollout.commands import Command, perform
from crossfade.core.rollout.spec import (
    Approval,
    Deadlines,
    Pause,
    SetWeight,
    Strategy,
    Unreachable,
)
from crossfade.core.rollout.state import ClusterPhase, Outcome, Phase
from crossfade.testing.builders import CLUSTERS, judgement, rollout, stepping
from crossfade.testing.rehearsal import Rehearsal

AWS, GCP, ONPREM = CLUSTERS
STEPS = (SetWeight(10), SetWeight(50))
AWAY = {"reachable": False, "converged": False, "trouble": "connection refused"}
BAD = judgement(Verdict.FAIL)
BAD_ON_GCP = Judgement(Verdict.FAIL, 100, 50, "errors", scope=(GCP,))


def rehearse(*steps, stable=True, percent=None, step=0, **strategy):
    first = {} if stable else {"stable": None}
    rehearsal = Rehearsal(rollout(strategy=Strategy(steps or STEPS, **strategy), **first))
    if percent is not None:
        state = stepping(percent, step, 0.0)
        rehearsal.rollout = replace(rehearsal.rollout, state=state)
    return rehearsal


def ask(rehearsal, command, why=""):
    rehearsal.rollout = perform(rehearsal.rollout, command, why)


# ---- verdicts


def test_a_version_that_is_bad_everywhere_goes_back_everywhere_also_while_paused():
    rehearsal = rehearse(percent=10, step=1)
    ask(rehearsal, Command.PAUSE)
    rehearsal.judgement = BAD
    state = rehearsal.look()

    assert (state.phase, state.percent) == (Phase.ROLLING_BACK, 0)
    assert "analysis failed" in state.reason


def test_a_version_that_is_bad_on_one_cluster_goes_back_there_alone_and_the_others_hold():
    rehearsal = rehearse(percent=10, step=1)
    rehearsal.judgement = BAD_ON_GCP
    rehearsal.look()
    assert [rehearsal.at(name).percent for name in CLUSTERS] == [10, 0, 10]
    assert "gcp goes back to the stable revision, alone" in rehearsal.state.reason

    rehearsal.judgement = judgement(Verdict.PASS)
    rehearsal.looks(20)
    assert [rehearsal.at(name).percent for name in CLUSTERS] == [10, 0, 10]
    assert "promote colors` goes on without it" in rehearsal.state.reason


LOST_NODE = {"canary_ready": False, "cause": Cause.NODE, "trouble": "its node does not answer"}


def test_a_version_whose_pods_nodes_took_away_loses_its_users_there_and_begins_again():
    rehearsal = rehearse(percent=50, step=2)
    rehearsal.faults[GCP] = LOST_NODE
    rehearsal.judgement = BAD_ON_GCP
    state = rehearsal.look()

    assert (state.phase, [rehearsal.at(each).percent for each in CLUSTERS]) == (
        Phase.PROGRESSING,
        [50, 0, 50],
    )
    assert (rehearsal.at(GCP).phase, rehearsal.at(GCP).step) == (ClusterPhase.INSTALLING, 0)
    assert "gcp: its node does not answer; that is no fault of the version" in state.reason
    assert state.shift == Shift(0.0)


def test_a_version_that_fails_where_its_nodes_live_goes_back_whatever_happens_to_others():
    rehearsal = rehearse(percent=10, step=1)
    rehearsal.faults[GCP] = LOST_NODE
    rehearsal.judgement = BAD

    assert rehearsal.look().phase is Phase.ROLLING_BACK


def gone_back_on_gcp():
    rehearsal = rehearse(*STEPS, SetWeight(80), percent=10, step=1)
    rehearsal.judgement = BAD_ON_GCP
    rehearsal.look()
    rehearsal.judgement = judgement(Verdict.PASS)
    rehearsal.looks(3)
    return rehearsal


def test_a_person_goes_on_without_it_for_all_the_steps_that_follow():
    rehearsal = gone_back_on_gcp()
    ask(rehearsal, Command.PROMOTE)

    assert rehearsal.looks(60).outcome is Outcome.SUCCEEDED
    assert [rehearsal.at(name).percent for name in CLUSTERS] == [100, 0, 100]
    assert "except on gcp: rolled back there" in rehearsal.state.reason


def test_a_verdict_that_is_still_about_the_cluster_that_went_back_takes_nobody_else_back():
    rehearsal = gone_back_on_gcp()
    rehearsal.judgement = BAD_ON_GCP
    rehearsal.looks(10)

    assert rehearsal.state.phase is Phase.PROGRESSING
    assert rehearsal.at(AWS).percent == 10


def test_a_second_cluster_that_goes_back_is_asked_for_again():
    rehearsal = gone_back_on_gcp()
    ask(rehearsal, Command.PROMOTE)
    rehearsal.until(lambda state: state.percent == 50)
    rehearsal.judgement = replace(BAD_ON_GCP, scope=(AWS,))
    rehearsal.look()
    rehearsal.judgement = judgement(Verdict.PASS)
    rehearsal.looks(20)

    assert [rehearsal.at(name).percent for name in CLUSTERS] == [0, 0, 50]


def test_the_last_cluster_with_users_that_is_bad_ends_the_rollout():
    rehearsal = gone_back_on_gcp()
    rehearsal.judgement = replace(BAD_ON_GCP, scope=(AWS, ONPREM))

    assert rehearsal.look().phase is Phase.ROLLING_BACK


def test_a_single_cluster_is_tried_again_and_catches_up():
    rehearsal = gone_back_on_gcp()
    ask(rehearsal, Command.RETRY)

    assert rehearsal.looks(60).outcome is Outcome.SUCCEEDED
    assert [rehearsal.at(name).percent for name in CLUSTERS] == [100, 100, 100]


def test_a_bad_version_is_not_put_back_onto_a_cluster_whose_stable_is_broken():
    rehearsal = rehearse(percent=10, step=1)
    rehearsal.judgement = BAD_ON_GCP
    rehearsal.faults[GCP] = {"stable_whole": False}
    rehearsal.looks(3)

    assert rehearsal.at(GCP).percent == 10
    assert "blue does not run in full on gcp" in rehearsal.state.reason


@pytest.mark.parametrize("command", [None, Command.ABORT])
def test_trouble_with_a_broken_stable_moves_nobody_and_says_so(command):
    rehearsal = rehearse(percent=50, step=1)
    rehearsal.faults[ONPREM] = {"stable_whole": False}
    if command:
        ask(rehearsal, command, "no")
    else:
        rehearsal.judgement = BAD
    rehearsal.looks(5)

    assert (rehearsal.state.phase, rehearsal.state.percent) == (Phase.PROGRESSING, 50)
    assert "blue does not run in full on onprem, so nothing is moved back" in rehearsal.state.reason
    rehearsal.faults.clear()
    assert rehearsal.look().phase is Phase.ROLLING_BACK


def test_a_stable_that_is_broken_where_no_user_has_moved_does_not_stop_the_way_back():
    rehearsal = rehearse(percent=10, step=1)
    clusters = dict(rehearsal.state.clusters)
    clusters[GCP] = replace(clusters[GCP], percent=0.0)
    rehearsal.rollout = replace(
        rehearsal.rollout, state=replace(rehearsal.state, clusters=clusters)
    )
    rehearsal.faults[GCP] = {"stable_whole": False}
    rehearsal.judgement = BAD

    assert rehearsal.look().phase is Phase.ROLLING_BACK


def test_the_first_deployment_is_not_judged_since_there_is_nothing_to_go_back_to():
    rehearsal = rehearse(stable=False, percent=100, step=0)
    rehearsal.judgement = BAD

    assert rehearsal.looks(5).outcome is Outcome.SUCCEEDED


# ---- holds, and what they cost


def test_a_hold_for_a_lost_cluster_uses_up_neither_pauses_nor_deadlines():
    deadlines = Deadlines(ready_seconds=20.0, step_seconds=20.0)
    rehearsal = rehearse(SetWeight(10), Pause(30.0), percent=10, step=1, deadlines=deadlines)
    rehearsal.looks(10)
    rehearsal.faults[AWS] = AWAY
    rehearsal.look()
    rehearsal.looks(10, seconds=100.0)
    assert "holding: aws cannot be reached: connection refused" in rehearsal.state.reason
    rehearsal.faults.clear()

    assert rehearsal.looks(15).step == 1
    assert rehearsal.looks(10).outcome is Outcome.SUCCEEDED


def test_a_hold_while_pods_start_does_not_use_up_their_time():
    rehearsal = rehearse(deadlines=Deadlines(ready_seconds=20.0))
    for name in CLUSTERS:
        rehearsal.faults[name] = {"canary_ready": False}
    rehearsal.looks(10)
    ask(rehearsal, Command.PAUSE)
    rehearsal.look()
    rehearsal.looks(10, seconds=100.0)
    ask(rehearsal, Command.RESUME)

    assert rehearsal.looks(5).phase is Phase.INSTALLING
    assert rehearsal.looks(20).outcome is Outcome.ROLLED_BACK


def test_a_person_who_pauses_stops_everything_until_it_is_resumed():
    rehearsal = rehearse(percent=10, step=1)
    ask(rehearsal, Command.PAUSE)
    assert rehearsal.looks(20).percent == 10
    assert "crossfade rollout resume" in rehearsal.state.reason

    ask(rehearsal, Command.RESUME)
    assert rehearsal.looks(10).percent == 100


@pytest.mark.parametrize("verdict", [Verdict.UNKNOWN, Verdict.HOLD, Verdict.INCONCLUSIVE])
def test_without_a_good_verdict_users_neither_rise_nor_go_back(verdict):
    rehearsal = rehearse(percent=10, step=1)
    rehearsal.judgement = judgement(verdict)
    rehearsal.looks(50, seconds=1000.0)

    assert (rehearsal.state.phase, rehearsal.state.percent) == (Phase.PROGRESSING, 10)
    assert f"holding: it is {verdict.value}" in rehearsal.state.reason


@pytest.mark.parametrize(
    ("key", "value"), [("frozen", "it is night"), ("closed", {"shop": "busy"})]
)
@pytest.mark.parametrize("command", [None, Command.PROMOTE, Command.PROMOTE_FULL])
def test_nobody_rises_in_a_freeze_or_past_a_closed_gate_whoever_asks(key, value, command):
    rehearsal = rehearse(percent=10, step=1)
    setattr(rehearsal, key, value)
    if command:
        ask(rehearsal, command)
    rehearsal.looks(10)

    assert rehearsal.state.percent == 10
    assert rehearsal.state.reason in {"holding: it is night", "holding: shop: busy"}


def test_users_go_back_also_in_a_freeze():
    rehearsal = rehearse(percent=10, step=1)
    rehearsal.frozen, rehearsal.judgement = "it is night", BAD

    assert rehearsal.look().phase is Phase.ROLLING_BACK


# ---- deadlines


@pytest.mark.parametrize(("cause", "phase"), [
    (Cause.NONE, Phase.ROLLING_BACK),
    (Cause.CONFIG, Phase.ROLLING_BACK),
    (Cause.RESOURCES, Phase.ROLLING_BACK),
    (Cause.NODE, Phase.INSTALLING),
])  # fmt: skip
def test_a_version_that_is_never_ready_goes_back_but_not_for_a_broken_node(cause, phase):
    rehearsal = rehearse(deadlines=Deadlines(ready_seconds=20.0))
    for name in CLUSTERS:
        rehearsal.faults[name] = {"canary_ready": False, "cause": cause, "trouble": "so it is"}
    assert rehearsal.looks(21).phase is Phase.INSTALLING

    assert rehearsal.looks(1).phase is phase
    assert (
        phase is Phase.INSTALLING
        or "yellow is not ready on aws: so it is" in rehearsal.state.reason
    )


def test_a_version_that_is_ready_at_the_last_moment_is_in_time():
    rehearsal = rehearse(deadlines=Deadlines(ready_seconds=20.0))
    rehearsal.faults = {name: {"canary_ready": False} for name in CLUSTERS}
    rehearsal.looks(20)
    rehearsal.faults.clear()

    assert rehearsal.look(seconds=60.0).phase is Phase.PROGRESSING


@pytest.mark.parametrize("waits_for", [Pause(None), Approval()])
def test_the_whole_deadline_counts_whatever_the_rollout_waits_for(waits_for):
    rehearsal = rehearse(waits_for, percent=0, deadlines=Deadlines(whole_seconds=100.0))
    assert rehearsal.looks(100).phase is Phase.PROGRESSING

    assert rehearsal.look().phase is Phase.ROLLING_BACK
    assert "not done after 100 s" in rehearsal.state.reason


@pytest.mark.parametrize("fault", [AWAY, None])
def test_the_whole_deadline_counts_also_while_held(fault):
    rehearsal = rehearse(percent=10, step=1, deadlines=Deadlines(whole_seconds=100.0))
    if fault:
        rehearsal.faults[AWS] = fault
    else:
        ask(rehearsal, Command.PAUSE)

    assert rehearsal.looks(101).phase is Phase.ROLLING_BACK


def test_a_deadline_with_a_broken_stable_halts_for_good_and_raises_nobody():
    rehearsal = rehearse(percent=10, step=0, deadlines=Deadlines(step_seconds=20.0))
    rehearsal.faults = {AWS: {"converged": False}, GCP: {"stable_whole": False}}
    rehearsal.looks(60)

    assert rehearsal.state.percent == 10
    assert all("blue does not run in full on gcp" in each for each in rehearsal.reasons[-20:])


def test_a_first_deployment_takes_the_time_that_it_takes_once_it_has_users():
    deadlines = Deadlines(ready_seconds=20.0, whole_seconds=30.0)
    rehearsal = rehearse(stable=False, deadlines=deadlines, unreachable=Unreachable.SKIP)
    rehearsal.waves = {AWS: 0, GCP: 1, ONPREM: 1}
    rehearsal.faults[GCP] = {"canary_ready": False}
    rehearsal.looks(100)
    assert rehearsal.state.percent == 100
    rehearsal.faults.clear()

    assert rehearsal.looks(20).outcome is Outcome.SUCCEEDED


# ---- restart


def test_a_restart_begins_with_the_first_step_and_takes_users_back_first():
    rehearsal = rehearse(SetWeight(10), Pause(None), percent=50, step=1)
    ask(rehearsal, Command.RESTART)
    state = rehearsal.look()

    assert (state.percent, state.step, state.restart) == (0, 0, False)
    assert rehearsal.looks(5).percent == 10


def test_a_restart_waits_for_a_whole_stable():
    rehearsal = rehearse(percent=50, step=1)
    rehearsal.faults[GCP] = {"stable_whole": False}
    ask(rehearsal, Command.RESTART)

    assert rehearsal.looks(5).percent == 50
    assert "stable does not run in full on gcp" in rehearsal.state.reason


def test_a_restart_after_the_first_wave_goes_through_its_rest_again():
    rehearsal = rehearse(percent=100, step=2)
    state = replace(rehearsal.state, wave_over=0.0, restart=True)
    rehearsal.rollout = replace(rehearsal.rollout, state=state)

    assert rehearsal.look().wave_over is None


def test_a_cluster_that_went_back_stays_back_through_a_restart():
    rehearsal = gone_back_on_gcp()
    ask(rehearsal, Command.RESTART)
    rehearsal.looks(10)

    assert rehearsal.at(GCP).phase is ClusterPhase.BACK
