"""Demand is the highest of the last minute, in steps, so that plans do not follow each second."""

import pytest

from crossfade.core.traffic.demand import Demand, counted, demand_of, rate_of, steadied


def fed(*reports):
    demand = Demand()
    for edge, requests, at in reports:
        demand = counted(demand, edge, requests, at)
    return demand


def test_a_first_report_begins_nowhere_and_says_nothing():
    assert demand_of(fed(("edge-1", 1000, 10.0)), 10.0) is None


def test_edges_count_together():
    demand = fed(("a", 0, 10.0), ("b", 0, 10.0), ("a", 100, 11.0), ("b", 300, 12.0))

    assert 250 <= demand_of(demand, 12.0) <= 275


def test_the_highest_of_a_minute_counts_and_is_forgotten_after_it():
    demand = fed(("a", 0, 10.0), ("a", 500, 11.0), ("a", 10, 12.0))
    assert 500 <= demand_of(demand, 60.0) <= 550

    later = counted(counted(demand, "a", 10, 71.5), "a", 10, 72.5)
    assert demand_of(later, 72.5) <= 11


def test_small_changes_change_nothing():
    close = [demand_of(fed(("a", 0, 10.0), ("a", n, 11.0)), 11.0) for n in (1001, 1010, 1020)]

    assert len(set(close)) == 1


def test_an_edge_that_repeats_itself_is_counted_once():
    demand = fed(("a", 0, 10.0), ("a", 100, 11.0), ("a", 100, 11.0))

    assert len(demand.rates) == 1


def test_what_users_ask_for_now_is_the_mean_of_the_last_seconds_over_all_edges():
    demand = fed(("a", 0, 9.0), ("a", 900, 10.0), ("b", 0, 20.0))
    for second in range(21, 26):
        demand = counted(counted(demand, "a", 100 * (second - 20), second), "b", 10, second)

    assert rate_of(demand, 25.0) == pytest.approx((100 / 11 + 200 + 300 + 400 + 500) / 5 + 10)
    assert rate_of(demand, 60.0) == 0.0


def test_demand_that_chance_explains_changes_nothing():
    assert steadied(None, 1000.2) == 1001
    assert steadied(1000, 1025.0) == 1000
    assert steadied(1000, 975.0) == 1000
    assert steadied(1000, 1050.0) == 1050
    assert steadied(1000, 0.0) is None


def test_few_requests_differ_by_more_without_saying_anything():
    assert steadied(10, 12.0) == 10
    assert steadied(10, 20.0) == 20


def test_an_edge_that_counts_nobody_counts():
    assert not fed(("a", 5, 1.0)).counts(1.0)
    assert fed(("a", 5, 1.0), ("a", 0, 2.0)).counts(2.0)
    assert not fed(("a", 5, 1.0), ("a", 0, 2.0)).counts(70.0)
