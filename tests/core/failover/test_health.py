"""What is decided of clusters rests on all that is known of the fleet, also what nobody looked at."""

from dataclasses import replace

import pytest

from crossfade.core.failover.decide import Action, Wishes
from crossfade.core.failover.evidence import ClusterSignals, Condition, Statement
from crossfade.core.failover.guard import Removal
from crossfade.core.failover.health import ClusterHealth, Look, assess
from crossfade.core.failover.standing import Presence, Standing
from crossfade.core.fleet.nodes import Node, Nodes, Pulse
from crossfade.core.fleet.signals import Vote

NOW = 1000.0


def node(lived_at=NOW, ready=True):
    return Nodes(NOW, (Pulse(Node("node", ready, "sign"), NOW, lived_at),))


def signals(cluster, vote, api=Vote.UP):
    return ClusterSignals(cluster, api, dict.fromkeys(("edge:1", "edge:2", "hub"), vote))


def look(cluster, vote):
    return Look(signals(cluster, vote))


def test_a_hub_that_has_just_begun_takes_no_second_cloud_out_before_it_has_looked_at_the_first():
    """The probe of a cloud that hangs takes a while; that it was taken out is known already."""
    known = {name: ClusterHealth(name, answered=True) for name in ("gcp", "onprem")}
    known["aws"] = ClusterHealth(
        "aws",
        Condition.BOTH_DOWN,
        Presence("aws", Standing.OUT, NOW - 10.0),
        removal=Removal("aws", NOW - 10.0, 33.3),
        answered=True,
    )
    found = assess(known, [look("gcp", Vote.DOWN), look("onprem", Vote.UP)], Wishes(), NOW)

    assert [(each.cluster, each.action) for each in found] == [
        ("gcp", Action.FREEZE),
        ("onprem", Action.STAY),
    ]
    assert "budget" in found[0].reason


def test_a_cloud_that_leaves_again_within_a_minute_counts_from_the_last_time():
    """So that no second cloud is taken out within a minute of it."""
    known = {name: ClusterHealth(name, answered=True) for name in ("gcp", "onprem")}
    known["aws"] = ClusterHealth("aws", removal=Removal("aws", NOW - 20.0, 33.3), answered=True)
    looks = [look("aws", Vote.DOWN), look("gcp", Vote.UP), look("onprem", Vote.UP)]
    found = assess(known, looks, Wishes(), NOW)

    assert (found[0].action, found[0].removal.at) == (Action.MOVE, NOW)


@pytest.mark.parametrize(
    ("said", "statement"),
    [
        pytest.param({"answered_at": None}, Statement.SILENT, id="nothing"),
        pytest.param({"answered_at": NOW - 10.0}, Statement.SILENT, id="nothing-since"),
        pytest.param({"answered_at": NOW - 8.5}, Statement.SILENT, id="while-it-was-dying"),
        pytest.param({"answered_at": NOW - 7.9}, Statement.FINE, id="that-it-is-there"),
        pytest.param({"answered_at": NOW - 7.9, "nodes": None}, Statement.SILENT, id="nothing-of-its-nodes"),
        pytest.param({"answered_at": NOW - 7.9, "nodes": Nodes(NOW)}, Statement.FINE, id="that-nodes-may-not-be-seen"),
        pytest.param({"answered_at": NOW, "nodes": node(NOW - 8.1)}, Statement.SILENT, id="that-nodes-lived-before"),
        pytest.param({"answered_at": NOW, "nodes": node(NOW - 8.0)}, Statement.FINE, id="that-nodes-live"),
        pytest.param({"answered_at": NOW, "nodes": node(ready=False)}, Statement.LOST, id="that-nodes-are-gone"),
    ],
)  # fmt: skip
def test_whether_a_dark_cluster_is_lost_follows_from_what_it_said_since(said, statement):
    known = {"aws": ClusterHealth("aws", answered=True, lost_since=NOW - 10.0)}
    aws = replace(look("aws", Vote.DOWN), nodes=node())
    looks = [replace(aws, **said), look("gcp", Vote.UP)]

    assert assess(known, looks, Wishes(), NOW)[0].statement is statement


def test_a_cloud_that_comes_back_bit_by_bit_stays_lost_until_it_serves():
    known = {"aws": ClusterHealth("aws", answered=True, lost_since=NOW - 90.0)}
    others = look("gcp", Vote.UP)
    dead = replace(look("aws", Vote.DOWN), signals=signals("aws", Vote.DOWN, api=Vote.DOWN))
    api_only = replace(look("aws", Vote.DOWN), answered_at=NOW)
    told = []
    for each in (dead, api_only, look("aws", Vote.UP)):
        known["aws"] = assess(known, [each, others], Wishes(), NOW)[0]
        told.append(known["aws"].statement)

    assert told == [Statement.LOST, Statement.LOST, Statement.FINE]


def test_a_loss_began_when_the_first_of_its_witnesses_saw_it_and_stays_so():
    known = {"aws": ClusterHealth("aws", answered=True)}
    others = look("gcp", Vote.UP)
    for at, bad_since in ((NOW, NOW - 3.0), (NOW + 60.0, NOW + 50.0)):
        dark = replace(look("aws", Vote.DOWN), bad_since=bad_since)
        known["aws"] = assess(known, [dark, others], Wishes(), at)[0]
        assert (known["aws"].lost_since, known["aws"].failing_since) == (NOW, NOW - 3.0)

    back = assess(known, [look("aws", Vote.UP), others], Wishes(), NOW + 90.0)[0]
    assert back.failing_since is None
