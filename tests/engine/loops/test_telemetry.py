"""The new revision is judged by what gateways really counted; silence proves nothing."""

from dataclasses import replace

import pytest

from crossfade.core.analysis.counters import Rules, Tally
from crossfade.core.analysis.judgement import Verdict
from crossfade.core.analysis.spec import Analysis
from crossfade.core.rollout.spec import Pause, SetWeight, Strategy
from crossfade.core.rollout.state import Outcome
from crossfade.engine.loops.judging import SILENT_SECONDS, Judging
from crossfade.engine.loops.telemetry import Telemetry
from crossfade.engine.records import Records
from crossfade.testing.builders import APP, CLUSTERS, application
from crossfade.testing.fake_measurements import FakeSources

YELLOW = {"colour": "yellow"}


@pytest.fixture
async def canary(world, turn_until):
    """A canary with 10 % of the users, and a step that never ends."""
    await world.commands.apply(application(SetWeight(10), Pause()))
    await world.deployments.deploy(APP, YELLOW)
    rollout = await turn_until(world, lambda r: "until promoted" in r.state.reason)
    return rollout.canary.id


class Judge:
    """A telemetry loop of its own, over the same world."""

    def __init__(self, world):
        self.world = world
        records = Records(world.store)
        self.loop = Telemetry(
            records, world.connections, FakeSources(world.measurements), world.clock
        )
        self.judging = Judging(records, self.loop, world.clock)

    async def read(self, *clusters):
        for name in clusters or CLUSTERS:
            await self.loop.reconcile(f"{APP}@{name}")

    async def verdict(self, reachable=CLUSTERS):
        record = await self.world.queries.record(APP)
        return self.judging.judgement(
            record, await self.world.rollout(), reachable, self.world.clock.now()
        )


@pytest.fixture
def judge(world):
    return Judge(world)


async def test_requests_before_the_first_look_are_not_counted(world, canary, judge):
    for cluster in world.clusters.values():
        cluster.serve(APP, canary, 1000, 1000)
    await judge.read()

    assert (await judge.verdict()).requests == 0


async def test_requests_of_all_clusters_count_together(world, canary, judge):
    await judge.read()
    for cluster in world.clusters.values():
        cluster.serve(APP, canary, 20, 3)
    world.clock.advance(1.0)
    await judge.read()
    found = await judge.verdict()

    assert (found.requests, found.errors, found.verdict) == (60, 9, Verdict.FAIL)


async def test_counters_that_restart_neither_make_up_nor_lose_requests(world, canary, judge):
    aws = world.clusters["aws"]
    aws.serve(APP, canary, 5000, 100)
    await judge.read()
    aws.restart_gateway()
    aws.serve(APP, canary, 30, 1)
    world.clock.advance(1.0)
    await judge.read()
    found = await judge.verdict()

    assert (found.requests, found.errors) == (30, 1)


async def test_a_gateway_that_restarted_and_counts_nothing_yet_is_no_error(world, canary, judge):
    world.clusters["aws"].serve(APP, canary, 5000, 100)
    await judge.read()
    world.clusters["aws"].restart_gateway()
    world.clock.advance(1.0)
    await judge.read()

    assert (await judge.verdict()).requests == 0


async def test_what_happened_before_the_window_is_forgotten(world, canary, judge):
    await judge.read()
    world.clusters["aws"].serve(APP, canary, 100, 100)
    world.clock.advance(1.0)
    await judge.read()
    assert (await judge.verdict()).verdict is Verdict.FAIL
    world.clock.advance(application().analysis.threshold.window_seconds)
    await judge.read()

    assert (await judge.verdict()).verdict is Verdict.UNKNOWN


async def test_a_gateway_that_is_not_read_is_silence_and_named(world, canary, judge):
    await judge.read()
    world.clusters["aws"].serve(APP, canary, 1000, 0)
    world.clock.advance(SILENT_SECONDS + 1)
    await judge.read("aws", "onprem")
    found = await judge.verdict()

    assert found.verdict is Verdict.UNKNOWN
    assert found.reason == "no telemetry from gcp"


async def test_a_gateway_that_was_never_read_is_silence_and_named(world, canary, judge):
    await judge.read("aws", "onprem")
    world.clusters["aws"].serve(APP, canary, 1000, 0)
    await judge.read("aws", "onprem")
    found = await judge.verdict()

    assert found.verdict is Verdict.UNKNOWN
    assert found.reason == "no telemetry from gcp"


async def test_a_cluster_that_is_away_is_not_waited_for(world, canary, judge):
    await judge.read()
    world.clusters["aws"].serve(APP, canary, 1000, 0)
    world.clock.advance(SILENT_SECONDS + 1)
    await judge.read("aws", "onprem")

    assert (await judge.verdict(("aws", "onprem"))).verdict is Verdict.PASS


async def test_silence_holds_a_rollout_and_neither_promotes_nor_rolls_back(world, turn_until):
    await world.commands.apply(application(SetWeight(10), SetWeight(50)))
    world.requests_per_second = 0
    await world.deployments.deploy(APP, YELLOW)
    await turn_until(world, lambda rollout: rollout.state.percent == 10)
    for _ in range(100):
        await world.turn(1.0)
    state = (await world.rollout()).state
    assert state.percent == 10
    assert "requests needed for a verdict" in state.reason
    world.requests_per_second = 100

    assert (await world.until_ended()).state.outcome is Outcome.SUCCEEDED


async def test_a_new_hub_counts_anew_and_promotes_nothing_meanwhile(world, turn_until):
    await world.commands.apply(application(SetWeight(10), Pause(3.0), SetWeight(50)))
    await world.deployments.deploy(APP, YELLOW)
    await turn_until(world, lambda rollout: "pausing" in rollout.state.reason)
    world.start_hub()
    world.requests_per_second = 0
    for _ in range(30):
        await world.turn()

    assert (await world.rollout()).state.percent == 10


async def test_without_a_threshold_nothing_is_judged(world, judge):
    await world.commands.apply(application(analysis=Analysis(judge=None)))
    await world.deployments.deploy(APP, YELLOW)

    assert (await judge.verdict()).verdict is Verdict.PASS


async def test_a_swap_back_is_not_held_up_by_counters(world):
    await world.deploy(YELLOW)
    world.requests_per_second = 0
    await world.deployments.undo(APP, None)

    assert (await world.until_ended(turns=10)).state.outcome is Outcome.SUCCEEDED


async def test_an_application_without_steps_goes_to_everybody_at_once(world):
    await world.commands.apply(replace(application(), strategy=Strategy()))
    world.requests_per_second = 0

    assert (await world.deploy(YELLOW, turns=20)).state.outcome is Outcome.SUCCEEDED


async def test_a_revision_that_the_gateway_has_forgotten_was_asked_nothing_and_slow_in_nothing(
    world, canary, judge
):
    aws = world.clusters["aws"]
    stable = (await world.queries.record(APP)).active.id
    for _ in range(12):
        aws.serve(APP, canary, 10, slower={250: 1})
        aws.requests.pop((APP, stable), None)
        world.clock.advance(0.5)
        await judge.read()
    windows = judge.loop.windows(APP, "aws", Rules(window_seconds=0.5, late_seconds=0.0))

    forgotten, asked = windows[-1].revisions[stable], windows[-1].revisions[canary]
    assert (asked.requests, asked.events["slower-250ms"]) == (10, 1)
    assert forgotten == Tally(0, dict.fromkeys(asked.events, 0))
