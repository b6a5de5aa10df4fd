"""Who meets which revision where: exposure, capacity and the last copy, through any loss."""

import pytest

from crossfade.core.traffic.destinations import (
    PARTS,
    Destination,
    Eligibility,
    Exposure,
    Goal,
    Mode,
    PriorityClass,
)
from crossfade.core.traffic.matrix import plan_traffic, shed

OLD, NEW = "r-old", "r-new"
OUT, LEAVING = Eligibility.OUT, Eligibility.LEAVING


def old(name, weight=100, **more):
    return Destination(name, {OLD: 100}, weight, **more)


def new(name, weight=100, **more):
    return Destination(name, {NEW: 100}, weight, **more)


def both(name, percent=10, weight=100, **more):
    return Destination(name, {OLD: 100 - percent, NEW: percent}, weight, **more)


def goal(*destinations, demand=PARTS, cap=None, **more):
    exposure = None if cap is None else Exposure(NEW, cap)
    return Goal(destinations, demand, exposure=exposure, **more)


def shares(plan):
    return {cluster: sum(row.values()) for cluster, row in plan.parts.items()}


# The canary has a cluster of its own


def test_a_canary_of_its_own_cluster_gets_its_share():
    plan = plan_traffic(goal(old("a", 45), old("b", 45), new("c", 10), cap=1000))

    assert plan.parts == {"a": {OLD: 4500}, "b": {OLD: 4500}, "c": {NEW: 1000}}
    assert plan.shed == {}


def test_users_of_a_lost_cluster_go_to_the_old_revision_and_not_to_the_canary():
    plan = plan_traffic(goal(old("a", 45, eligibility=OUT), old("b", 45), new("c", 10), cap=1000))

    assert plan.parts == {"b": {OLD: 9000}, "c": {NEW: 1000}}
    assert plan.shed == {}


def test_what_the_old_revision_cannot_carry_is_shed_and_not_given_to_the_canary():
    plan = plan_traffic(
        goal(old("a", 45, eligibility=OUT), old("b", 45, capacity=6000), new("c", 10), cap=1000)
    )

    assert plan.parts == {"b": {OLD: 6000}, "c": {NEW: 1000}}
    assert plan.shed == {"everybody": 3000}


def test_with_only_the_canary_left_nobody_more_meets_it():
    plan = plan_traffic(
        goal(old("a", 45, eligibility=OUT), old("b", 45, eligibility=OUT), new("c", 10), cap=1000)
    )

    assert plan.parts == {"c": {NEW: 1000}}
    assert plan.shed == {"everybody": 9000}


def test_raising_the_cap_is_how_a_person_gives_the_canary_more():
    lost = (old("a", 45, eligibility=OUT), old("b", 45, eligibility=OUT), new("c", 10))

    assert plan_traffic(goal(*lost, cap=PARTS)).parts == {"c": {NEW: PARTS}}


# Every cluster has its own split


@pytest.mark.parametrize("lost", [(), ("a",), ("a", "b")])
def test_where_every_cluster_splits_its_own_users_a_loss_changes_no_exposure(lost):
    clusters = [both(n, eligibility=OUT if n in lost else Eligibility.SERVES) for n in "abc"]

    plan = plan_traffic(goal(*clusters, cap=1000))

    assert plan.shed == {}
    assert 1000 - len(clusters) < plan.exposure(NEW) <= 1000


def test_users_whom_the_canarys_pods_cannot_carry_go_to_the_old_revision_beside_them():
    plan = plan_traffic(goal(both("a"), both("b", revision_capacity={NEW: 100}), cap=1000))

    assert plan.parts == {"a": {OLD: 4500, NEW: 500}, "b": {OLD: 4900, NEW: 100}}


def test_users_whom_old_pods_cannot_carry_go_to_the_other_cluster():
    plan = plan_traffic(goal(old("a", revision_capacity={OLD: 1000}), old("b")))

    assert plan.parts == {"a": {OLD: 1000}, "b": {OLD: 9000}}


