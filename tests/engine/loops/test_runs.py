"""Analysis runs: bad figures take users back, good ones let a step pass, silence does neither."""

from dataclasses import replace

from crossfade.base.codec import from_json, to_json
from crossfade.core.analysis.kayenta import Direction
from crossfade.core.analysis.queries import PrometheusQuery
from crossfade.core.analysis.runs import ComparedMetric, Comparison, RunMetric, RunSpec
from crossfade.core.analysis.sources import PrometheusSource
from crossfade.core.analysis.spec import Analysis
from crossfade.core.application import Application
from crossfade.core.rollout.spec import Analyse, Pause, SetWeight, Unreachable
from crossfade.core.rollout.state import Outcome
from crossfade.engine.records import Records, run_name
from crossfade.testing.builders import APP, application

SOURCE = PrometheusSource("http://prometheus.test")
ANSWERS = RunMetric(
    "answers",
    PrometheusQuery("up"),
    success="result > 0.9",
    interval_seconds=1.0,
    count=3,
    failure_limit=1,
)
YELLOW = {"colour": "yellow"}


def with_run(*steps, **more):
    run = RunSpec("smoke", **{"metrics": (ANSWERS,), **more})
    return application(*steps, analysis=Analysis(judge=None, runs=(run,), source=SOURCE))


async def turns(world, count=40):
    for _ in range(count):
        await world.turn()
    return (await world.rollout()).state


def test_an_application_with_runs_is_stored_as_it_is():
    spec = with_run(SetWeight(10), Analyse("smoke"))

    assert from_json(Application, to_json(spec)) == spec


async def test_a_step_waits_for_good_figures_and_then_goes_on(world):
    await world.commands.apply(with_run(SetWeight(10), Analyse("smoke"), SetWeight(50)))
    world.measurements.values["up"] = 1.0
    ended = await world.deploy(YELLOW)

    assert ended.state.outcome is Outcome.SUCCEEDED
    assert len(world.measurements.asked) == 3


async def test_bad_figures_take_users_back(world):
    await world.commands.apply(with_run(SetWeight(10), Analyse("smoke")))
    world.measurements.values["up"] = 0.5
    ended = await world.deploy(YELLOW)

    assert ended.state.outcome is Outcome.ROLLED_BACK
    assert "analysis smoke failed: Metric" in ended.state.reason


async def test_a_source_that_is_silent_holds_and_never_decides(world):
    await world.commands.apply(with_run(SetWeight(10), Analyse("smoke"), SetWeight(50)))
    world.measurements.silent = True
    await world.deployments.deploy(APP, YELLOW)
    for _ in range(100):
        await world.turn(1.0)

    state = (await world.rollout()).state
    assert (state.percent, state.outcome) == (10, Outcome.NONE)
    assert "analysing at 10 %: smoke" in state.reason


async def test_a_run_beside_the_steps_takes_users_back_in_the_middle_of_one(world):
    await world.commands.apply(with_run(SetWeight(10), Pause(60.0), background=True))
    world.measurements.values["up"] = 0.5
    ended = await world.deploy(YELLOW)

    assert ended.state.outcome is Outcome.ROLLED_BACK


async def test_a_comparison_as_kayentas_fails_a_metric_that_went_up(world):
    metric = ComparedMetric(
        "latency", PrometheusQuery("new"), PrometheusQuery("old"), direction=Direction.INCREASE
    )
    compared = Comparison((metric,), lifetime_seconds=60.0, interval_seconds=30.0, step_seconds=1.0)
    spec = with_run(SetWeight(10), Analyse("smoke"), metrics=(), comparison=compared)
    await world.commands.apply(spec)
    values = world.measurements.points
    await world.deployments.deploy(APP, YELLOW)
    for _ in range(300):
        now = world.clock.now()
        for step in range(200):
            at = now - 100 + step / 2
            values.setdefault("new", {})[at] = 20.0 + step % 3
            values.setdefault("old", {})[at] = 10.0 + step % 3
        await world.turn()
        if not (await world.rollout()).active:
            break

    ended = await world.rollout()
    assert ended.state.outcome is Outcome.ROLLED_BACK
    assert "latency is High" in ended.state.reason


