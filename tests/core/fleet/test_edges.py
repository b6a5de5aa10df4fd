"""Which edges people see, and what they hear of them."""

import pytest

from crossfade.core.fleet.edges import EdgeState, EdgeStates, Look, after, news

ONE = EdgeState("edge-1", 7)
GONE = EdgeState("edge-1", 7, gone_since=100.0)


@pytest.mark.parametrize(
    ("before", "look", "want"),
    [
        pytest.param((), Look(100, (ONE,)), (ONE,), id="a-new-edge-is-known"),
        pytest.param((ONE,), Look(102, (), {"edge-1": 100}), (ONE,), id="a-reconnect-is-no-loss"),
        pytest.param((ONE,), Look(103, (), {"edge-1": 100}), (GONE,), id="gone-since-last-seen"),
        pytest.param((GONE,), Look(399, ()), (GONE,), id="who-is-gone-stays-a-while"),
        pytest.param((GONE,), Look(400, ()), (), id="who-was-taken-down-is-forgotten"),
        pytest.param((GONE,), Look(200, (ONE,)), (ONE,), id="who-returns-is-there"),
        pytest.param(
            (ONE,), Look(1, (EdgeState("edge-0", 0), ONE)), (EdgeState("edge-0", 0), ONE),
            id="by-name",
        ),
    ],
)  # fmt: skip
def test_edges_after_a_look(before, look, want):
    assert after(EdgeStates(before), look) == EdgeStates(want)


@pytest.mark.parametrize(
    ("before", "now", "heard"),
    [
        ((), (ONE,), "the edge is connected"),
        ((GONE,), (ONE,), "the edge is connected"),
        ((ONE,), (GONE,), "the edge is gone; its users are served while it lives"),
        ((ONE,), (EdgeState("edge-1", 7, "bad path"),), "the edge keeps plan 7: bad path"),
        ((ONE,), (EdgeState("edge-1", 8),), ""),
        ((GONE,), (GONE,), ""),
        ((GONE,), (), ""),
    ],
)
def test_people_hear_of_what_matters_and_of_nothing_else(before, now, heard):
    assert [text for _, text in news(EdgeStates(before), EdgeStates(now))] == [heard] * bool(heard)
