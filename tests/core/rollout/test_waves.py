"""Clusters go in waves, those of a wave side by side, and who is away is treated by the rule."""

from dataclasses import replace

import pytest

from crossfade.core.analysis.judgement import Judgement, Verdict
from crossfade.core.fleet.cluster import Cluster
from crossfade.core.release.report import Cause
from crossfade.core.rollout.commands import Command, perform
from crossfade.core.rollout.spec import Pause, SetWeight, Strategy, Unreachable, Wave
from crossfade.core.rollout.state import ClusterPhase, Outcome, Phase
from crossfade.core.rollout.waves import wave_of
from crossfade.testing.builders import CLUSTERS, judgement, rollout
from crossfade.testing.rehearsal import Rehearsal

AWS, GCP, ONPREM = CLUSTERS
STEPS = (SetWeight(10), SetWeight(50), SetWeight(80))
AWAY = {"reachable": False, "converged": False, "canary_ready": False}
UNREADY = {"canary_ready": False}
STUCK = {"converged": False}
WAVES = {AWS: 0, GCP: 1, ONPREM: 1}


def rehearse(*steps, waves=None, **strategy):
    return Rehearsal(rollout(strategy=Strategy(steps or STEPS, **strategy)), waves=waves or {})


def ask(rehearsal, command):
    rehearsal.rollout = perform(rehearsal.rollout, command)


def percents(rehearsal):
    return [rehearsal.at(name).percent for name in CLUSTERS]


@pytest.mark.parametrize(
    ("cluster", "labels", "wave"),
    [
        ("onprem", {}, 0),
        ("gcp", {"tier": "prod"}, 1),
        ("onprem", {"tier": "prod"}, 0),
        ("aws", {"tier": "dev"}, 2),
        ("aws", {}, 2),
    ],
)
def test_a_cluster_goes_with_the_first_wave_that_names_it_or_its_labels(cluster, labels, wave):
    waves = (Wave((ONPREM,)), Wave(match_labels={"tier": "prod"}))
    found = Cluster(cluster, context="", kubeconfig="", labels=labels)

    assert wave_of(waves, found) == wave


@pytest.mark.parametrize("skew", [0, 1, 2])
def test_clusters_of_a_wave_are_never_further_apart_than_agreed(skew):
    rehearsal = rehearse(max_skew=skew)
    rehearsal.until(lambda state: state.step == 1)
    rehearsal.faults[ONPREM] = {"scale": 10}  # its pods for the next share never come
    rehearsal.looks(30)

    step = {name: rehearsal.at(name).step for name in CLUSTERS}
    assert step[ONPREM] == 1
    assert rehearsal.at(AWS).percent == (50, 80, 100)[skew]
    assert step[AWS] == min(2 + skew, 3)


def test_all_clusters_of_a_wave_are_installed_before_users_meet_it_in_one():
    rehearsal = rehearse()
    rehearsal.faults[ONPREM] = UNREADY

    assert rehearsal.looks(20).percent == 0


def test_the_next_wave_begins_when_the_first_is_done_and_has_rested():
    waves = (Wave((AWS,), pause_seconds=30.0), Wave((GCP, ONPREM)))
    rehearsal = rehearse(waves=WAVES)
    rehearsal.rollout = replace(
        rehearsal.rollout, strategy=replace(rehearsal.rollout.strategy, waves=waves)
    )
    over = rehearsal.until(lambda state: state.wave_over is not None)
    assert percents(rehearsal) == [100, 0, 0]

    assert rehearsal.looks(29).wave == 0
    assert "pausing for 30 s" in rehearsal.state.reason
    assert rehearsal.look().wave == 1
    assert over.wave == 0
    assert rehearsal.looks(60).outcome is Outcome.SUCCEEDED


def between_waves(**strategy):
    waves = (Wave((AWS,), pause_seconds=1e6), Wave((GCP, ONPREM)))
    rehearsal = rehearse(waves=WAVES)
    rehearsal.rollout = replace(
        rehearsal.rollout, strategy=replace(rehearsal.rollout.strategy, waves=waves, **strategy)
    )
    rehearsal.until(lambda state: state.wave_over is not None)
    return rehearsal


@pytest.mark.parametrize("command", [Command.PROMOTE, Command.PROMOTE_FULL])
def test_a_person_ends_the_rest_between_waves(command):
    rehearsal = between_waves()
    ask(rehearsal, command)

    assert rehearsal.look().wave == 1


def test_the_promotion_of_a_step_of_one_wave_is_none_of_the_next_wave():
    rehearsal = rehearse(SetWeight(10), Pause(None), waves=WAVES)
    for _ in range(20):
        rehearsal.look()
    ask(rehearsal, Command.PROMOTE)
    rehearsal.until(lambda state: state.wave == 1)
    rehearsal.looks(30)

    assert percents(rehearsal) == [100, 10, 10], "it waits for a person again"


@pytest.mark.parametrize(("key", "value"), [("frozen", "night"), ("closed", {"shop": "busy"})])
def test_a_freeze_or_a_closed_gate_holds_the_next_wave_also_when_promoted(key, value):
    rehearsal = between_waves()
    setattr(rehearsal, key, value)
    ask(rehearsal, Command.PROMOTE)

    assert rehearsal.looks(5).wave == 0
    assert "holding" in rehearsal.state.reason


