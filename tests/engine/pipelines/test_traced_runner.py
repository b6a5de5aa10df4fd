"""Builds and their steps in traces: where they belong, how they ended, what steps are told."""

import pytest

from crossfade.base import tracing
from crossfade.core.pipeline.state import BUILD, Phase, Result, RunSight, State, Status, UnitState
from crossfade.engine.pipelines import traced_runner
from crossfade.engine.pipelines.records import Build
from crossfade.engine.pipelines.traced_runner import TracedRunner, traced_build
from crossfade.ports.runner import Order, RunId
from crossfade.testing.fake_recorder import FakeRecorder

PARENT = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
RUN = RunId("7", 0, "unit", 1)


class OneRun:
    """A runner that keeps the last order, and says what it is told of its run."""

    def __init__(self):
        self.order, self.status = None, Status.RUNNING

    async def start(self, order):
        self.order = order

    async def look(self, run):
        return RunSight(run.number, self.status)

    async def stop(self, run, grace_seconds):
        pass

    async def forget(self, run):
        pass


@pytest.fixture
def recorder():
    recorder = FakeRecorder()
    with tracing.recorded(recorder):
        yield recorder


async def test_a_step_finds_its_own_place_whatever_the_process_was_given(recorder):
    inner = OneRun()
    runner = TracedRunner(inner)
    given = {"TRACEPARENT": PARENT, "A": "1"}
    with tracing.span("build") as build:
        await runner.start(Order(RUN, "true", environment=given))
        await runner.start(Order(RUN, "true", environment=given))  # asked for once more
    inner.status = Status.FAILED
    await runner.look(RUN)
    await runner.forget(RUN)

    step = recorder.named("step unit")
    assert inner.order.environment == {"TRACEPARENT": step.traceparent, "A": "1"}
    assert step.parent == build.traceparent
    assert (step.facts["result"], step.failure) == ("failed", "failed")


@pytest.mark.parametrize("how", ["stop", "succeed"])
async def test_a_step_that_is_stopped_or_succeeds_has_not_failed(recorder, how):
    inner = OneRun()
    runner = TracedRunner(inner)
    await runner.start(Order(RUN, "true"))
    if how == "stop":
        await runner.stop(RUN, 1.0)
    inner.status = Status.SUCCEEDED
    await runner.look(RUN)

    step = recorder.named("step unit")
    assert step.failure == ""
    assert step.facts["result"] == ("stopped" if how == "stop" else "succeeded")


async def test_runs_that_nobody_looks_at_again_are_not_kept_for_ever(recorder, monkeypatch):
    monkeypatch.setattr(traced_runner, "MOST", 3)
    runner = TracedRunner(OneRun())
    for number in range(10):
        await runner.start(Order(RunId("7", 0, f"unit{number}", 1), "true"))

    lost = [each for each in recorder.ended if each.facts.get("result") == "lost sight of"]
    assert [each.name for each in lost] == [f"step unit{number}" for number in range(7)]


async def test_steps_are_told_where_their_build_belongs_though_nothing_is_taken_down_here():
    inner = OneRun()
    with tracing.span("build", parent=PARENT):
        await TracedRunner(inner).start(Order(RUN, "true"))
    assert inner.order.environment == {"TRACEPARENT": PARENT}

    await TracedRunner(inner).start(Order(RUN, "true", environment={"A": "1"}))
    assert inner.order.environment == {"A": "1"}


@pytest.mark.parametrize("result", [Result.SUCCESS, Result.FAILURE])
async def test_a_build_belongs_to_what_has_asked_for_it(recorder, result):
    ended = State({BUILD: UnitState(Phase.DONE, result, 1.0)})

    async def run():
        return ended

    build = Build("7", "shop", "", 1.0, traceparent=PARENT)
    assert await traced_build(build, run) is ended

    span = recorder.named("build shop")
    assert span.parent == PARENT
    assert span.facts["result"] == result.value
    assert span.failure == ("" if result.good else "failure")
