"""A rollout rises on proof only, holds on silence, and never goes back onto a broken stable."""

import itertools
from dataclasses import replace

import pytest

from crossfade.core.analysis.judgement import Judgement, Verdict
from crossfade.core.rollout.commands import Command, perform
from crossfade.core.rollout.decide import decide
from crossfade.core.rollout.spec import SetWeight, Strategy, Unreachable
from crossfade.core.rollout.state import (
    ClusterPhase,
    Outcome,
    Phase,
    Progress,
    Sight,
    State,
)
from crossfade.testing.builders import CLUSTERS, judgement, rollout, seen, sight, stepping
from crossfade.testing.rehearsal import Rehearsal

AWS, GCP, ONPREM = CLUSTERS
STEPS = (SetWeight(10), SetWeight(50))


@pytest.mark.parametrize(
    ("state", "found", "phase", "percent"),
    [
        pytest.param(State(), sight(), Phase.INSTALLING, 0, id="begins"),
        pytest.param(stepping(0, 0), sight(Verdict.UNKNOWN), Phase.PROGRESSING, 10, id="first-step-needs-no-proof"),
        pytest.param(stepping(10, 1), sight(), Phase.PROGRESSING, 50, id="rises-on-a-good-verdict"),
        pytest.param(stepping(10, 1), sight(Verdict.UNKNOWN), Phase.PROGRESSING, 10, id="silence-does-not-promote"),
        pytest.param(stepping(10, 1), sight(Verdict.PASS, seen(AWS, canary_ready=False)), Phase.PROGRESSING, 50, id="unready-pods-hold-their-cluster"),
        pytest.param(stepping(10, 1), sight(Verdict.PASS, seen(AWS, reachable=False)), Phase.PROGRESSING, 10, id="a-silent-cluster-holds-all"),
        pytest.param(stepping(10, 1, paused=True), sight(), Phase.PROGRESSING, 10, id="a-person-holds"),
        pytest.param(stepping(10, 1), sight(Verdict.FAIL), Phase.ROLLING_BACK, 0, id="bad-verdict-goes-back"),
        pytest.param(stepping(10, 1, passed=1), sight(Verdict.UNKNOWN), Phase.PROGRESSING, 50, id="a-person-may-pass-silence"),
        pytest.param(stepping(10, 1, passed=0), sight(Verdict.UNKNOWN), Phase.PROGRESSING, 10, id="once-is-for-one-step"),
        pytest.param(stepping(10, 1, passed=1), sight(Verdict.FAIL), Phase.ROLLING_BACK, 0, id="but-not-a-bad-verdict"),
        pytest.param(stepping(10, 1, full=True), sight(Verdict.UNKNOWN), Phase.PROMOTING, 100, id="promote-full"),
        pytest.param(stepping(50, 2), sight(Verdict.UNKNOWN), Phase.PROGRESSING, 50, id="all-users-need-proof-too"),
        pytest.param(stepping(50, 2), sight(), Phase.PROMOTING, 100, id="then-all-users"),
        pytest.param(stepping(100, 2), sight(Verdict.FAIL), Phase.ROLLING_BACK, 0, id="bad-at-the-end-goes-back"),
    ],
)  # fmt: skip
def test_decide(state, found, phase, percent):
    got = decide(rollout(*STEPS, state=state), found, now=100.0)

    assert (got.want.phase, got.want.percent) == (phase, percent)
    assert got.reason


def test_the_whole_way_in_the_words_that_people_read():
    rehearsal = Rehearsal(rollout(*STEPS))
    rehearsal.until(lambda state: state.phase is Phase.ENDED)
    told = [reason for reason, _ in itertools.groupby(rehearsal.reasons)]

    assert told == [
        "aws: installing; gcp, onprem: waiting for the first cluster",
        "aws: ready; gcp, onprem: waiting for the first cluster",
        "aws: 0 % confirmed; gcp, onprem: installing",
        "aws: waiting for the other clusters; gcp, onprem: ready",
        "aws: step to 10 %; gcp, onprem: 0 % confirmed",
        "aws: 10 % confirmed; gcp, onprem: step to 10 %",
        "aws: step 1 is over; gcp, onprem: 10 % confirmed",
        "aws: waiting for the other clusters; gcp, onprem: step 1 is over",
        "making room for 50 %",
        "step to 50 %",
        "50 % confirmed",
        "step 2 is over",
        "making room for 100 %",
        "step to 100 %",
        "100 % confirmed",
        "done",
        "yellow serves all users",
    ]


