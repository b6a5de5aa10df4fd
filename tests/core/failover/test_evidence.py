"""A cluster is down when independent observers agree, and not because one of them is cut off."""

import pytest

from crossfade.core.failover.evidence import ClusterSignals, Condition, is_grey, weigh
from crossfade.core.fleet.signals import Tally, Vote

U, D, N = Vote.UP, Vote.DOWN, Vote.UNKNOWN


def signals(cluster="aws", api=U, edges=(U, U, U), **more):
    votes = {f"edge-{number}": vote for number, vote in enumerate(edges)}
    return ClusterSignals(cluster, api, votes, **more)


def condition(first, *others):
    return weigh([first, *others]).conditions["aws"]


WELL = signals("gcp"), signals("onprem")


@pytest.mark.parametrize(
    ("api", "edges", "want"),
    [
        (U, (U, U, U), Condition.HEALTHY),
        (D, (U, U, U), Condition.API_DOWN),
        (N, (U, U, U), Condition.HEALTHY),
        (U, (D, D, D), Condition.DATA_PLANE_DOWN),
        (D, (D, D, D), Condition.BOTH_DOWN),
        (N, (D, D, D), Condition.DATA_PLANE_DOWN),
        (U, (D, D, U), Condition.DATA_PLANE_DOWN),
        (U, (D, D, N), Condition.DATA_PLANE_DOWN),
        (U, (U, U, D), Condition.HEALTHY),
        (U, (D, U, N), Condition.UNKNOWN),
        (D, (D, N, N), Condition.UNKNOWN),
        (D, (N, N, N), Condition.UNKNOWN),
        (U, (D, U), Condition.UNKNOWN),
        (D, (D, N), Condition.UNKNOWN),
        (D, (D, D), Condition.BOTH_DOWN),
        (D, (), Condition.API_DOWN),
        (U, (), Condition.HEALTHY),
        (N, (), Condition.UNKNOWN),
    ],
)
def test_the_condition_needs_most_of_all_known_vantage_points(api, edges, want):
    others = (signals("gcp", edges=(U,) * len(edges)), signals("onprem", edges=(U,) * len(edges)))

    assert condition(signals(api=api, edges=edges), *others) is want


@pytest.mark.parametrize(
    ("api", "more", "want"),
    [
        (U, {}, Condition.UNKNOWN),
        (N, {}, Condition.UNKNOWN),
        (D, {}, Condition.BOTH_DOWN),
        (U, {"ready_pods": 0}, Condition.DATA_PLANE_DOWN),
        (U, {"ready_nodes": 0}, Condition.DATA_PLANE_DOWN),
        (U, {"ready_pods": 3, "ready_nodes": 1}, Condition.UNKNOWN),
    ],
)
def test_a_single_vantage_point_needs_a_second_opinion(api, more, want):
    one = signals(api=api, edges=(D,), **more)

    assert condition(one, signals("gcp", edges=(U,)), signals("onprem", edges=(U,))) is want


def test_a_single_vantage_point_that_sees_most_of_the_fleet_dead_is_cut_off_itself():
    dead = [signals(name, api=D, edges=(D,)) for name in ("aws", "gcp")]

    assert condition(*dead, signals("onprem", edges=(U,))) is Condition.UNKNOWN


def test_an_observer_whom_most_others_contradict_is_named_and_has_no_vote():
    lonely = [signals(name, edges=(D, U, U)) for name in ("aws", "gcp", "onprem")]
    evidence = weigh(lonely)

    assert evidence.cut_off == {"edge-0"}
    assert set(evidence.conditions.values()) == {Condition.HEALTHY}


def test_one_who_sees_a_single_cluster_dead_is_not_called_cut_off():
    assert weigh([signals(edges=(D, U, U)), *WELL]).cut_off == frozenset()


def test_two_clouds_that_really_die_together_are_seen_by_all():
    dead = [signals(name, api=D, edges=(D, D, D)) for name in ("aws", "gcp")]
    evidence = weigh([*dead, signals("onprem")])

    assert evidence.cut_off == frozenset()
    assert evidence.conditions["gcp"] is Condition.BOTH_DOWN
    assert not evidence.all_look_dead


def test_all_look_dead_when_nobody_is_known_to_serve():
    dead = signals(edges=(D, D, D))

    assert weigh([dead]).all_look_dead
    assert weigh([dead, signals("gcp", edges=(N, N, N))]).all_look_dead
    assert not weigh([dead, signals("gcp", api=D)]).all_look_dead
    assert not weigh([signals(edges=(N, N, N))]).all_look_dead
    assert not weigh([]).all_look_dead


def requests(requests, bad, edge="edge-0"):
    return {edge: Tally(requests, bad)}


def test_requests_that_fail_here_and_not_elsewhere_are_grey_failure():
    ill = signals(requests=requests(1000, 50))
    well = signals("gcp", requests=requests(1000, 1))

    assert condition(ill, well) is Condition.GREY


def test_requests_that_fail_everywhere_are_the_applications_own_trouble():
    assert (
        condition(*(signals(n, requests=requests(1000, 50)) for n in ("aws", "gcp")))
        is Condition.HEALTHY
    )


def test_what_a_vantage_point_sees_that_is_cut_off_is_not_counted():
    names = ("aws", "gcp", "onprem")
    lonely = [
        signals(name, edges=(D, U, U), requests={"edge-0": Tally(500, 500 if name == "aws" else 0), "edge-1": Tally(500, 0)})
        for name in names
    ]  # fmt: skip

    assert weigh(lonely).conditions["aws"] is Condition.HEALTHY


F = Vote.FAILING


@pytest.mark.parametrize(
    ("elsewhere", "want"),
    [
        pytest.param(Tally(1000, 1), Condition.DATA_PLANE_DOWN, id="only-here"),
        pytest.param(Tally(1000, 600), Condition.HEALTHY, id="everywhere"),
        pytest.param(Tally(0, 0), Condition.DATA_PLANE_DOWN, id="nothing-to-compare-with"),
    ],
)
def test_failing_requests_are_the_clusters_trouble_unless_they_fail_elsewhere_too(elsewhere, want):
    ill = signals(edges=(F, F, U), requests=requests(1000, 600))

    assert condition(ill, signals("gcp", requests={"edge-0": elsewhere})) is want


@pytest.mark.parametrize(
    ("own", "others", "grey"),
    [
        pytest.param(Tally(1000, 50), Tally(2000, 2), True, id="five-percent"),
        pytest.param(Tally(99, 99), Tally(2000, 2), False, id="too-few-here"),
        pytest.param(Tally(1000, 500), Tally(99, 0), False, id="nothing-to-compare-with"),
        pytest.param(Tally(10_000, 150), Tally(10_000, 10), False, id="sure-but-small"),
        pytest.param(Tally(100, 4), Tally(1000, 5), False, id="may-be-chance"),
        pytest.param(Tally(1000, 0), Tally(1000, 0), False, id="all-well"),
        pytest.param(Tally(1000, 0), Tally(1000, 900), False, id="the-others-are-ill"),
    ],
)
def test_grey_is_worse_than_elsewhere_by_enough_and_beyond_chance(own, others, grey):
    assert is_grey(own, others) is grey
