"""A cloud that fails a share of its requests loses its users soon; an application that does, not."""

import random

import pytest

from crossfade.core.failover.decide import Action, Fleet, Wishes, decide
from crossfade.core.failover.evidence import ClusterSignals, weigh
from crossfade.core.failover.standing import Presence
from crossfade.core.fleet.signals import Sample, Sighting, Thresholds, Vote, see, vote

CLOUDS, EDGES, LIMITS = ("aws", "gcp", "onprem"), ("edge-1", "edge-2", "edge-3"), Thresholds()
RATE = 20
"""Requests a second from each edge to each cloud."""


def moves(seed, seconds, shares, slow=False):
    """Return who was moved when; `shares` of requests go badly from the second 20 on."""
    draw = random.Random(seed)  # noqa: S311 - a story, no secret
    fleet = Fleet({name: Presence(name) for name in CLOUDS})
    seen = {(edge, cloud): Sighting() for edge in EDGES for cloud in CLOUDS}
    found = []
    for now in range(seconds):
        for edge, cloud in seen:
            share = shares.get(cloud, 0.001) if now >= 20 else 0.001
            bad = sum(draw.random() < share for _ in range(RATE))
            sample = Sample(True, RATE, failed=0 if slow else bad, slow=bad if slow else 0)
            seen[edge, cloud] = see(seen[edge, cloud], sample, float(now), LIMITS)
        signals = [
            ClusterSignals(
                cloud,
                Vote.UP,
                {edge: vote(seen[edge, cloud], now, LIMITS.silent_seconds) for edge in EDGES},
                {edge: seen[edge, cloud].tally for edge in EDGES},
            )
            for cloud in CLOUDS
        ]
        fleet, decisions = decide(fleet, weigh(signals), Wishes(), float(now))
        found += [(each.cluster, now - 20) for each in decisions if each.action is Action.MOVE]
    return found


@pytest.mark.parametrize("slow", [False, True], ids=["failing", "slow"])
def test_users_leave_a_cloud_that_serves_one_in_twenty_badly_within_15_seconds(slow):
    for seed in range(20):
        ((cloud, after),) = moves(seed, 40, {"gcp": 0.05}, slow=slow)
        assert (cloud, after <= 15) == ("gcp", True), f"seed {seed}: after {after} s"


@pytest.mark.parametrize("share", [0.001, 0.05, 0.3])
def test_users_stay_when_it_is_the_application_that_serves_badly_everywhere(share):
    for seed in range(4):
        assert moves(seed, 300, dict.fromkeys(CLOUDS, share)) == []
