"""A cloud that comes and goes costs its users one move, and none of the other clouds anything."""

import pytest

from crossfade.core.failover.decide import Action, Fleet, Wishes, decide
from crossfade.core.failover.evidence import ClusterSignals, weigh
from crossfade.core.failover.standing import Presence
from crossfade.core.fleet.signals import Sample, Sighting, Thresholds, Vote, see, vote

CLOUDS, EDGES, LIMITS = ("aws", "gcp", "onprem"), ("edge-1", "edge-2", "edge-3"), Thresholds()


def history(alive, seconds):
    """Return every move and return; `alive(cloud, now)` says who answers probes."""
    fleet = Fleet({name: Presence(name) for name in CLOUDS})
    seen = {(edge, cloud): Sighting() for edge in EDGES for cloud in CLOUDS}
    found = []
    for now in range(seconds):
        for (edge, cloud), sighting in seen.items():
            sample = Sample(probe=alive(cloud, now))
            seen[edge, cloud] = see(sighting, sample, float(now), LIMITS)
        signals = [
            ClusterSignals(
                cloud,
                Vote.UP,
                {edge: vote(seen[edge, cloud], now, LIMITS.silent_seconds) for edge in EDGES},
            )
            for cloud in CLOUDS
        ]
        fleet, decisions = decide(fleet, weigh(signals), Wishes(), float(now))
        changed = (Action.MOVE, Action.RETURN)
        found += [(each.cluster, each.action, now) for each in decisions if each.action in changed]
    return found


@pytest.mark.parametrize("down", [1, 2, 3, 5, 15, 25, 29])
def test_twenty_flaps_in_ten_minutes_are_one_move_at_most(down):
    found = history(lambda cloud, now: cloud != "gcp" or now % 30 >= down, 600)

    assert len(found) <= 1
    assert {cloud for cloud, _, _ in found} <= {"gcp"}


def test_a_cloud_that_flaps_all_day_is_left_alone_after_its_first_return():
    # A minute and a half of health, then half a minute of none: long enough to come back once.
    found = history(lambda cloud, now: cloud != "gcp" or now % 120 >= 30, 6 * 3600)

    assert [action for _, action, _ in found] == [Action.MOVE, Action.RETURN, Action.MOVE]


def test_two_clouds_that_die_at_once_leave_a_minute_apart_and_the_third_serves():
    found = history(lambda cloud, now: cloud == "onprem" or now < 20, 200)

    assert found == [("aws", Action.MOVE, 22), ("gcp", Action.MOVE, 82)]


def test_when_all_die_nobody_is_moved():
    assert history(lambda cloud, now: now < 20, 200) == []