def test_a_swap_back_needs_neither_steps_nor_verdict_nor_pause():
    rehearsal = Rehearsal(rollout(*STEPS, swap=True))
    rehearsal.judgement = judgement(Verdict.UNKNOWN)
    rehearsal.until(lambda state: state.phase is Phase.ENDED)

    assert rehearsal.state.outcome is Outcome.SUCCEEDED
    assert not any("10 %" in each for each in rehearsal.reasons)


def test_a_first_deployment_gives_nobody_to_a_cluster_before_its_pods_are_ready():
    rehearsal = Rehearsal(rollout(*STEPS, stable=None))
    rehearsal.faults = {name: {"canary_ready": False} for name in CLUSTERS}
    assert rehearsal.looks(20).percent == 0
    rehearsal.faults.clear()

    assert rehearsal.until(lambda state: state.phase is Phase.ENDED).percent == 100


def test_promoting_is_over_only_when_every_cluster_has_confirmed():
    state = replace(stepping(100, 2, None), phase=Phase.PROMOTING)
    rehearsal = Rehearsal(rollout(*STEPS, state=state))
    rehearsal.faults[ONPREM] = {"converged": False}
    assert rehearsal.looks(20).phase is Phase.PROMOTING

    rehearsal.faults.clear()
    assert rehearsal.looks(20).outcome is Outcome.SUCCEEDED


# ---- every state of two clusters under every sight of them

STEPPING = ClusterPhase.STEPPING
PLACES = (
    Progress(),
    Progress(ClusterPhase.INSTALLING, scale=10),
    Progress(STEPPING, 0, 0, 10, level_since=0.0),
    Progress(STEPPING, 0, 10, 10),
    Progress(STEPPING, 0, 10, 10, level_since=0.0),
    Progress(STEPPING, 1, 10, 50, level_since=0.0),
    Progress(STEPPING, 1, 50, 50),
    Progress(STEPPING, 2, 50, 100, level_since=0.0),
    Progress(STEPPING, 1, 10, 10, late=True),
    Progress(ClusterPhase.DONE, 2, 100, 100, level_since=0.0),
    Progress(ClusterPhase.BACK, 1),
)
FACES = (
    {},
    {"reachable": False, "converged": False},
    {"converged": False},
    {"canary_ready": False},
    {"stable_whole": False},
    {"refused": True, "canary_ready": False, "trouble": "quota"},
)
JUDGEMENTS = (
    *(judgement(each) for each in Verdict),
    Judgement(Verdict.FAIL, 100, 50, "bad there", scope=(AWS,)),
)
FLAGS = (
    {},
    {"passed": 1},
    {"full": True},
    {"paused": True},
    {"abort": "no"},
    {"restart": True},
)
SHARES = {0, 10, 50, 100}
CASES = [(Unreachable.HOLD, flags) for flags in FLAGS] + [
    (Unreachable.SKIP, {}),
    (Unreachable.FAIL, {}),
]


def sights():
    for one, two in itertools.product(FACES, repeat=2):
        for found in JUDGEMENTS:
            yield Sight((seen(AWS, **one), seen(GCP, **two)), found)


SIGHTS = tuple(sights())


@pytest.mark.parametrize(("rule", "flags"), CASES)
def test_every_state_under_every_sight_is_safe(rule, flags):
    strategy = Strategy(STEPS, unreachable=rule)
    for one, two in itertools.product(PLACES, repeat=2):
        places = {AWS: one, GCP: two}
        state = State(Phase.PROGRESSING, places, **flags)
        moving = rollout(strategy=strategy, state=state)
        for found in SIGHTS:
            got = decide(moving, found, 100.0)
            assert got.reason, "nobody is told why"
            for each in found.clusters:
                before, after = places[each.cluster], got.want.clusters[each.cluster]
                if after.percent != before.percent:
                    check_move(moving, found, each, before, after)
            if got.want.phase is Phase.ROLLING_BACK:
                check_way_back(moving, found)
            assert got.want.outcome is not Outcome.ROLLED_BACK, "nothing is confirmed yet"
            if got.want.outcome is Outcome.SUCCEEDED:
                check_success(state, found)


