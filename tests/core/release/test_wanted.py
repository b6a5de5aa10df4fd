"""The epoch of a cluster's route changes with the route, and with nothing else."""

import pytest

from crossfade.base.ids import Epoch
from crossfade.core.release.wanted import Wanted, change
from crossfade.core.traffic.split import HeaderMatch, HeaderRoute, Mirror, Split
from crossfade.testing.builders import BLUE, RED, YELLOW

BEFORE = Wanted(Epoch(3), Epoch(1), 10.0, Split({BLUE.id: 100}), (BLUE.id,))
BOTH = (BLUE.id, YELLOW.id)
TESTERS = HeaderRoute("testers", (HeaderMatch("x", "1"),), YELLOW.id)


def changed(split, revisions=BOTH, **more):
    return change(BEFORE, Wanted(split=split, revisions=revisions, **more), Epoch(7), 20.0)


@pytest.mark.parametrize(
    "split",
    [
        Split({BLUE.id: 90, YELLOW.id: 10}),
        Split({BLUE.id: 100}, headers=(TESTERS,)),
        Split({BLUE.id: 100}, mirror=Mirror(YELLOW.id, 5)),
        Split(),
    ],
)
def test_another_route_makes_a_new_epoch_and_remembers_the_one_before(split):
    after = changed(split)

    assert (after.epoch, after.previous, after.since) == (7, 3, 20.0)


@pytest.mark.parametrize("more", [{}, {"scale": {YELLOW.id: 20}}])
def test_an_installation_or_more_pods_make_none_so_that_users_are_not_disturbed(more):
    after = changed(Split({BLUE.id: 100}), **more)

    assert (after.epoch, after.previous, after.since) == (3, 1, 10.0)
    assert after.revisions == BOTH
    assert after.pods(YELLOW.id) == more.get("scale", {}).get(YELLOW.id, 100)


@pytest.mark.parametrize(
    "split",
    [
        Split({BLUE.id: 90}),
        Split({RED.id: 100}),
        Split({BLUE.id: 60, YELLOW.id: 60}),
        Split({BLUE.id: 100}, headers=(HeaderRoute("x", (), RED.id),)),
        Split({BLUE.id: 100}, mirror=Mirror(RED.id, 5)),
    ],
)
def test_routes_that_lose_or_double_users_or_lead_nowhere_are_refused(split):
    with pytest.raises(ValueError, match="must sum to 100"):
        changed(split)
