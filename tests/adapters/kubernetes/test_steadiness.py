"""Pods that nobody probes are believed once they have stayed up for a while."""

from types import SimpleNamespace

import pytest

from crossfade.adapters.kubernetes import steadiness
from crossfade.adapters.kubernetes.steadiness import STEADY_SECONDS, Steadiness
from crossfade.adapters.kubernetes.workloads import PodsOf

R1 = PodsOf("default", "crossfade.dev/revision=r1")


class Pods:
    """What is asked of the API, and how often."""

    def __init__(self):
        self.restarts, self.asked = [0], 0

    async def list(self, path, labels):
        self.asked += 1
        pods = [
            {
                "metadata": {"name": f"web-{number}"},
                "status": {"containerStatuses": [{"restartCount": restarts}]},
            }
            for number, restarts in enumerate(self.restarts)
        ]
        return pods, ""


@pytest.fixture
def at(monkeypatch):
    """Set the time in seconds."""

    def set_time(seconds):
        monkeypatch.setattr(steadiness, "time", SimpleNamespace(monotonic=lambda: seconds))

    set_time(0.0)
    return set_time


async def test_they_are_believed_after_a_while_and_then_no_more_is_asked(at):
    pods, steady = Pods(), Steadiness()
    assert not await steady.holds(pods, R1)
    at(STEADY_SECONDS - 0.1)
    assert not await steady.holds(pods, R1)
    at(STEADY_SECONDS)
    assert await steady.holds(pods, R1)
    asked = pods.asked
    assert await steady.holds(pods, R1)
    assert pods.asked == asked


async def test_a_restart_between_two_looks_begins_anew(at):
    pods, steady = Pods(), Steadiness()
    await steady.holds(pods, R1)
    pods.restarts = [1]
    at(STEADY_SECONDS)
    assert not await steady.holds(pods, R1)
    at(2 * STEADY_SECONDS)
    assert await steady.holds(pods, R1)


async def test_what_was_not_ready_meanwhile_begins_anew(at):
    pods, steady = Pods(), Steadiness()
    await steady.holds(pods, R1)
    at(STEADY_SECONDS)
    assert await steady.holds(pods, R1)
    steady.forget(R1)
    assert not await steady.holds(pods, R1)
