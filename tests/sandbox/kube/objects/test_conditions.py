"""Conditions: `lastTransitionTime` tells when the status changed, not when it was written."""

from crossfade.sandbox.kube.objects.conditions import Condition, find, is_true, merged


def test_the_transition_time_moves_only_with_the_status():
    first = merged((), [Condition("Ready", False, "Starting")], 1000)
    second = merged(first, [Condition("Ready", False, "StillStarting")], 2000)
    third = merged(second, [Condition("Ready", True)], 3000)
    times = [one[0]["lastTransitionTime"] for one in (first, second, third)]
    assert times[0] == times[1] != times[2]
    assert second[0]["reason"] == "StillStarting"


def test_conditions_of_others_stay():
    old = [{"type": "Theirs", "status": "True", "lastProbeTime": None}]
    assert merged(old, [Condition("Ready", True)], 1)[0] == old[0]


def test_the_update_time_moves_with_any_change():
    first = merged((), [Condition("Available", True, "A")], 1000, updates=True)
    same = merged(first, [Condition("Available", True, "A")], 2000, updates=True)
    other = merged(same, [Condition("Available", True, "B")], 3000, updates=True)
    assert same == first
    assert other[0]["lastUpdateTime"] != first[0]["lastUpdateTime"]


def test_unknown_is_not_true():
    found = {"status": {"conditions": merged((), [Condition("Ready", None)], 1)}}
    assert find(found, "Ready")["status"] == "Unknown"
    assert not is_true(found, "Ready")
    assert find({}, "Ready") is None
