"""What a cluster says of itself, and when it says nothing."""

import pytest

from crossfade.core.fleet.inside import Word, of_nodes, of_pods
from crossfade.core.fleet.nodes import Node, Nodes, seen
from crossfade.core.fleet.signals import Vote


def nodes(ready, count):
    return seen(None, [Node(f"node-{n}", n < ready) for n in range(count)], 10.0, dark=False)


@pytest.mark.parametrize(
    ("nodes", "word"),
    [
        pytest.param(None, Word(Vote.UNKNOWN), id="not-seen"),
        pytest.param(Nodes(10.0), Word(Vote.UNKNOWN), id="clusters-without-servers"),
        pytest.param(nodes(0, 3), Word(Vote.DOWN, "0 of 3 nodes are ready"), id="none"),
        pytest.param(nodes(1, 3), Word(Vote.FAILING, "1 of 3 nodes are ready"), id="few"),
        pytest.param(nodes(2, 4), Word(Vote.UP), id="half"),
        pytest.param(nodes(3, 3), Word(Vote.UP), id="all"),
    ],
)
def test_nodes(nodes, word):
    assert of_nodes(nodes) == word


@pytest.mark.parametrize(
    ("ready", "vote"), [(None, Vote.UNKNOWN), (0, Vote.DOWN), (1, Vote.UP), (9, Vote.UP)]
)
def test_pods(ready, vote):
    assert of_pods(ready).vote is vote
