"""A cluster is brought to what is wanted in an order that keeps its users safe."""

import pytest

from crossfade.base.ids import Epoch
from crossfade.core.release.converge import Install, Rest, Uninstall, WriteRoute, next_act
from crossfade.core.release.report import Report, RevisionReport
from crossfade.core.release.wanted import Wanted
from crossfade.testing.builders import APP, BLUE, RED, YELLOW

READY = RevisionReport(True, True, 3, 3)
STARTING = RevisionReport(True, False, 3, 0, "pods are starting")
HALF = RevisionReport(installed=False)
REFUSED = RevisionReport(refused=True, trouble="quota exceeded")

WANTED = Wanted(Epoch(2), 0.0, {BLUE.id: 90, YELLOW.id: 10}, (BLUE, YELLOW))
ALL_YELLOW = Wanted(Epoch(3), 0.0, {YELLOW.id: 100}, (YELLOW,))


def seen(epoch=2, shares=None, idle=None, **revisions):
    known = {each.id: revisions[each.id] for each in (BLUE, YELLOW, RED) if each.id in revisions}
    shares = {BLUE.id: 90, YELLOW.id: 10} if shares is None else shares
    in_force = epoch > 0
    return Report(APP, "aws", 100.0, Epoch(epoch), shares, in_force, known, idle or {})


@pytest.mark.parametrize(
    ("wanted", "report", "held", "act"),
    [
        pytest.param(WANTED, seen(1, {BLUE.id: 100}, blue=READY), 1, Install(YELLOW), id="installs-what-is-missing"),
        pytest.param(WANTED, seen(1, {BLUE.id: 100}, blue=READY, yellow=HALF), 1, Install(YELLOW), id="installs-again-what-is-half-done"),
        pytest.param(WANTED, seen(1, {BLUE.id: 100}, blue=READY, yellow=READY), 1, WriteRoute(Epoch(2)), id="then-writes-the-route"),
        pytest.param(ALL_YELLOW, seen(3, {YELLOW.id: 100}, {BLUE.id: 95.0}, blue=READY, yellow=READY), 3, Uninstall(BLUE.id), id="removes-after-draining"),
    ],
)  # fmt: skip
def test_the_next_act(wanted, report, held, act):
    assert next_act(wanted, report, Epoch(held), 5.0, 100.0) == act


@pytest.mark.parametrize(
    ("wanted", "report", "held", "reason"),
    [
        pytest.param(WANTED, seen(1, {BLUE.id: 100}, blue=READY, yellow=STARTING), 1, "pods are starting", id="no-users-without-pods"),
        pytest.param(WANTED, seen(1, {BLUE.id: 100}, blue=READY, yellow=REFUSED), 1, "quota exceeded", id="refused-is-not-tried-again"),
        pytest.param(WANTED, seen(0, {}, blue=READY, yellow=READY), 2, "waiting for the gateway to confirm the route", id="waits-for-the-data-plane"),
        pytest.param(WANTED, seen(5, blue=READY, yellow=READY), 5, "the cluster is at epoch 5, beyond our 2: not ours to change", id="a-newer-writer-wins"),
        pytest.param(ALL_YELLOW, seen(0, {}, {BLUE.id: 0.0}, blue=READY, yellow=READY), 3, "waiting for the gateway to confirm the route", id="unconfirmed-is-not-zero"),
        pytest.param(ALL_YELLOW, seen(3, {YELLOW.id: 100}, {BLUE.id: 96.0}, blue=READY, yellow=READY), 3, "draining before removal", id="drains-first"),
        pytest.param(ALL_YELLOW, seen(3, {YELLOW.id: 100}, {BLUE.id: 1.0}, blue=READY, yellow=STARTING), 3, "pods are starting", id="the-last-copy-stays"),
    ],
)  # fmt: skip
def test_rests_with_the_reason(wanted, report, held, reason):
    assert next_act(wanted, report, Epoch(held), 5.0, 100.0) == Rest(reason)


def test_settles_when_all_is_as_wanted():
    report = seen(2, blue=READY, yellow=READY)

    assert next_act(WANTED, report, Epoch(2), 5.0, 100.0) == Rest("as wanted", settled=True)


def test_a_failed_first_deployment_leaves_nothing_behind():
    nothing = Wanted()

    act = next_act(nothing, seen(0, {}, yellow=STARTING), Epoch(0), 5.0, 100.0)

    assert act == Uninstall(YELLOW.id)
