"""Verdicts: what people are told, and when the canary's share may change."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.base.codec import from_json, to_json
from crossfade.core.analysis.counts import Window
from crossfade.core.analysis.plan import Metric, OnTimeout, Plan
from crossfade.core.analysis.sequential import State, all_of
from crossfade.core.analysis.verdict import Action, Moment, Verdict, decide

PLAN = Plan((Metric("errors"), Metric("slow", harm=0.0)), ("aws", "gcp", "onprem"))


def record(count, errors=None, n=(150, 1350), names=PLAN.clusters, slow=(1, 13)):
    """Return windows of 15 s; `errors` is what canaries have by cluster, stable has 13."""
    return [
        Window(
            number, name, *n, {"errors": ((errors or {}).get(name, number % 2), 13), "slow": slow}
        )
        for number in range(1, count + 1)
        for name in names
    ]


def judged(windows, plan=PLAN, **moment):
    state = all_of(State(0.0), plan, windows)
    now = max((each.id for each in windows), default=0) * 15.0
    usual = {"now_s": now, "rps": 300.0, "weight": 0.1, "level_since_s": now - 60}
    return decide(state, plan, Moment(**{**usual, **moment}))


BAD = record(8, dict.fromkeys(PLAN.clusters, 6))
DOUBTFUL = record(3, {"gcp": 6})


@pytest.mark.parametrize(
    ("windows", "moment", "action", "says"),
    [
        pytest.param([], {"weight": 0.0}, "advance", "risk budget allows", id="begins"),
        pytest.param(record(8), {}, "advance", "20.0% of users", id="rises-while-nothing-is-wrong"),
        pytest.param(
            record(8), {"level_since_s": 100}, "hold", "watching", id="watches-each-share-first"
        ),
        pytest.param(
            DOUBTFUL, {}, "hold", "evidence against the canary is", id="holds-when-in-doubt"
        ),
        pytest.param(
            record(3, {"gcp": 5}), {"weight": 0.01}, "hold", "is 3.4", id="holds-in-the-first-doubt"
        ),
        pytest.param(BAD, {}, "rollback", "errors is worse", id="goes-back-on-proof"),
        pytest.param(
            record(60), {"weight": 0.5}, "promote", "proven good", id="promotes-on-proof"
        ),
        pytest.param(
            record(60), {"weight": 0.1, "full": True}, "promote", "proven", id="at-the-last-step"
        ),
        pytest.param(
            record(30), {"weight": 0.5}, "hold", "until 600 s are over", id="soaks-however-good"
        ),
        pytest.param(
            record(60, n=(0, 1500), errors=dict.fromkeys(PLAN.clusters, 0), slow=(0, 13)),
            {"weight": 0.5, "level_since_s": 900},
            "hold",
            "more canary requests to be proven",
            id="never-promotes-without-requests",
        ),
        pytest.param(
            record(60), {"now_s": 11_000.0}, "inconclusive", "no telemetry", id="silent-to-the-end"
        ),
        pytest.param(
            record(60), {"now_s": 1000.0, "weight": 0.5}, "hold", "no telemetry from aws, gcp",
            id="silence-holds",
        ),
    ],
)  # fmt: skip
def test_verdict(windows, moment, action, says):
    found = judged(windows, **moment)

    assert (found.action, says in found.reason) == (action, True), found.reason


def test_a_canary_gets_the_last_users_only_once_it_is_proven_good():
    """Beyond 40 % of users more of them cost harm, and prove nothing sooner."""
    plan = replace(PLAN, beta=1e-30)
    unproven = judged(record(30), plan, weight=0.3)
    proven = judged(record(30), weight=0.4)

    assert (unproven.action, unproven.weight) == (Action.ADVANCE, 0.4)
    assert unproven.needed
    assert (proven.action, proven.weight) == (Action.ADVANCE, 0.5)
    assert not proven.needed


def test_a_canary_that_has_more_users_already_keeps_them_while_it_is_not_proven():
    plan = replace(PLAN, beta=1e-30)

    assert judged(record(30), plan, weight=0.45).weight == 0.45


def test_a_cluster_that_has_never_reported_blocks_promotion_and_is_named():
    found = judged(record(60, names=("aws", "gcp")), weight=0.5)

    assert (found.action, found.silent) == (Action.HOLD, ("onprem",))
    assert found.reason == "no telemetry from onprem"


def test_a_metric_that_one_cluster_does_not_measure_blocks_promotion_and_is_named():
    windows = [
        replace(each, events={"errors": each.events["errors"]}) if each.cluster == "gcp" else each
        for each in record(60)
    ]
    found = judged(windows, weight=0.5)

    assert (found.action, found.silent) == (Action.HOLD, ("gcp",))
    assert found.reason == "no slow from gcp"


def test_a_canary_that_nobody_asks_is_not_said_to_have_lost_its_telemetry():
    quiet = [
        replace(each, n_c=0, events={"errors": (0, each.events["errors"][1])})
        for each in record(60)
    ]

    assert judged(quiet, weight=0.0).reason == "no canary requests from aws, gcp, onprem"


def test_metrics_that_the_same_clusters_leave_out_are_named_together():
    bare = [replace(each, events={}) if each.id > 50 else each for each in record(60)]

    assert judged(bare, weight=0.5).reason == "no errors, slow from aws, gcp, onprem"


def test_a_metric_that_is_no_longer_measured_blocks_promotion():
    windows = [
        replace(each, events={"errors": each.events["errors"]}) if each.id > 50 else each
        for each in record(60)
    ]

    assert judged(windows, weight=0.5).reason == "no slow from aws, gcp, onprem"


def test_a_cluster_without_users_is_not_silent():
    empty = [Window(n, "onprem", 0, 0, {"errors": (0, 0), "slow": (0, 0)}) for n in range(1, 61)]

    assert judged([*record(60, names=("aws", "gcp")), *empty], weight=0.5).action is Action.PROMOTE


def test_a_plan_in_a_hurry_still_waits_for_every_cluster():
    hasty = replace(PLAN, min_soak_s=0.0)
    windows = record(5, names=("aws", "gcp"), n=(1500, 1500), slow=(13, 13))

    assert judged(windows, hasty, weight=0.5).action is not Action.PROMOTE
    assert judged(record(5, n=(1500, 1500)), hasty, weight=0.5).action is Action.PROMOTE


def test_a_cluster_that_is_left_out_on_purpose_does_not_block():
    found = judged(record(60, names=("aws", "gcp")), weight=0.5, excluded=frozenset({"onprem"}))

    assert found.action is Action.PROMOTE


def test_clusters_that_are_silent_do_not_save_a_canary_that_is_bad_on_the_others():
    found = judged(record(8, {"aws": 9}, names=("aws",)), now_s=400.0)

    assert found.action is Action.ROLLBACK


def test_evidence_that_was_enough_once_is_enough():
    found = judged([*BAD, *[replace(each, id=each.id + 8) for each in record(100)]], weight=0.5)

    assert found.action is Action.ROLLBACK
    assert found.p < PLAN.alpha


def test_a_fault_on_one_cloud_rolls_back_there_and_the_others_go_on():
    windows = record(8, {"gcp": 9})
    found = judged(windows)
    later = judged(windows, excluded=frozenset({"gcp"}))

    assert (found.action, found.scope) == (Action.ROLLBACK, ("gcp",))
    assert found.reason.endswith("nothing speaks against it on the other clusters")
    assert later.action in (Action.ADVANCE, Action.HOLD)
    assert later.e < 1


def test_a_fault_that_is_everywhere_rolls_back_everywhere():
    assert judged(BAD).scope == ()


def test_a_cloud_wide_incident_is_not_taken_for_the_version():
    """Errors rise eightfold on stable and canary alike, on one cloud."""
    incident = [
        Window(n, name, 150, 1350, {"errors": (12, 104) if name == "aws" else (1, 13)})
        for n in range(41, 61)
        for name in PLAN.clusters
    ]
    found = judged([*record(40), *incident])

    assert found.action is not Action.ROLLBACK
    assert found.incidents == (("errors", "aws"),)
    assert found.harm < 20


def test_a_spent_budget_rolls_back_before_anything_is_proven():
    tolerant = replace(PLAN, metrics=(Metric("errors", phi=50.0),), budget=100.0)
    found = judged(BAD, tolerant)

    assert found.e < 100
    assert found.action is Action.ROLLBACK
    assert found.reason == "the canary has harmed 109 requests; budget 100"


@pytest.mark.parametrize(
    ("choice", "action"),
    [
        (OnTimeout.PAUSE, Action.INCONCLUSIVE),
        (OnTimeout.ROLL_BACK, Action.ROLLBACK),
        (OnTimeout.PROMOTE, Action.PROMOTE),
    ],
)
def test_when_time_is_up_the_plan_says_what_follows(choice, action):
    plan = replace(PLAN, on_timeout=choice, max_s=300.0)
    found = judged(record(20), plan, rps=10.0)

    assert found.action is action
    assert found.reason.startswith("nothing is proven after 5 min")


@pytest.mark.parametrize("choice", OnTimeout)
def test_silence_decides_nothing_even_when_time_is_up(choice):
    plan = replace(PLAN, on_timeout=choice, max_s=300.0)

    assert judged(record(20), plan, now_s=900.0).action is Action.INCONCLUSIVE
    assert judged([], plan, now_s=900.0).action is Action.INCONCLUSIVE


def test_what_cannot_fit_into_the_budget_is_not_promoted_for_lack_of_time():
    plan = replace(PLAN, on_timeout=OnTimeout.PROMOTE, max_s=300.0)

    assert judged(record(20), plan, rps=1e6).action is Action.INCONCLUSIVE


def test_metrics_that_only_advise_do_not_keep_a_canary_from_promotion():
    advice = replace(PLAN, metrics=(Metric("errors"), Metric("other", gate=False)))

    assert judged(record(60), advice, weight=0.5).action is Action.PROMOTE


def test_a_plan_where_nothing_gates_still_needs_to_have_seen_something():
    plan = replace(PLAN, metrics=(Metric("errors", gate=False),))

    assert judged([], plan, now_s=0.0, weight=0.5).action is not Action.PROMOTE
    assert judged(record(60), plan, weight=0.5).action is Action.PROMOTE


def test_how_much_is_missing_is_told_in_requests():
    young, older = judged(record(1)), judged(record(2))

    assert young.needed["errors"] > older.needed["errors"] > 0
    assert judged(record(60)).needed == {}


def test_a_verdict_is_kept_as_json_and_is_the_same_afterwards():
    for found in (judged(BAD), judged(record(60), weight=0.5), judged([])):
        data = json.loads(json.dumps(to_json(found), allow_nan=False))
        assert from_json(Verdict, data) == found


@given(
    st.lists(st.tuples(st.integers(0, 8), st.integers(0, 30)), max_size=15),
    st.floats(0, 0.5),
    st.floats(0, 2e4),
    st.floats(0, 2e4),
    st.sampled_from([frozenset(), frozenset({"gcp"})]),
)
def test_users_only_rise_when_nobody_is_silent_and_nothing_is_in_doubt(
    events, weight, now, since, excluded
):
    windows = [
        Window(number, name, 150, 1350, {"errors": each, "slow": (1, 9)})
        for number, each in enumerate(events, 1)
        for name in PLAN.clusters
    ]
    found = judged(windows, weight=weight, now_s=now, level_since_s=since, excluded=excluded)

    if found.weight > weight:
        assert found.action is Action.ADVANCE
        assert not found.silent
        assert found.e <= 2
        assert found.harm < PLAN.budget
    if found.action is Action.PROMOTE:
        assert found.proven
        assert not found.silent
