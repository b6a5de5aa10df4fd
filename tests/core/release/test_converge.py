"""A cluster is brought to what is wanted in an order that keeps its users safe."""

import pytest

from crossfade.base.ids import NO_EPOCH, Epoch
from crossfade.core.release.converge import Install, Rest, Scale, Uninstall, WriteRoute, next_act
from crossfade.core.release.report import Report, RevisionReport
from crossfade.core.release.wanted import Wanted
from crossfade.core.traffic.split import HeaderMatch, HeaderRoute, Mirror, Split
from crossfade.testing.builders import APP, BLUE, RED, YELLOW

READY = RevisionReport(True, True, 3, 3)
SMALL = RevisionReport(True, True, 1, 1, scale=10)
STARTING = RevisionReport(True, False, 3, 0, "pods are starting")
HALF = RevisionReport(installed=False)
REFUSED = RevisionReport(refused=True, trouble="quota exceeded")
BOTH = (BLUE.id, YELLOW.id)
TESTERS = HeaderRoute("testers", (HeaderMatch("x", "1"),), YELLOW.id)


def wants(epoch, shares, revisions=BOTH, scale=None, **split):
    return Wanted(
        Epoch(epoch), Epoch(epoch - 1), 0.0, Split(shares, **split), revisions, scale or {}
    )


WANTED = wants(2, {BLUE.id: 90, YELLOW.id: 10})
ALL_YELLOW = wants(3, {YELLOW.id: 100}, (YELLOW.id,))
ALL_BLUE = {BLUE.id: 100}


def seen(epoch=2, shares=None, idle=None, in_force=None, **revisions):
    known = {each.id: revisions[each.id] for each in (BLUE, YELLOW, RED) if each.id in revisions}
    shares = {BLUE.id: 90, YELLOW.id: 10} if shares is None else shares
    in_force = epoch > 0 if in_force is None else in_force
    return Report(
        APP, "aws", 100.0, Epoch(epoch), shares, in_force, revisions=known, idle_since=idle or {}
    )


@pytest.mark.parametrize(
    ("wanted", "report", "held", "act"),
    [
        pytest.param(WANTED, seen(1, ALL_BLUE, blue=READY), 1, Install(YELLOW.id), id="installs-what-is-missing"),
        pytest.param(wants(2, ALL_BLUE, scale={YELLOW.id: 10}), seen(1, ALL_BLUE, blue=READY), 1, Install(YELLOW.id, 10), id="at-the-size-that-is-wanted"),
        pytest.param(WANTED, seen(1, ALL_BLUE, blue=READY, yellow=HALF), 1, Install(YELLOW.id), id="installs-again-what-is-half-done"),
        pytest.param(WANTED, seen(1, ALL_BLUE, yellow=READY), 1, Install(BLUE.id), id="what-serves-most-comes-first"),
        pytest.param(WANTED, seen(1, ALL_BLUE, blue=READY, yellow=SMALL), 1, Scale(YELLOW.id, 100), id="pods-before-users"),
        pytest.param(WANTED, seen(1, ALL_BLUE, blue=READY, yellow=READY), 1, WriteRoute(Epoch(2)), id="then-writes-the-route"),
        pytest.param(wants(2, ALL_BLUE), seen(1, {BLUE.id: 50, YELLOW.id: 50}, blue=READY, yellow=STARTING), 1, WriteRoute(Epoch(2)), id="going-back-waits-for-no-canary"),
        pytest.param(wants(2, {BLUE.id: 90, YELLOW.id: 10}, scale={YELLOW.id: 10}), seen(2, blue=READY, yellow=READY), 2, Scale(YELLOW.id, 10), id="shrinks-once-the-route-is-confirmed"),
        pytest.param(ALL_YELLOW, seen(3, {YELLOW.id: 100}, {BLUE.id: 95.0}, blue=READY, yellow=READY), 3, Uninstall(BLUE.id), id="removes-after-draining"),
        pytest.param(ALL_YELLOW, seen(0, {}, blue=READY, yellow=READY), 0, WriteRoute(Epoch(3)), id="writes-a-route-that-is-gone"),
    ],
)  # fmt: skip
def test_the_next_act(wanted, report, held, act):
    assert next_act(wanted, report, Epoch(held), 5.0, 100.0) == act


