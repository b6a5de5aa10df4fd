"""A cluster gets users when it runs what is wanted, and never before."""

from dataclasses import replace

import pytest

from crossfade.base.ids import Epoch
from crossfade.core.fleet.health import ClusterHealth
from crossfade.core.release.report import Address, Report, RevisionReport
from crossfade.core.release.wanted import Wanted
from crossfade.core.traffic.plan import ClusterShare, cluster_share, settle
from crossfade.core.traffic.split import Split
from crossfade.testing.builders import APP, BLUE, YELLOW

SPLIT = Split({BLUE.id: 50, YELLOW.id: 50})
WANTED = Wanted(Epoch(4), Epoch(3), 100.0, SPLIT, (BLUE.id, YELLOW.id))
READY = RevisionReport(True, True, 3, 3)


def report(epoch=4, looked_at=110.0, pods=READY, address=True, in_force=True):
    shares = {BLUE.id: 50, YELLOW.id: 50} if epoch else {}
    where = Address("127.0.0.1", 80) if address else None
    revisions = {BLUE.id: READY, YELLOW.id: pods}
    return Report(
        APP, "aws", looked_at, Epoch(epoch), shares, in_force, revisions=revisions, address=where
    )


def health(lost_since=None, back_at=0.0):
    return ClusterHealth("aws", lost_since=lost_since, back_at=back_at)


@pytest.mark.parametrize(
    ("seen", "known", "now", "weight"),
    [
        pytest.param(report(), health(), 120.0, 100, id="as-wanted"),
        pytest.param(report(), None, 120.0, 100, id="not-probed-yet"),
        pytest.param(report(epoch=3), health(), 104.0, 100, id="one-step-behind-for-a-moment"),
        pytest.param(report(epoch=3), health(), 106.0, 0, id="one-step-behind-for-too-long"),
        pytest.param(report(epoch=2), health(), 101.0, 0, id="two-steps-behind"),
        pytest.param(report(epoch=5), health(), 101.0, 0, id="a-step-we-do-not-want"),
        pytest.param(report(epoch=3, in_force=False), health(), 104.0, 100, id="its-gateway-turns-just-now"),
        pytest.param(report(epoch=3, in_force=False), health(), 106.0, 0, id="its-gateway-never-turned"),
        pytest.param(report(in_force=False), health(), 106.0, 0, id="a-route-that-is-not-in-force"),
        pytest.param(report(epoch=0, in_force=False), health(), 101.0, 0, id="no-route-in-force-since-it-was-lost"),
        pytest.param(report(), health(lost_since=111.0), 120.0, 0, id="lost"),
        pytest.param(report(looked_at=110.0), health(back_at=115.0), 120.0, 0, id="back-but-not-looked-at"),
        pytest.param(report(looked_at=116.0), health(back_at=115.0), 120.0, 100, id="back-and-converged"),
        pytest.param(report(pods=RevisionReport(True, False, 3, 0)), health(), 120.0, 0, id="no-pod-for-half-of-its-users"),
    ],
)  # fmt: skip
def test_share_of_a_cluster(seen, known, now, weight):
    share = cluster_share(WANTED, seen, known, 100, now)

    assert share is not None
    assert share.weight == weight


@pytest.mark.parametrize("seen", [None, report(address=False)])
def test_a_cluster_without_a_gateway_is_no_target(seen):
    assert cluster_share(WANTED, seen, health(), 100, 120.0) is None


def test_a_cluster_whose_step_before_has_another_number_is_given_its_moment_too():
    others_moved_on = replace(WANTED, epoch=Epoch(9), previous=Epoch(3))

    share = cluster_share(others_moved_on, report(epoch=3), health(), 100, 104.0)

    assert share is not None
    assert share.weight == 100


def test_a_cluster_whose_api_alone_is_down_keeps_its_users():
    from crossfade.core.fleet.health import Signal

    cut_off = ClusterHealth("aws", api=Signal(up=False))

    share = cluster_share(WANTED, report(), cut_off, 100, 1000.0)

    assert share is not None
    assert share.weight == 100


def test_when_all_look_gone_the_last_plan_stays_since_it_is_we_who_are_cut_off():
    gone = (ClusterShare("aws", 0, "lost"), ClusterShare("gcp", 0, "lost"))

    assert [each.weight for each in settle(gone, {"aws": 100, "gcp": 50})] == [100, 50]


def test_while_one_is_left_it_serves_alone():
    left = (ClusterShare("aws", 0, "lost"), ClusterShare("gcp", 100, "serving"))

    assert settle(left, {"aws": 100, "gcp": 100}) == left


def test_before_the_first_deployment_there_is_nothing_to_keep():
    none = (ClusterShare("aws", 0, "no route"),)

    assert settle(none, {}) == none