def check_move(moving, found, each, before, after):
    state, verdict = moving.state, found.judgement.verdict
    assert after.percent in SHARES
    assert each.reachable or after.phase is ClusterPhase.BACK or state.restart, "moved while away"
    if after.percent < before.percent:
        assert each.stable_whole or before.late or not each.reachable, "onto a broken stable"
        return
    assert each.canary_ready, "users before pods"
    stopped = state.paused or state.abort or state.restart
    assert not stopped, "rose although a person stopped it"
    users = {name for name, place in state.clusters.items() if place.meets_users}
    bad = users & set(found.judgement.scope or users) if verdict is Verdict.FAIL else set()
    assert not bad, "rose on a bad verdict"
    known = verdict is Verdict.PASS or not state.meets_users
    allowed = state.full or state.passed >= before.step
    led = verdict is Verdict.UNKNOWN and any(
        other.percent >= after.percent for other in state.clusters.values()
    )
    assert known or allowed or led, "rose without proof"
    if not before.late:
        assert each.converged, "rose before the step was confirmed"
        assert after.percent <= (100 if state.full else (10, 50, 100)[before.step]), "rose too far"
    if moving.strategy.unreachable is Unreachable.HOLD:
        away = [c for c in found.clusters if not c.reachable]
        gone = all(state.clusters[c.cluster].phase is ClusterPhase.BACK for c in away)
        assert gone, "rose while a cluster is silent"
    back = any(place.phase is ClusterPhase.BACK for place in state.clusters.values())
    assert not back or allowed, "rose after one went back, and nobody was asked"


def check_way_back(moving, found):
    state, verdict = moving.state, found.judgement.verdict
    for each in found.clusters:
        place = state.clusters[each.cluster]
        whole = each.stable_whole or not each.reachable or place.percent == 0
        assert whole, "went back onto a broken stable"
    refused = any(
        each.refused and state.clusters[each.cluster].phase is ClusterPhase.INSTALLING
        for each in found.clusters
    )
    away = any(not each.reachable for each in found.clusters)
    failed = moving.strategy.unreachable is Unreachable.FAIL and away
    assert verdict is Verdict.FAIL or state.abort or refused or failed, "took silence for failure"


def check_success(state, found):
    for each in found.clusters:
        place = state.clusters[each.cluster]
        confirmed = place.phase is ClusterPhase.DONE
        told = place.phase is ClusterPhase.BACK or place.late or not each.reachable
        assert confirmed or told, "success although a cluster has not confirmed it"


@pytest.mark.parametrize("rule", list(Unreachable))
def test_every_roll_back_is_over_exactly_when_all_have_confirmed(rule):
    for one, two in itertools.product(PLACES, repeat=2):
        state = State(Phase.ROLLING_BACK, {AWS: one, GCP: two}, reason="bad")
        moving = rollout(strategy=Strategy(STEPS, unreachable=rule), state=state)
        for faces in itertools.product(FACES, repeat=2):
            clusters = tuple(
                seen(name, **face) for name, face in zip((AWS, GCP), faces, strict=True)
            )
            want = decide(moving, Sight(clusters), 100.0).want
            confirmed = all(each.converged for each in clusters)
            assert (want.outcome is Outcome.ROLLED_BACK) is confirmed
            assert set(want.pending) == {each.cluster for each in clusters if not each.converged}


def test_the_last_cluster_left_can_be_promoted_when_all_others_went_back_as_it_caught_up():
    state = stepping(10, 1)
    back = replace(state.clusters[GCP], phase=ClusterPhase.BACK, percent=0)
    clusters = {AWS: state.clusters[AWS], GCP: back, ONPREM: back}
    state = replace(state, phase=Phase.PROMOTING, clusters=clusters)
    rehearsal = Rehearsal(rollout(strategy=Strategy(STEPS), state=state))

    assert rehearsal.look().phase is Phase.PROGRESSING
    assert "rolled back on gcp, onprem alone" in rehearsal.state.reason
    rehearsal.rollout = perform(rehearsal.rollout, Command.PROMOTE)
    assert rehearsal.looks(20).outcome is Outcome.SUCCEEDED
