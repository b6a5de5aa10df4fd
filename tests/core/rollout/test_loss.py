"""What a rollout is told of losses: those that move users, and no other doubts."""

import pytest

from crossfade.core.application import Failover
from crossfade.core.failover.during_rollout import Bearer, Course, RolloutView, rule
from crossfade.core.failover.evidence import Condition, Statement
from crossfade.core.failover.failback import Phase, Return
from crossfade.core.failover.guard import Removal
from crossfade.core.failover.health import ClusterHealth
from crossfade.core.failover.standing import Presence, Standing
from crossfade.core.failover.users import Users
from crossfade.core.rollout.loss import beside
from crossfade.testing.builders import APP, CLUSTERS, seen

GCP = CLUSTERS[1]
OUT = Presence(GCP, Standing.OUT, 10.0)


def told(health=None, users=None, **failover):
    failover = Failover(step_seconds=60.0, **failover)
    return beside(seen(GCP), health, users or Users(APP), failover, only_new_fails=False)


@pytest.mark.parametrize(
    ("health", "condition", "lost_at"),
    [
        (None, Condition.HEALTHY, None),
        (ClusterHealth(GCP, Condition.BOTH_DOWN, lost_since=7.0), Condition.BOTH_DOWN, 7.0),
        (ClusterHealth(GCP, Condition.UNKNOWN, lost_since=7.0), Condition.DATA_PLANE_DOWN, 7.0),
        (
            ClusterHealth(GCP, Condition.UNKNOWN, lost_since=7.0, statement=Statement.LOST),
            Condition.BOTH_DOWN,
            7.0,
        ),
        (ClusterHealth(GCP, Condition.GREY), Condition.HEALTHY, None),
        (
            ClusterHealth(GCP, Condition.GREY, OUT, removal=Removal(GCP, 9.0, 0.3)),
            Condition.GREY,
            9.0,
        ),
        (ClusterHealth(GCP, Condition.API_DOWN), Condition.API_DOWN, None),
    ],
)
def test_grey_failure_interrupts_a_rollout_only_once_users_leave(health, condition, lost_at):
    found = told(health)

    assert (found.condition, found.lost_at) == (condition, lost_at)


def test_users_are_on_their_way_back_for_as_long_as_a_step_of_the_return_lasts():
    on_its_way = Users(APP, {GCP: {"blue": 100}}, {GCP: Return(GCP, Phase.RAMPING, 1, 40.0)})
    waiting = Users(APP, returns={GCP: Return(GCP, Phase.WAITING, since=40.0)})
    at_once = Users(APP, {GCP: {"blue": 100}}, {GCP: Return(GCP, Phase.BACK, since=40.0)})

    assert (told(users=on_its_way).return_until, told(users=on_its_way).left) == (100.0, False)
    assert told(users=at_once).return_until == 100.0
    assert (told(users=waiting).return_until, told(users=waiting).left) == (0.0, True)


def test_where_the_hub_takes_no_cluster_out_edges_leave_it_and_the_rollout_is_not_stuck():
    there = Users(APP, {GCP: {"blue": 100}})

    assert (told(users=there).left, told(users=there, auto=False).left) == (False, True)


def test_nothing_is_awaited_of_a_cloud_whose_nodes_are_gone_though_its_api_server_answers():
    health = ClusterHealth(GCP, Condition.DATA_PLANE_DOWN, lost_since=7.0, statement=Statement.LOST)
    found = told(health)

    assert (found.reachable, found.converged, found.statement) == (False, False, Statement.LOST)


@pytest.mark.parametrize(
    ("condition", "statement", "course"),
    [
        pytest.param(Condition.DATA_PLANE_DOWN, Statement.SILENT, Course.FREEZE, id="not-said-why"),
        pytest.param(Condition.UNKNOWN, Statement.SILENT, Course.FREEZE, id="out-of-sight"),
        pytest.param(Condition.UNKNOWN, Statement.FINE, Course.FREEZE, id="out-of-sight-but-well"),
        pytest.param(Condition.DATA_PLANE_DOWN, Statement.FINE, Course.ROLL_BACK, id="seen-down"),
        pytest.param(Condition.UNKNOWN, Statement.LOST, Course.RESTART, id="known-to-be-lost"),
    ],
)
def test_the_only_canary_begins_again_elsewhere_only_once_its_cloud_is_known_to_be_lost(
    condition, statement, course
):
    """Edges that fall silent about a lost cluster say nothing new of it."""
    found = told(ClusterHealth(GCP, condition, lost_since=7.0, statement=statement))
    canary = Bearer(GCP, found.condition, new=True, old=True, statement=found.statement)
    other = Bearer(CLUSTERS[0], Condition.HEALTHY, new=False, old=True)
    view = RolloutView((canary, other), step=1, passed_step=0)

    assert rule(view, 100.0, 10.0).course is course
