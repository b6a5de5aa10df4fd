"""Edges leave dead clusters before the hub has: nobody is overloaded, or turned away in vain."""

from dataclasses import replace

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from crossfade.core.traffic.destinations import (
    PARTS,
    Destination,
    Eligibility,
    Exposure,
    Goal,
    Mode,
)
from crossfade.core.traffic.lost import carried, plan_while_lost
from crossfade.core.traffic.matrix import plan_traffic

OLD, NEW = "r-old", "r-new"


def cluster(name, capacity=None, **more):
    return Destination(name, more.pop("revisions", {OLD: 100}), capacity=capacity, **more)


def at_edges(plan, lost, away):
    """Return the parts of all users whom edges send to each cluster that is left."""
    there = {name: plan.share(name) for name in plan.parts if name not in lost}
    total = sum(there.values())
    return {name: (PARTS - away) * share / total for name, share in there.items() if total}


def turned_away(short):
    return sum(short.shed.values())


@st.composite
def goals(draw):
    names = "abcde"[: draw(st.integers(2, 5))]
    fleet = tuple(
        cluster(
            name,
            draw(st.one_of(st.none(), st.integers(0, 400))),
            weight=draw(st.integers(0, 100)),
            order=draw(st.integers(0, 1)),
            revisions=draw(st.sampled_from([{OLD: 100}, {OLD: 90, NEW: 10}, {NEW: 100}])),
            ramp_percent=draw(st.sampled_from([100, 100, 100, 1, 25])),
        )
        for name in names
    )
    lost = frozenset(name for name in names if draw(st.booleans()))
    cap = draw(st.one_of(st.none(), st.integers(0, PARTS)))
    exposure = None if cap is None else Exposure(NEW, cap)
    mode = draw(st.sampled_from(Mode))
    return Goal(fleet, draw(st.integers(1, 1000)), mode=mode, exposure=exposure), lost


def without(goal, lost):
    out = Eligibility.OUT
    fleet = [replace(d, eligibility=out) if d.cluster in lost else d for d in goal.destinations]
    return plan_traffic(replace(goal, destinations=tuple(fleet)))


@settings(max_examples=300, deadline=None)
@given(goals())
def test_whoever_is_left_carries_whom_edges_send_and_the_lost_keep_their_users(asked):
    goal, lost = asked
    assume(without(goal, lost).parts)
    plan, short = plan_while_lost(goal, lost)

    before = plan_traffic(goal)
    assert sum(plan.share(name) for name in plan.parts) + sum(plan.shed.values()) == PARTS
    assert {n: plan.parts.get(n) for n in lost} == {n: before.parts.get(n) for n in lost}
    sent = at_edges(plan, lost, turned_away(short))
    for each in goal.destinations:
        if each.capacity is not None and each.cluster in sent:
            assert sent[each.cluster] <= goal.parts(each.capacity) + 1


@settings(max_examples=300, deadline=None)
@given(goals(), st.integers(1, 1000))
def test_two_applications_together_are_sent_no_more_than_whoever_is_left_carries(asked, others):
    """The less important one has what the other leaves, also of clusters that edges have left."""
    first, lost = asked
    plan, short = plan_while_lost(first, lost)
    used = carried(plan.parts, lost, turned_away(short))
    rooms = (
        each
        if each.capacity is None
        else replace(each, capacity=max(0, each.capacity - first.units(used.get(each.cluster, 0))))
        for each in first.destinations
    )
    second = replace(first, destinations=tuple(rooms), demand=others, exposure=None)
    assume(without(first, lost).parts and without(second, lost).parts)
    beside, beside_short = plan_while_lost(second, lost)

    one = at_edges(plan, lost, turned_away(short))
    two = at_edges(beside, lost, turned_away(beside_short))
    for each in first.destinations:
        if each.capacity is not None and each.cluster not in lost:
            sent = one.get(each.cluster, 0) * first.demand + two.get(each.cluster, 0) * others
            inexact = first.demand + others + PARTS  # a part of either, and a request
            assert sent <= each.capacity * PARTS + inexact