def test_a_cluster_taken_back_at_the_end_of_a_wave_holds_the_next_one_until_a_person_decides():
    waves = (Wave((AWS, GCP)), Wave((ONPREM,)))
    rehearsal = rehearse(waves={AWS: 0, GCP: 0, ONPREM: 1})
    rehearsal.rollout = replace(
        rehearsal.rollout, strategy=replace(rehearsal.rollout.strategy, waves=waves)
    )
    rehearsal.until(lambda state: state.wave_over is not None)
    rehearsal.judgement = Judgement(Verdict.FAIL, 1, 1, "bad there", scope=(GCP,))
    rehearsal.look()
    rehearsal.judgement = judgement(Verdict.PASS)
    rehearsal.looks(10)
    assert (rehearsal.state.wave, rehearsal.at(GCP).phase) == (0, ClusterPhase.BACK)
    assert "promote" in rehearsal.state.reason

    ask(rehearsal, Command.PROMOTE)
    assert rehearsal.looks(60).outcome is Outcome.SUCCEEDED
    assert percents(rehearsal) == [100, 0, 100]


def test_one_cluster_goes_first_and_a_bad_configuration_stops_there():
    rehearsal = rehearse()
    rehearsal.faults[AWS] = {
        "canary_ready": False,
        "trouble": "Secret db is missing",
        "cause": Cause.CONFIG,
    }
    rehearsal.looks(10)
    assert [rehearsal.at(name).phase for name in CLUSTERS] == [
        ClusterPhase.INSTALLING, ClusterPhase.WAITING, ClusterPhase.WAITING,
    ]  # fmt: skip

    rehearsal.faults[AWS]["refused"] = True
    assert rehearsal.look().phase is Phase.ROLLING_BACK
    assert "Secret db is missing" in rehearsal.state.reason


@pytest.mark.parametrize("cause", [Cause.RESOURCES, Cause.NODE])
def test_a_first_cluster_that_lacks_room_or_a_node_keeps_nobody_waiting(cause):
    rehearsal = rehearse()
    rehearsal.faults[AWS] = {"canary_ready": False, "cause": cause}
    rehearsal.looks(10)

    assert rehearsal.at(GCP).phase is ClusterPhase.STEPPING
    assert rehearsal.state.percent == 0, "it counts, and nobody is left behind"


def test_another_cluster_goes_first_while_the_first_is_skipped():
    rehearsal = rehearse(unreachable=Unreachable.SKIP)
    rehearsal.faults[AWS] = AWAY
    rehearsal.looks(2)

    assert rehearsal.at(GCP).phase is not ClusterPhase.WAITING


@pytest.mark.parametrize(
    ("rule", "phase", "percent"),
    [
        (Unreachable.HOLD, Phase.PROGRESSING, 10),
        (Unreachable.SKIP, Phase.PROGRESSING, 80),
        (Unreachable.FAIL, Phase.ROLLING_BACK, 0),
    ],
)
def test_a_cluster_that_goes_away_is_treated_by_the_rule(rule, phase, percent):
    rehearsal = rehearse(*STEPS, Pause(None), unreachable=rule)
    rehearsal.until(lambda state: state.level(10.0))
    rehearsal.faults[ONPREM] = AWAY
    rehearsal.looks(30)

    assert (rehearsal.state.phase, rehearsal.state.percent) == (phase, percent)


@pytest.mark.parametrize(("quorum", "percent"), [(0, 80), (2, 80), (3, 10), (9, 10)])
def test_users_rise_only_while_enough_clusters_take_part(quorum, percent):
    rehearsal = rehearse(*STEPS, Pause(None), unreachable=Unreachable.SKIP, quorum=quorum)
    rehearsal.until(lambda state: state.level(10.0))
    rehearsal.faults[ONPREM] = AWAY
    rehearsal.looks(30)

    assert rehearsal.state.percent == percent
    assert (percent == 80) or "quorum is 3" in rehearsal.state.reason


def test_nobody_rises_when_every_cluster_is_skipped():
    rehearsal = rehearse(unreachable=Unreachable.SKIP)
    rehearsal.until(lambda state: state.level(10.0))
    rehearsal.faults = dict.fromkeys(CLUSTERS, AWAY)
    rehearsal.looks(20)

    assert rehearsal.state.percent == 10
    assert "no cluster can be reached" in rehearsal.state.reason


def test_a_wave_of_which_nobody_can_be_reached_is_left_out_when_such_clusters_are_skipped():
    rehearsal = rehearse(waves=WAVES, unreachable=Unreachable.SKIP)
    rehearsal.faults[AWS] = AWAY
    rehearsal.look()
    assert rehearsal.state.wave == 1
    assert "wave 1 is left out; wave 2 begins: gcp, onprem" in rehearsal.reasons[-1]

    rehearsal.looks(60)
    assert (rehearsal.state.outcome, percents(rehearsal)) == (Outcome.SUCCEEDED, [0, 100, 100])
    assert "aws follows when it is back, without users until then" in rehearsal.state.reason


