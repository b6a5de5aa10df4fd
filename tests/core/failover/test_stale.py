"""A cluster gets users when it runs what is wanted, and never before."""

from dataclasses import replace

import pytest

from crossfade.base.ids import Epoch
from crossfade.core.failover.stale import stale
from crossfade.core.release.report import Address, Report, RevisionReport
from crossfade.core.release.wanted import Wanted
from crossfade.core.traffic.split import Split
from crossfade.testing.builders import APP, BLUE, YELLOW

SPLIT = Split({BLUE.id: 50, YELLOW.id: 50})
WANTED = Wanted(Epoch(4), Epoch(3), 100.0, SPLIT, (BLUE.id, YELLOW.id))
READY = RevisionReport(True, True, 3, 3)


def report(epoch=4, looked_at=110.0, pods=READY, in_force=True):
    shares = {BLUE.id: 50, YELLOW.id: 50} if epoch else {}
    where = Address("127.0.0.1", 80)
    revisions = {BLUE.id: READY, YELLOW.id: pods}
    return Report(
        APP, "aws", looked_at, Epoch(epoch), shares, in_force, revisions=revisions, address=where
    )


@pytest.mark.parametrize(
    ("seen", "back_at", "now", "told"),
    [
        pytest.param(report(), 0.0, 120.0, "", id="as-wanted"),
        pytest.param(report(epoch=3), 0.0, 104.0, "", id="one-step-behind-for-a-moment"),
        pytest.param(report(epoch=3), 0.0, 106.0, "at epoch 3, wanted is 4", id="one-step-behind-for-too-long"),
        pytest.param(report(epoch=2), 0.0, 101.0, "at epoch 2", id="two-steps-behind"),
        pytest.param(report(epoch=5), 0.0, 101.0, "at epoch 5", id="a-step-we-do-not-want"),
        pytest.param(report(epoch=3, in_force=False), 0.0, 104.0, "", id="its-gateway-turns-just-now"),
        pytest.param(report(epoch=3, in_force=False), 0.0, 106.0, "at epoch 3", id="its-gateway-never-turned"),
        pytest.param(report(in_force=False), 0.0, 106.0, "at epoch 4", id="a-route-that-is-not-in-force"),
        pytest.param(report(epoch=0, in_force=False), 0.0, 101.0, "at epoch 0", id="no-route-in-force-since-it-was-lost"),
        pytest.param(report(looked_at=110.0), 115.0, 120.0, "not yet looked at", id="back-but-not-looked-at"),
        pytest.param(report(looked_at=116.0), 115.0, 120.0, "", id="back-and-converged"),
        pytest.param(report(pods=RevisionReport(True, False, 3, 0)), 0.0, 120.0, "no pod of yellow", id="no-pod-for-half-of-its-users"),
    ],
)  # fmt: skip
def test_a_cluster_gets_users_when_it_runs_what_is_wanted(seen, back_at, now, told):
    found = stale(WANTED, seen, back_at, now)

    assert (told in found) if told else found == ""


def test_a_cluster_whose_step_before_has_another_number_is_given_its_moment_too():
    others_moved_on = replace(WANTED, epoch=Epoch(9), previous=Epoch(3))

    assert stale(others_moved_on, report(epoch=3), 0.0, 104.0) == ""


def test_the_word_of_a_control_plane_alone_takes_nobody_away():
    """None of any pod ready, though edges find users served; that one revision has none is told."""
    nobody = replace(
        report(), revisions={r: RevisionReport(True, False, 3, 0) for r in SPLIT.shares}
    )
    some = report(pods=RevisionReport(True, False, 3, 0))

    assert stale(WANTED, nobody, 0.0, 120.0, served=True) == ""
    assert "no pod of" in stale(WANTED, nobody, 0.0, 120.0)
    assert "no pod of yellow" in stale(WANTED, some, 0.0, 120.0, served=True)
