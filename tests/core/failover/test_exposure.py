"""The loss of clusters sends nobody more to a revision that is still being brought out."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.base.ids import Epoch
from crossfade.core.application import Placement
from crossfade.core.failover.evidence import Condition
from crossfade.core.failover.exposure import within_exposure
from crossfade.core.failover.health import ClusterHealth
from crossfade.core.failover.standing import Presence, Standing
from crossfade.core.failover.users import Candidate, Load, Users, next_users
from crossfade.core.failover.wish import ClusterWish
from crossfade.core.release.report import Report, RevisionReport
from crossfade.core.release.wanted import Wanted
from crossfade.core.traffic.destinations import PARTS, Destination, Goal, Mode
from crossfade.core.traffic.split import Split
from crossfade.testing.builders import APP, BLUE, YELLOW, application

NOW = 1000.0
OLD, NEW = {BLUE.id: 100.0}, {YELLOW.id: 100.0}
PROVEN = Load(proven=frozenset({BLUE.id}))


def candidate(name, split, *, lost=False):
    wanted = Wanted(Epoch(2), Epoch(1), 0.0, Split(split), tuple(split))
    running = dict.fromkeys(split, RevisionReport(True, True, 3, 3))
    seen = Report(APP, name, NOW, Epoch(2), split, True, running)
    condition = Condition.DATA_PLANE_DOWN if lost else Condition.HEALTHY
    standing = Standing.OUT if lost else Standing.SERVING
    return Candidate(
        wanted, seen, ClusterHealth(name, condition, Presence(name, standing)), ClusterWish(name)
    )


def plan(*found, load=PROVEN, spec=None):
    return next_users(spec or application(), Users(APP), found, None, NOW, load)


def test_the_first_wave_gets_no_users_of_a_cloud_that_another_old_one_can_take():
    users = plan(candidate("aws", NEW), candidate("gcp", OLD), candidate("onprem", OLD, lost=True))

    assert (users.share("aws"), users.share("gcp"), users.shed) == (3334, 6666, 0)


def test_whom_only_the_first_wave_could_serve_is_turned_away_and_counted():
    lost = (candidate("gcp", OLD, lost=True), candidate("onprem", OLD, lost=True))
    users = plan(candidate("aws", NEW), *lost)

    assert users.share("aws") == 3334
    assert users.shed == 6666
    assert users.shedding.refused == {"everybody": 6666}
    assert users.missing == 0


def test_the_loss_of_the_first_wave_moves_its_users_to_the_old_revision():
    users = plan(candidate("aws", NEW, lost=True), candidate("gcp", OLD), candidate("onprem", OLD))

    assert (users.share("gcp"), users.share("onprem"), users.shed) == (5000, 5000, 0)


def test_where_both_revisions_run_the_gateway_keeps_the_share():
    both = {BLUE.id: 90.0, YELLOW.id: 10.0}
    users = plan(candidate("aws", both), candidate("gcp", OLD, lost=True))

    assert (users.share("aws"), users.shed) == (PARTS, 0)


@pytest.mark.parametrize(
    "load", [Load(), Load(proven=frozenset({BLUE.id, YELLOW.id}))], ids=["first", "proven"]
)
def test_a_revision_that_is_proven_or_the_first_takes_everybody(load):
    users = plan(candidate("aws", NEW), candidate("gcp", OLD, lost=True), load=load)

    assert (users.share("aws"), users.shed) == (PARTS, 0)


def test_a_standby_takes_everybody_when_nobody_else_is_left():
    spec = replace(application(), placement=Placement(mode=Mode.ACTIVE_PASSIVE, orders={"aws": 1}))
    users = plan(candidate("aws", NEW), candidate("gcp", OLD, lost=True), spec=spec)

    assert (users.share("aws"), users.shed) == (PARTS, 0)


@given(
    st.lists(st.tuples(st.sampled_from([OLD, NEW]), st.booleans()), min_size=2, max_size=6),
)
def test_no_loss_whatever_raises_the_users_of_the_new_revision(clusters):
    names = [f"c{number}" for number in range(len(clusters))]
    every = [candidate(name, split) for name, (split, _) in zip(names, clusters, strict=True)]
    after = [
        candidate(name, split, lost=lost)
        for name, (split, lost) in zip(names, clusters, strict=True)
    ]
    new = [name for name, (split, _) in zip(names, clusters, strict=True) if split is NEW]
    before, users = plan(*every), plan(*after)

    if len(new) < len(names):
        assert sum(map(users.share, new)) <= sum(map(before.share, new))
    served = sum(map(users.share, names))
    assert served + users.shed == PARTS or served == 0


def test_what_is_planned_for_stays_the_same_where_nothing_is_limited():
    goal = Goal((Destination("aws", {BLUE.id: 100}), Destination("gcp", {BLUE.id: 100})), 1)

    assert within_exposure(goal, {"aws": OLD, "gcp": OLD}, PROVEN.proven) is goal