def test_a_first_wave_without_any_cluster_of_the_fleet_keeps_nobody_waiting():
    rehearsal = rehearse(waves=dict.fromkeys(CLUSTERS, 1))

    assert rehearsal.looks(60).outcome is Outcome.SUCCEEDED


def late(step=1):
    """One cluster was away while the others went on."""
    rehearsal = rehearse(*STEPS, Pause(1000.0), unreachable=Unreachable.SKIP)
    rehearsal.until(lambda state: state.step == step)
    rehearsal.faults[ONPREM] = AWAY
    rehearsal.until(lambda state: state.level(80.0))
    return rehearsal


def test_a_late_cluster_catches_up_before_it_counts():
    rehearsal = late()
    before = rehearsal.at(ONPREM).percent
    rehearsal.faults[ONPREM] = {"scale": 10}
    rehearsal.looks(5)
    assert (rehearsal.at(ONPREM).percent, rehearsal.at(ONPREM).late) == (before, True)

    rehearsal.faults[ONPREM] = STUCK
    rehearsal.looks(5)
    assert (rehearsal.at(ONPREM).percent, rehearsal.at(ONPREM).late) == (80, True)

    rehearsal.faults.clear()
    rehearsal.looks(2)
    assert (rehearsal.at(ONPREM).percent, rehearsal.at(ONPREM).late) == (80, False)


def test_a_late_cluster_does_not_make_the_others_pause_again():
    rehearsal = late()
    rehearsal.until(lambda state: state.step == 3)
    rehearsal.looks(100, seconds=9.0)
    rehearsal.faults.clear()
    rehearsal.looks(4)
    assert not rehearsal.at(ONPREM).late

    assert rehearsal.looks(9, seconds=30.0).percent == 100


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("frozen", "night"),
        ("closed", {"shop": "busy"}),
        ("judgement", judgement(Verdict.HOLD)),
        ("judgement", judgement(Verdict.INCONCLUSIVE)),
    ],
)
def test_a_late_cluster_does_not_rise_while_others_may_not(key, value):
    rehearsal = late()
    before = rehearsal.at(ONPREM).percent
    setattr(rehearsal, key, value)
    rehearsal.faults.clear()
    rehearsal.looks(10)

    assert rehearsal.at(ONPREM).percent == before


def test_a_late_cluster_that_refuses_the_revision_goes_back_alone():
    rehearsal = late()
    rehearsal.faults[ONPREM] = {"scale": 10}
    rehearsal.looks(2)
    rehearsal.faults[ONPREM] = {"scale": 10, "refused": True, "trouble": "quota exceeded"}
    rehearsal.look()

    assert rehearsal.state.phase is Phase.PROGRESSING
    assert percents(rehearsal) == [80, 80, 0]
    assert rehearsal.at(ONPREM).phase is ClusterPhase.BACK


def test_a_cluster_that_joins_the_fleet_meanwhile_catches_up():
    rehearsal = rehearse(*STEPS, Pause(1000.0))
    rehearsal.clusters = CLUSTERS[:2]
    rehearsal.until(lambda state: state.level(50.0))
    rehearsal.clusters = CLUSTERS
    rehearsal.look()
    assert (rehearsal.at(ONPREM).late, rehearsal.at(ONPREM).percent) == (True, 0)

    rehearsal.looks(20)
    assert percents(rehearsal) == [80, 80, 80]


def test_a_cluster_that_leaves_the_fleet_is_no_longer_waited_for():
    rehearsal = rehearse()
    rehearsal.until(lambda state: state.level(10.0))
    rehearsal.faults[ONPREM] = STUCK
    rehearsal.looks(5)
    rehearsal.clusters = CLUSTERS[:2]

    assert rehearsal.looks(60).outcome is Outcome.SUCCEEDED


def test_a_late_cluster_catches_up_with_the_hindmost_and_not_with_the_foremost():
    strategy = {"max_skew": 2, "unreachable": Unreachable.SKIP}
    rehearsal = rehearse(*STEPS, Pause(1000.0), **strategy)
    rehearsal.until(lambda state: state.step == 1)
    rehearsal.faults = {ONPREM: AWAY, GCP: {"scale": 10}}  # its pods for more never come
    rehearsal.looks(20)
    assert percents(rehearsal)[:2] == [80, 10]
    rehearsal.faults.pop(ONPREM)
    rehearsal.until(lambda state: not state.clusters[ONPREM].late)

    assert (rehearsal.at(ONPREM).step, rehearsal.at(ONPREM).percent) == (1, 10)


@pytest.mark.parametrize("quorum", [0, 2, 3])
def test_a_rollout_goes_on_when_clusters_are_back_however_many_were_away(quorum):
    rehearsal = rehearse(unreachable=Unreachable.SKIP, quorum=quorum)
    rehearsal.until(lambda state: state.level(10.0))
    rehearsal.faults = dict.fromkeys(CLUSTERS, AWAY)
    rehearsal.looks(5)
    rehearsal.faults.clear()

    assert rehearsal.looks(60).outcome is Outcome.SUCCEEDED