def test_users_taken_back_from_one_canary_do_not_meet_it_elsewhere():
    plan = plan_traffic(goal(new("c"), both("b"), cap=1000))

    assert plan.parts == {"c": {NEW: 909}, "b": {OLD: 9000, NEW: 91}}


# Capacity


def test_nobody_is_sent_where_there_is_no_room():
    plan = plan_traffic(goal(old("a", capacity=300), old("b"), demand=1000))

    assert shares(plan) == {"a": 3000, "b": 7000}


def test_not_even_a_part_of_a_user_is_sent_beyond_capacity():
    plan = plan_traffic(goal(old("a", capacity=1), old("b"), demand=3))

    assert shares(plan) == {"a": 3333, "b": 6667}


def test_users_who_fit_nowhere_are_shed_by_class_the_least_important_first():
    classes = (
        PriorityClass("paying", 3000),
        PriorityClass("free", 5000),
        PriorityClass("robots", 2000),
    )
    plan = plan_traffic(goal(old("a", capacity=600), demand=1000, classes=classes))

    assert shares(plan) == {"a": 6000}
    assert plan.shed == {"robots": 2000, "free": 2000}
    assert shed(classes, PARTS) == {"robots": 2000, "free": 5000, "paying": 3000}


def test_capacity_to_start_first_is_named_in_the_order_of_preference_and_what_is_missing_too():
    plan = plan_traffic(
        goal(
            old("a", capacity=500, startable=100),
            old("b", order=1, capacity=0, startable=200),
            old("gone", eligibility=OUT, startable=900),
            old("unwanted", weight=0, startable=900),
            demand=1000,
        )
    )

    assert plan.shed == {"everybody": 5000}
    assert plan.reserve == {"a": 100, "b": 200}
    assert plan.missing == 200


# Modes


def cloud(**more):
    return old("cloud", order=1, **more)


def test_active_passive_leaves_the_passive_cluster_idle_while_the_active_one_serves():
    plan = plan_traffic(goal(old("onprem"), cloud(), mode=Mode.ACTIVE_PASSIVE))

    assert shares(plan) == {"onprem": PARTS}


def test_the_passive_cluster_takes_over():
    lost = old("onprem", eligibility=OUT)

    assert shares(plan_traffic(goal(lost, cloud(), mode=Mode.ACTIVE_PASSIVE))) == {"cloud": PARTS}


@pytest.mark.parametrize(
    ("exclusive", "want"), [(False, {"onprem": 6000, "cloud": 4000}), (True, {"onprem": 6000})]
)
def test_the_passive_cluster_helps_out_unless_only_one_order_may_serve(exclusive, want):
    plan = plan_traffic(
        goal(old("onprem", capacity=6000), cloud(), mode=Mode.ACTIVE_PASSIVE, exclusive=exclusive)
    )

    assert shares(plan) == want


def test_an_exclusive_standby_serves_alone_once_the_first_order_is_gone():
    plan = plan_traffic(
        goal(old("onprem", capacity=0), cloud(), mode=Mode.ACTIVE_PASSIVE, exclusive=True)
    )

    assert shares(plan) == {"cloud": PARTS}


def test_own_machines_are_filled_first_and_the_cloud_gets_what_is_above():
    def at(demand):
        return shares(
            plan_traffic(
                goal(
                    old("onprem", capacity=1000),
                    cloud(capacity=1000),
                    demand=demand,
                    mode=Mode.OVERFLOW,
                )
            )
        )

    assert at(500) == {"onprem": PARTS}
    assert at(800) == {"onprem": PARTS}
    assert at(1000) == {"onprem": 8000, "cloud": 2000}
    assert at(2000) == {"onprem": 5000, "cloud": 5000}