def test_a_cluster_that_looks_lost_keeps_its_room_for_edges_that_still_reach_it():
    parts = {"a": {OLD: 2500}, "b": {OLD: 5000}, "c": {OLD: 2500}}

    assert carried(parts, {"c"}, 0) == {"a": 3334, "b": 6667, "c": 2500}
    assert carried(parts, set(), 0) == carried(parts, set("abc"), 0)
    assert carried(parts, set(), 0) == {"a": 2500, "b": 5000, "c": 2500}


def test_those_whom_edges_turn_away_take_no_room():
    parts = {"a": {OLD: 5000}, "b": {OLD: 5000}}

    assert carried(parts, {"b"}, 4000) == {"a": 6000, "b": 5000}


@settings(max_examples=300, deadline=None)
@given(goals())
def test_nobody_is_turned_away_who_could_be_carried(asked):
    goal, lost = asked
    goal = replace(goal, exposure=None)
    plan, short = plan_while_lost(goal, lost)
    left = sum(plan.share(name) for name in plan.parts if name not in lost)
    best = without(goal, lost)
    assume(best.parts and left)

    # Shares are whole parts: the fewer users the plan has left for them, the less exact they are.
    inexact = PARTS * len(goal.destinations) / left
    assert turned_away(short) <= turned_away(best) + inexact + 1


@settings(max_examples=300, deadline=None)
@given(goals())
def test_no_loss_shows_a_new_revision_to_more_users_once_shares_are_made_anew(asked):
    goal, lost = asked
    assume(goal.exposure is not None and without(goal, lost).parts)
    plan, _ = plan_while_lost(goal, lost)

    assert plan.exposure(NEW) <= goal.exposure.cap + len(plan.parts)


def test_shares_that_are_unequal_turn_nobody_away_for_nothing():
    """By weights `a` and `b` are alike: without `c` they would be sent as many, and `a` is small."""
    goal = Goal((cluster("a", 100), cluster("b", 400), cluster("c", 400)), 480)
    plan, short = plan_while_lost(goal, {"c"})

    assert plan.share("c") == plan_traffic(goal).share("c")
    assert turned_away(short) <= 1
    assert at_edges(plan, {"c"}, 0)["a"] <= goal.parts(100) + 1


def test_shares_that_fit_stay_as_they_are():
    goal = Goal((cluster("a", 300), cluster("b", 300), cluster("c", 300)), 300)
    plan, short = plan_while_lost(goal, {"c"})

    assert plan == plan_traffic(goal)
    assert turned_away(short) == 0


def test_users_of_a_lost_cluster_do_not_come_to_the_only_one_with_the_new_revision():
    new = cluster("b", weight=25, revisions={NEW: 100})
    goal = Goal((cluster("a", weight=25), new, cluster("c", weight=50)), 300)
    goal = replace(goal, exposure=Exposure(NEW, 2500, frozenset({"b"})))
    plan, short = plan_while_lost(goal, {"c"})

    assert at_edges(plan, {"c"}, turned_away(short))["b"] <= 2501


def test_who_looks_lost_and_is_not_shows_nobody_else_the_new_revision():
    """Some edges may still reach it, and then its users come on top of the others."""
    fleet = (cluster("a", 100), cluster("b", 400, revisions={OLD: 90, NEW: 10}))
    lost = cluster("c", 400, revisions={NEW: 100}, weight=5)
    goal = Goal((*fleet, lost), 480, exposure=Exposure(NEW, 700))
    plan, _ = plan_while_lost(goal, {"c"})

    assert plan.exposure(NEW) <= 702


def test_when_others_fill_whoever_is_left_edges_turn_everybody_away():
    """The dead one waits to be taken out, and keeps its share: nobody else may have its users."""
    fleet = (cluster("a", 100), cluster("b", 0, full=True))
    goal = Goal(fleet, 100, before={"a": {OLD: 5000}, "b": {OLD: 5000}})

    plan, short = plan_while_lost(goal, {"a"})

    assert set(plan.parts) == {"a"}
    assert turned_away(short) == PARTS
