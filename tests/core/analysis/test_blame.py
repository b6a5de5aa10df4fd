"""Who is at fault, and whether it is the version at all."""

import random
from itertools import combinations

import pytest

from crossfade.core.analysis.blame import blamed, corrected_for_all, incidents, scope, worse
from crossfade.core.analysis.counts import Window
from crossfade.core.analysis.plan import Metric, Plan
from crossfade.core.analysis.sequential import State, all_of

PLAN = Plan((Metric("errors"), Metric("slow", harm=0.0)), ("aws", "gcp", "onprem"))


def tick(number, errors=None, slow=None):
    """Return a window of each cluster; stable has 8 events in 1,425 requests of each kind."""
    errors, slow = errors or {}, slow or {}
    return [
        Window(
            number,
            name,
            75,
            1425,
            {"errors": (errors.get(name, 0), 8), "slow": (slow.get(name, 0), 8)},
        )
        for name in PLAN.clusters
    ]


def after(*ticks):
    return all_of(State(0.0), PLAN, [window for each in ticks for window in each])


def test_the_metric_and_the_cluster_at_fault_are_named_and_no_other():
    state = after(*(tick(n, errors={"gcp": 5}) for n in range(8)))

    assert [(each.metric, each.cluster) for each in blamed(state, PLAN)] == [("errors", "gcp")]


def test_nobody_is_named_on_thin_evidence():
    assert blamed(after(tick(1, errors={"gcp": 1})), PLAN) == ()


@pytest.mark.parametrize("seed", range(20))
def test_evidence_is_corrected_for_every_set_of_suspects(seed):
    rng = random.Random(seed)  # noqa: S311 - a simulation
    values = [rng.choice([0.1, 1.0, 1.0, 30.0, 500.0]) * rng.random() for _ in range(6)]
    slowly = [
        min(
            sum(chosen) / len(chosen)
            for size in range(1, 7)
            for indexes in combinations(range(6), size)
            if place in indexes
            for chosen in [[values[index] for index in indexes]]
        )
        for place in range(6)
    ]

    assert corrected_for_all(values) == pytest.approx(slowly)


def test_a_fault_of_one_cloud_is_undone_there_only():
    state = after(*(tick(n, errors={"gcp": 5}) for n in range(8)))

    assert scope(state, PLAN, blamed(state, PLAN)) == ("gcp",)


def test_a_fault_everywhere_is_undone_everywhere():
    state = after(*(tick(n, errors=dict.fromkeys(PLAN.clusters, 5)) for n in range(8)))

    assert scope(state, PLAN, blamed(state, PLAN)) == ()


def test_clusters_that_have_not_had_their_say_are_not_presumed_innocent():
    ahead = [tick(n, errors={"gcp": 5})[1] for n in range(8)]
    state = all_of(State(0.0), PLAN, ahead)

    assert [each.cluster for each in blamed(state, PLAN)] == ["gcp"]
    assert scope(state, PLAN, blamed(state, PLAN)) == ()


def test_nobody_blamed_means_no_limit_to_a_rollback():
    assert scope(after(tick(1)), PLAN, ()) == ()


def test_a_cloud_where_stable_suffers_too_is_told_from_the_version():
    calm = [tick(n) for n in range(20)]
    incident = [
        [Window(n, each.cluster, 75, 1425, {"errors": (4, 80)}) for each in tick(n)[:1]]
        for n in range(20, 24)
    ]
    state = all_of(State(0.0), PLAN, [w for each in calm + incident for w in each])

    assert incidents(state, PLAN) == (("errors", "aws"),)
    assert blamed(state, PLAN) == ()


def test_errors_of_the_canary_alone_are_no_incident_of_the_cloud():
    state = after(*(tick(n, errors={"gcp": 5 if n > 15 else 0}) for n in range(20)))

    assert incidents(state, PLAN) == ()


def test_what_is_usual_takes_time_to_learn():
    assert incidents(after(tick(1), tick(2)), PLAN) == ()


def test_people_are_told_what_is_worse_where_with_figures():
    state = after(*(tick(n, errors={"gcp": 5}) for n in range(8)))

    assert worse(state, PLAN, blamed(state, PLAN)) == (
        "errors is worse on the canary on gcp: 40 of 600 requests, stable has 0.56%"
    )
    assert worse(state, PLAN, ()).startswith("errors is worse on the canary on all clusters")
