"""Demand is the highest of the last minute, in steps, so that plans do not follow each second."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossfade.core.traffic.demand import STEP, Demand, counted, demand_of, rate_of, steadied


def fed(*reports):
    demand, before = Demand(), {}
    for edge, requests, at in reports:
        demand = counted(demand, edge, requests, at, at - before.get(edge, at))
        before[edge] = at
    return demand


def test_a_first_report_begins_nowhere_and_says_nothing():
    assert demand_of(fed(("edge-1", 1000, 10.0)), 10.0) is None


def test_edges_count_together():
    demand = fed(("a", 0, 10.0), ("b", 0, 10.0), ("a", 100, 11.0), ("b", 300, 12.0))

    assert 250 <= demand_of(demand, 12.0) <= 275


def test_the_highest_of_a_minute_counts_and_is_forgotten_after_it():
    demand = fed(("a", 0, 10.0), ("a", 500, 11.0), ("a", 10, 12.0))
    assert 500 <= demand_of(demand, 60.0) <= 550

    later = counted(counted(demand, "a", 10, 71.5, 1.0), "a", 10, 72.5, 1.0)
    assert demand_of(later, 72.5) <= 11


def test_small_changes_change_nothing():
    close = [demand_of(fed(("a", 0, 10.0), ("a", n, 11.0)), 11.0) for n in (1001, 1010, 1020)]

    assert len(set(close)) == 1


def test_an_edge_that_repeats_itself_is_counted_once():
    demand = fed(("a", 0, 10.0), ("a", 100, 11.0), ("a", 100, 11.0))

    assert len(demand.rates) == 1


def test_reports_that_a_busy_hub_did_not_read_make_users_seem_no_fewer():
    demand = counted(Demand(), "a", 100, 10.0, 1.0)
    demand = counted(demand, "a", 100, 14.0, 1.0)

    assert rate_of(demand, 14.0) == pytest.approx(100)
    assert demand_of(demand, 14.0) <= 110


def test_reports_that_a_busy_hub_takes_in_at_once_make_users_seem_no_more():
    demand = counted(counted(Demand(), "a", 300, 13.0, 3.0), "a", 100, 13.001, 1.0)

    assert rate_of(demand, 14.0) == pytest.approx(100)
    assert demand_of(demand, 14.0) <= 110


def test_what_users_ask_for_now_is_the_mean_of_the_last_seconds_over_all_edges():
    demand = fed(("a", 0, 9.0), ("a", 900, 10.0), ("b", 0, 20.0))
    for second in range(21, 26):
        demand = counted(demand, "b", 10, second, 1.0)
        demand = counted(demand, "a", 100 * (second - 20), second, 11.0 if second == 21 else 1.0)

    assert rate_of(demand, 25.0) == pytest.approx((100 / 11 + 200 + 300 + 400 + 500) / 5 + 10)
    assert rate_of(demand, 400.0) == 0.0


def test_users_who_come_are_not_taken_for_fewer_because_there_were_none_before():
    demand = fed(("a", 0, 9.0), ("a", 0, 10.0), ("a", 0, 11.0), ("a", 300, 12.0), ("a", 300, 13.0))

    assert rate_of(demand, 13.0) == pytest.approx(300)


def test_demand_that_chance_explains_changes_nothing():
    assert steadied(None, 1000.2) == 1001
    assert steadied(1000, 1025.0) == 1000
    assert steadied(1000, 975.0) == 1000
    assert steadied(1000, 1050.0) == 1050
    assert steadied(1000, 0.0) is None


def test_few_requests_differ_by_more_without_saying_anything():
    assert steadied(10, 12.0) == 10
    assert steadied(10, 20.0) == 20


def together(seconds, **rates):
    """Return what is known after these rates of each edge a second; None: it is silent."""
    demand = Demand()
    for second in range(seconds):
        for edge, rate in rates.items():
            asked = rate(second) if callable(rate) else rate
            if asked is not None:
                demand = counted(demand, edge, asked, float(second), 1.0)
    return demand


def until(last, rate, then=None):
    return lambda second: rate if second <= last else then


@pytest.mark.parametrize("now", [35, 60, 110, 320])
def test_users_of_an_edge_that_is_cut_off_from_the_hub_are_still_there(now):
    demand = together(now, a=100, b=until(30, 50))

    assert rate_of(demand, now - 1.0) == pytest.approx(150)
    assert demand_of(demand, now - 1.0) >= 150


def test_users_of_a_dead_edge_who_came_to_another_one_are_not_counted_twice():
    demand = together(90, a=until(32, 100, 150), b=until(30, 50))

    assert rate_of(demand, 89.0) == pytest.approx(150)


def test_users_who_go_while_an_edge_is_silent_are_missed_where_they_were():
    demand = together(90, a=until(32, 100, 20), b=until(30, 50))

    assert rate_of(demand, 89.0) == pytest.approx(70)


def test_an_edge_that_is_heard_again_is_counted_once():
    demand = together(90, a=100, b=lambda second: None if 30 < second < 60 else 50)

    assert rate_of(demand, 89.0) == pytest.approx(150)


def test_two_edges_that_fall_silent_one_after_the_other_are_both_missed():
    demand = together(120, a=100, b=until(30, 50), c=until(60, 25))

    assert rate_of(demand, 119.0) == pytest.approx(175)


@pytest.mark.parametrize("now", [32.0, 40.0, 41.0, 42.5, 60.0, 85.0])
def test_users_are_as_many_when_all_edges_are_cut_off_at_once_and_no_report_comes_any_more(now):
    demand = together(33, a=until(32, 100), b=until(30, 50))

    assert rate_of(demand, now) == pytest.approx(150)


def test_of_edges_that_were_silent_for_minutes_one_is_heard_again():
    demand = counted(together(33, a=until(32, 100), b=until(30, 50)), "a", 100, 200.0, 1.0)

    assert rate_of(demand, 200.0) == pytest.approx(150)


def test_an_edge_that_is_silent_for_five_minutes_was_taken_down():
    demand = together(340, a=100, b=until(30, 50))

    assert rate_of(demand, 339.0) == pytest.approx(100)


def test_an_edge_that_counts_nobody_counts():
    assert not fed(("a", 5, 1.0)).counts(1.0)
    assert fed(("a", 5, 1.0), ("a", 0, 2.0)).counts(2.0)
    assert not fed(("a", 5, 1.0), ("a", 0, 2.0)).counts(70.0)


class Moving:
    """Users who are always as many, and change the edge at times; edges report when they do."""

    def __init__(self, edges, users):
        self.moves = [(0.0, dict.fromkeys(edges, users / len(edges)))]

    def move(self, at, source, target, part):
        now = dict(self.moves[-1][1])
        gone = now[source] * part
        self.moves.append((at, now | {source: now[source] - gone, target: now[target] + gone}))

    def requests(self, edge, begin, end):
        """Return what the edge counts between these times."""
        ends = [at for at, _ in self.moves[1:]] + [math.inf]
        spans = zip(self.moves, ends, strict=True)
        return sum(
            there[edge] * max(0.0, min(end, until) - max(begin, since))
            for (since, there), until in spans
        )


@st.composite
def wanderings(draw):
    edges = "abcd"[: draw(st.integers(2, 4))]
    world = Moving(edges, 1_000_000.0)
    at = 12.0
    for _ in range(draw(st.integers(0, 6))):
        at += draw(st.floats(3.0, 20.0))  # an edge that users leave has them for a while
        source, target = draw(st.permutations(edges))[:2]
        world.move(at, source, target, draw(st.floats(0.0, 1.0)))
    begins = {edge: draw(st.floats(0.0, 1.0)) for edge in edges}
    return world, begins, at + 10.0


@settings(max_examples=200, deadline=None)
@given(wanderings())
def test_users_who_change_the_edge_are_the_same_users(asked):
    world, last, end = asked
    demand, told = Demand(), []
    while min(last.values()) < end:
        edge = min(last, key=lambda each: last[each])
        at = last[edge] + 1.0
        requests = round(world.requests(edge, last[edge], at))
        demand, last[edge] = counted(demand, edge, requests, at, 1.0), at
        if at > 12.0:
            told.append(demand_of(demand, at))

    assert max(told) <= math.ceil(1_000_001 * STEP)
    assert min(told) >= 999_000


@pytest.mark.parametrize("late", [2.0, 3.7, 9.0])
def test_an_edge_that_is_late_to_say_that_users_left_it_makes_them_no_more(late):
    """They are at the other one already, which says so at once."""
    world, demand = Moving("ab", 200_000.0), Demand()
    world.move(30.0, "a", "b", 0.9)
    for second in range(1, 60):
        if not 30.0 < second < 30.0 + late:
            since = second - 1.0 if second <= 30 or second - 1 >= 30 + late else 30.0
            asked = round(world.requests("a", since, second))
            demand = counted(demand, "a", asked, float(second), second - since)
        begin = second - 0.5
        asked = round(world.requests("b", begin, begin + 1.0))
        demand = counted(demand, "b", asked, begin + 1.0, 1.0)
        if second > 3:
            assert 199_000 <= demand_of(demand, second + 0.5) <= 221_000, second


def test_users_who_go_to_a_new_edge_are_the_same_users():
    """It begins while another one counts, and nobody knows what there was before."""
    world, demand = Moving("ab", 200_000.0), Demand()
    world.move(0.0, "b", "a", 1.0)
    world.move(31.0, "a", "b", 1.0)
    for second in range(1, 60):
        asked = round(world.requests("a", second - 1.0, second))
        demand = counted(demand, "a", asked, float(second), 1.0)
        end = second + 0.6
        asked = round(world.requests("b", end - 1.0, end))
        demand = counted(demand, "b", asked, end, 1.0) if end > 31.0 else demand
        assert demand_of(demand, end) <= 221_000, second


def test_what_all_edges_are_asked_for_at_once_counts_when_it_lasts_for_two_reports():
    demand = together(60, a=lambda now: 500 if now in (30, 31) else 100, b=lambda now: 100)
    assert 600 <= demand_of(demand, 59.0) <= 660

    both = together(60, a=until(31, 500, 100), b=until(31, 500, 100))
    assert 1000 <= demand_of(both, 59.0) <= 1100


def test_a_minute_of_reports_is_kept_as_few_figures():
    demand = together(200, a=lambda now: 100 + now % 7, b=lambda now: 100 + now % 5)

    assert len(demand.highest) < 20


def test_an_edge_that_nobody_has_heard_for_a_minute_does_not_bring_back_what_it_said():
    demand = together(200, a=100, b=lambda now: None if 20 < now < 150 else 300 if now < 21 else 50)

    assert demand_of(demand, 199.0) <= 165
