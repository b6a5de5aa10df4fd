"""What is decided of clusters rests on all that is known of the fleet, also what nobody looked at."""

from crossfade.core.failover.decide import Action, Wishes
from crossfade.core.failover.evidence import ClusterSignals, Condition
from crossfade.core.failover.guard import Removal
from crossfade.core.failover.health import ClusterHealth, Look, assess
from crossfade.core.failover.standing import Presence, Standing
from crossfade.core.fleet.signals import Vote

NOW = 1000.0


def look(cluster, vote):
    edges = dict.fromkeys(("edge:1", "edge:2", "hub"), vote)
    return Look(ClusterSignals(cluster, Vote.UP, edges))


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