WAITS = "waiting for the gateway to confirm the route"


@pytest.mark.parametrize(
    ("wanted", "report", "held", "reason"),
    [
        pytest.param(WANTED, seen(1, ALL_BLUE, blue=READY, yellow=STARTING), 1, "pods are starting", id="no-users-without-pods"),
        pytest.param(wants(2, ALL_BLUE, headers=(TESTERS,)), seen(1, ALL_BLUE, blue=READY, yellow=STARTING), 1, "pods are starting", id="no-testers-without-pods"),
        pytest.param(wants(2, ALL_BLUE, mirror=Mirror(YELLOW.id, 5)), seen(1, ALL_BLUE, blue=READY, yellow=STARTING), 1, "pods are starting", id="no-copies-without-pods"),
        pytest.param(WANTED, seen(1, ALL_BLUE, blue=READY, yellow=REFUSED), 1, "quota exceeded", id="refused-is-not-tried-again"),
        pytest.param(WANTED, seen(0, {}, blue=READY, yellow=READY), 2, WAITS, id="waits-for-the-data-plane"),
        pytest.param(WANTED, seen(5, blue=READY, yellow=READY), 5, "the cluster is at epoch 5, beyond our 2: not ours to change", id="a-newer-writer-wins"),
        pytest.param(ALL_YELLOW, seen(0, {}, {BLUE.id: 0.0}, blue=READY, yellow=READY), 3, WAITS, id="unconfirmed-is-not-zero"),
        pytest.param(ALL_YELLOW, seen(3, {YELLOW.id: 100}, {BLUE.id: 0.0}, in_force=False, blue=READY, yellow=READY), 3, WAITS, id="no-longer-in-force-is-not-zero"),
        pytest.param(wants(2, {BLUE.id: 90, YELLOW.id: 10}, scale={YELLOW.id: 10}), seen(1, {BLUE.id: 50, YELLOW.id: 50}, blue=READY, yellow=READY), 2, WAITS, id="no-fewer-pods-before-fewer-users"),
        pytest.param(ALL_YELLOW, seen(3, {YELLOW.id: 100}, {BLUE.id: 96.0}, blue=READY, yellow=READY), 3, "draining before removal", id="drains-first"),
        pytest.param(ALL_YELLOW, seen(3, {YELLOW.id: 100}, blue=READY, yellow=READY), 3, "draining before removal", id="never-seen-idle-is-not-idle"),
        pytest.param(ALL_YELLOW, seen(3, {BLUE.id: 1, YELLOW.id: 99}, {BLUE.id: 1.0}, blue=READY, yellow=READY), 3, "draining before removal", id="one-percent-is-somebody"),
        pytest.param(ALL_YELLOW, seen(3, {YELLOW.id: 100}, {BLUE.id: 1.0}, blue=READY, yellow=STARTING), 3, "pods are starting", id="the-last-copy-stays"),
    ],
)  # fmt: skip
def test_rests_with_the_reason(wanted, report, held, reason):
    assert next_act(wanted, report, Epoch(held), 5.0, 100.0) == Rest(reason)


def test_settles_when_all_is_as_wanted():
    report = seen(2, blue=READY, yellow=READY)

    assert next_act(WANTED, report, Epoch(2), 5.0, 100.0) == Rest("as wanted", settled=True)


def test_a_failed_first_deployment_leaves_nothing_behind():
    act = next_act(Wanted(), seen(0, {}, yellow=STARTING), NO_EPOCH, 5.0, 100.0)

    assert act == Uninstall(YELLOW.id)


@pytest.mark.parametrize(
    ("yellow", "act"),
    [
        (STARTING, Rest("pods are starting")),
        (READY, Rest("as wanted; no users yet", settled=True)),
    ],
)
def test_a_first_deployment_has_no_route_while_it_has_no_users(yellow, act):
    wanted = Wanted(revisions=(YELLOW.id,))

    assert next_act(wanted, seen(0, {}, yellow=yellow), NO_EPOCH, 5.0, 100.0) == act