def test_a_warm_standby_takes_what_it_can_at_once_and_says_what_to_start():
    plan = plan_traffic(
        goal(
            old("onprem", eligibility=OUT, capacity=1000),
            cloud(capacity=300, startable=900),
            demand=1000,
            mode=Mode.WARM_STANDBY,
        )
    )

    assert shares(plan) == {"cloud": 3000}
    assert plan.reserve == {"cloud": 700}
    assert plan.missing == 0


@pytest.mark.parametrize(
    ("ready", "want"), [(20, {}), (499, {}), (500, {"cloud": 5000}), (1000, {"cloud": PARTS})]
)
def test_a_pilot_light_gets_nobody_before_it_has_grown(ready, want):
    plan = plan_traffic(
        goal(
            old("onprem", eligibility=OUT),
            cloud(capacity=ready, startable=1000 - ready, minimum=500),
            demand=1000,
            mode=Mode.PILOT_LIGHT,
        )
    )

    assert shares(plan) == want
    assert plan.reserve == ({"cloud": 1000 - ready} if ready < 1000 else {})


# Moving with care


def test_a_drained_cluster_loses_its_users_when_the_others_have_room():
    before = {"a": {OLD: 5000}, "b": {OLD: 5000}}

    plan = plan_traffic(goal(old("a", eligibility=LEAVING), old("b"), before=before))

    assert shares(plan) == {"b": PARTS}
    assert plan.moved == 5000


def test_a_drained_cluster_keeps_those_who_fit_nowhere_else_until_there_is_room():
    before = {"a": {OLD: 5000}, "b": {OLD: 5000}}

    plan = plan_traffic(
        goal(
            old("a", eligibility=LEAVING),
            old("b", capacity=700, startable=300),
            demand=1000,
            before=before,
        )
    )

    assert shares(plan) == {"a": 3000, "b": 7000}
    assert plan.shed == {}
    assert plan.reserve == {"b": 300}


def test_a_returning_cluster_gets_a_part_of_its_share():
    plan = plan_traffic(goal(old("a", ramp_percent=5), old("b")))

    assert shares(plan) == {"a": 250, "b": 9750}


def test_a_returning_cluster_takes_those_whom_nobody_else_can_carry():
    alone = plan_traffic(goal(old("a", ramp_percent=5), old("b", eligibility=OUT)))
    short = plan_traffic(goal(old("a", ramp_percent=5), old("b", capacity=7000)))

    assert shares(alone) == {"a": PARTS}
    assert shares(short) == {"a": 3000, "b": 7000}


def test_when_all_look_dead_the_plan_stays_since_it_is_we_who_are_cut_off():
    before = {"a": {OLD: 6000}, "b": {OLD: 3000, NEW: 1000}}
    dead = (old("a", eligibility=OUT), both("b", eligibility=OUT))

    plan = plan_traffic(goal(*dead, cap=1000, before=before))

    assert plan.frozen
    assert plan.parts == before
    assert (plan.shed, plan.reserve, plan.moved) == ({}, {}, 0)


def test_before_the_first_plan_there_is_nothing_to_keep():
    plan = plan_traffic(goal(old("a", eligibility=OUT)))

    assert (plan.frozen, plan.parts, plan.shed) == (False, {}, {"everybody": PARTS})


def test_where_others_have_all_the_room_everybody_is_turned_away_and_no_cluster_overloaded():
    before = {"a": {OLD: 6000}, "b": {OLD: 4000}}
    full = (old("a", capacity=0, full=True), old("b", eligibility=OUT))

    plan = plan_traffic(goal(*full, before=before))

    assert (plan.frozen, plan.parts, plan.shed) == (False, {}, {"everybody": PARTS})


def test_a_cluster_that_is_full_of_others_does_not_tell_when_all_look_dead():
    before = {"a": {OLD: PARTS}}

    plan = plan_traffic(goal(old("a", capacity=0, full=True, eligibility=OUT), before=before))

    assert (plan.frozen, plan.parts) == (True, before)
