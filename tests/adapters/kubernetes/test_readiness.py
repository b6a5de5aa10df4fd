"""When waiting is given up, and how often a cluster is asked while it lasts."""

import pytest

from crossfade.adapters.kubernetes import readiness as module
from crossfade.adapters.kubernetes.diagnosis import Diagnosis
from crossfade.adapters.kubernetes.pods import GRACE_SECONDS, Rank
from crossfade.adapters.kubernetes.readiness import Readiness
from crossfade.adapters.kubernetes.workloads import PodsOf, Workload
from crossfade.core.release.report import Cause

WHOSE = PodsOf("default", "crossfade.dev/revision=r1")
UNREADY, READY = [Workload("Deployment/web", 1, 0)], [Workload("Deployment/web", 1, 1)]


class World:
    """The time, and what a diagnosis finds."""

    def __init__(self):
        self.now, self.found, self.asked = 100.0, Diagnosis("starting"), 0

    async def diagnose(self, _api, _whose, _workloads):
        self.asked += 1
        return self.found


@pytest.fixture
def world(monkeypatch):
    world = World()
    monkeypatch.setattr(module, "diagnose", world.diagnose)
    return world


@pytest.fixture
def at(world):
    """Look at a time, in seconds from the start."""
    readiness = Readiness(lambda: world.now)

    async def look(seconds, workloads=UNREADY):
        world.now = 100.0 + seconds
        return await readiness.trouble(None, WHOSE, workloads)

    return look


CONFIG = Diagnosis("Secret is missing", Rank.CONFIG, Cause.CONFIG, GRACE_SECONDS)
CRASH = Diagnosis("it crashed", Rank.CRASH, Cause.CONFIG)


async def test_the_first_look_asks_nothing_since_most_pods_are_ready_a_moment_later(at, world):
    assert (await at(0)).text == "pods are starting"
    assert (await at(0.5)).text == "pods are starting"
    assert world.asked == 0
    assert (await at(1)).text == "starting"


async def test_what_is_missing_is_given_up_only_when_it_has_lasted(at, world):
    await at(0)
    world.found = CONFIG
    assert not (await at(1)).hopeless
    assert not (await at(10)).hopeless
    assert (await at(11.1)).hopeless


async def test_another_trouble_in_between_begins_anew(at, world):
    await at(0)
    world.found = CONFIG
    await at(1)
    world.found = CRASH
    await at(6)
    world.found = CONFIG
    assert not (await at(12)).hopeless
    assert (await at(22.1)).hopeless


async def test_a_crash_is_still_told_between_two_restarts(at, world):
    """A deadline that passes at that moment would else say that pods are starting."""
    await at(0)
    world.found = CRASH
    await at(1)
    world.found = Diagnosis("0 of 1 pods are ready")

    told = await at(2.5)
    assert (told.text, told.cause) == ("it crashed", Cause.CONFIG)
    world.found = CONFIG
    assert (await at(4)).text == "Secret is missing"


async def test_a_node_that_was_lost_is_forgotten_when_its_pods_start_elsewhere(at, world):
    await at(0)
    world.found = Diagnosis("its node is gone", Rank.NODE, Cause.NODE)
    await at(1)
    world.found = Diagnosis("0 of 1 pods are ready")

    assert (await at(2.5)).text == "0 of 1 pods are ready"


async def test_what_may_yet_be_mended_is_never_given_up(at, world):
    await at(0)
    world.found = Diagnosis("no room", Rank.NO_ROOM, Cause.RESOURCES)
    for seconds in (1, 100, 10_000):
        assert not (await at(seconds)).hopeless


async def test_a_failing_probe_is_nobodys_fault_while_a_pod_starts(at, world):
    await at(0)
    world.found = Diagnosis("not ready: 503", Rank.PROBE, Cause.CONFIG)
    assert (await at(1)).cause is Cause.NONE
    assert (await at(11.1)).cause is Cause.CONFIG


async def test_a_cluster_is_asked_once_a_second_and_more_seldom_for_all_of_its_pods(at, world):
    await at(0)
    for tenth in range(10, 40):
        await at(tenth / 10)
    assert world.asked == 3
    world.found = Diagnosis("no room", Rank.NO_ROOM, Cause.RESOURCES)
    await at(5)
    before = world.asked
    for tenth in range(51, 99):
        await at(tenth / 10)
    assert world.asked == before
    await at(10.1)
    assert world.asked == before + 1


async def test_once_ready_everything_is_forgotten(at, world):
    await at(0)
    world.found = CONFIG
    await at(1)
    assert await at(5, READY) is None
    assert (await at(20)).text == "pods are starting"


async def test_none_wanted_since_it_was_scaled_to_none_is_told_as_such(at):
    found = await at(0, [Workload("Deployment/web", 0, 0, scale=0)])
    assert found.text == "it is scaled to 0 pods"
    assert (await at(0, [])).text.startswith("there is no Deployment")