async def test_a_repeated_run_begins_anew_at_its_second_step(world):
    steps = (SetWeight(10), Analyse("smoke"), SetWeight(50), Analyse("smoke"))
    await world.commands.apply(with_run(*steps))
    world.measurements.values["up"] = 1.0
    await world.deploy(YELLOW)

    assert len(world.measurements.asked) == 6


async def test_a_dry_metric_is_measured_without_a_say(world):
    dry = replace(ANSWERS, name="dry", query=PrometheusQuery("down"), dry_run=True)
    spec = with_run(SetWeight(10), Analyse("smoke"), metrics=(ANSWERS, dry))
    await world.commands.apply(spec)
    world.measurements.values |= {"up": 1.0, "down": 0.0}
    ended = await world.deploy(YELLOW)

    assert ended.state.outcome is Outcome.SUCCEEDED


async def frozen_at_10(world, spec, turn_until):
    """Roll out, and lose a cloud once the new revision has a tenth of all users."""
    skip = replace(spec.strategy, unreachable=Unreachable.SKIP)
    await world.commands.apply(replace(spec, strategy=skip))
    await world.deployments.deploy(APP, YELLOW)
    await turn_until(world, lambda each: each.state.percent == 10)
    for _ in range(30):
        await world.turn()
    faults = world.clusters["gcp"].faults
    faults.unreachable = faults.gateway_down = True
    return world.clock.now()


async def test_a_loss_that_makes_figures_bad_before_anybody_knows_fails_no_run(world, turn_until):
    patient = replace(ANSWERS, count=0, failure_limit=10)
    spec = with_run(SetWeight(10), Pause(600.0), metrics=(patient,), background=True)
    world.measurements.values["up"] = 1.0
    await frozen_at_10(world, spec, turn_until)
    world.measurements.values["up"] = 0.0
    await turn_until(world, lambda each: each.state.interruption is not None)
    for _ in range(4):
        await world.turn()
    asked = len(world.measurements.asked)
    for _ in range(20):
        await world.turn()
    assert len(world.measurements.asked) == asked

    world.measurements.values["up"] = 1.0
    rollout = await turn_until(world, lambda each: each.state.interruption is None, turns=300)
    for _ in range(4):
        await world.turn()
    run = (await Records(world.store).find_run(run_name(rollout, "smoke"))).value
    counters = run.results["answers"].counters
    assert (counters.failed, run.still_since) == (0, None)
    assert counters.successful > 0


async def test_a_comparison_has_no_points_of_the_time_in_which_users_moved(world, turn_until):
    metric = ComparedMetric(
        "latency", PrometheusQuery("new"), PrometheusQuery("old"), direction=Direction.INCREASE
    )
    compared = Comparison((metric,), lifetime_seconds=90.0, interval_seconds=90.0, step_seconds=1.0)
    spec = with_run(SetWeight(10), Pause(600.0), metrics=(), comparison=compared, background=True)
    died = await frozen_at_10(world, spec, turn_until)
    rollout = await turn_until(world, lambda each: each.state.interruption is not None)
    values, started = world.measurements.points, None
    for _ in range(600):
        now = world.clock.now()
        run = (await Records(world.store).find_run(run_name(rollout, "smoke"))).value
        started = run.started_at
        still = run.still_since is not None
        for step in range(int(now - started) + 3):
            at = started + step
            wild = died <= at and (still or any(gap.end >= at for gap in run.gaps))
            values.setdefault("new", {}).setdefault(at, (90.0 if wild else 10.0) + step % 3)
            values.setdefault("old", {}).setdefault(at, 10.0 + step % 3)
        await world.turn()
        if run.scores:
            break

    assert run.scores == (100.0,)
    assert world.clock.now() > started + 90.0 + sum(gap.seconds for gap in run.gaps) - 5.0
