"""Nodes that have died are not taken for living ones because their API server calls them ready."""

import math

import pytest

from crossfade.core.fleet.nodes import SILENT_SECONDS, TRUSTED_SECONDS, Node, Nodes, seen


def fleet(*signs, ready=True):
    return tuple(Node(f"node-{n}", ready, sign) for n, sign in enumerate(signs))


def looked(*looks, dark=True):
    """What is known after looks at these times."""
    known = None
    for at, found in looks:
        known = seen(known, found, at, dark=dark)
    return known


def test_a_node_that_is_called_ready_and_gives_no_sign_has_not_lived_since():
    known = looked((10.0, fleet("a", "a")), (12.0, fleet("a", "a")))

    assert (known.ready, known.mostly_dead) == (2, False)
    assert not known.lived_after(0.0)


def test_a_sign_proves_no_more_than_that_a_node_lived_after_the_look_before():
    known = looked((10.0, fleet("a")), (12.0, fleet("b")))

    assert known.lived_after(10.0)
    assert not known.lived_after(10.1)


def test_half_of_all_nodes_must_be_proven_to_live():
    assert looked((10.0, fleet("a", "a")), (12.0, fleet("b", "a"))).lived_after(10.0)
    assert not looked((10.0, fleet("a", "a", "a")), (12.0, fleet("b", "a", "a"))).lived_after(10.0)


def test_nodes_that_are_silent_for_three_renewals_are_dead_though_they_are_called_ready():
    late, just = 10.0 + SILENT_SECONDS + 0.1, 10.0 + SILENT_SECONDS
    assert looked((10.0, fleet("a", "a")), (late, fleet("a", "a"))).mostly_dead
    assert not looked((10.0, fleet("a", "a")), (just, fleet("a", "a"))).mostly_dead
    assert not looked((10.0, fleet("a", "a")), (late, fleet("b", "a"))).mostly_dead


def test_a_node_that_shuts_down_gives_signs_and_is_not_there_for_anybody():
    known = looked((10.0, fleet("a", ready=False)), (12.0, fleet("b", ready=False)))

    assert known.mostly_dead
    assert not known.lived_after(0.0)


def test_nodes_that_were_removed_together_with_what_ran_there_are_not_forgotten():
    """Clouds delete the nodes that they take back: what is left looks well."""
    known = looked((10.0, fleet("a", "a", "a")), (20.0, ()), (400.0, ()))
    assert (known.mostly_dead, known.ready, known.count) == (True, 0, 3)

    left = looked((10.0, fleet("a", "a", "a")), (20.0, fleet("b")))
    assert (left.mostly_dead, left.count) == (True, 1)


def test_a_cluster_that_was_made_smaller_while_it_served_has_lost_nothing():
    known = looked((10.0, fleet("a", "a", "a")), (20.0, fleet("b")), (90.0, fleet("c")), dark=False)

    assert (known.mostly_dead, known.count) == (False, 1)


def test_where_no_signs_can_be_read_a_ready_node_lived_a_minute_ago():
    known = looked((100.0, fleet("", "")))

    assert known.lived_after(100.0 - TRUSTED_SECONDS)
    assert not known.lived_after(100.1 - TRUSTED_SECONDS)
    assert not looked((100.0, fleet("", ready=False))).lived_after(-math.inf)


@pytest.mark.parametrize("moment", [0.0, 1e9])
def test_where_there_are_no_nodes_they_speak_neither_for_nor_against_anything(moment):
    assert Nodes(10.0).lived_after(moment)
    assert not Nodes(10.0).mostly_dead
