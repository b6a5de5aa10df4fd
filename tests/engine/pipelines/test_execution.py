"""Builds go on when what they need does not answer for a while."""

import asyncio

import pytest

from crossfade.adapters.pipelines.judging import judge
from crossfade.adapters.runners.log_files import LogFiles
from crossfade.base.clock import SteadyClock
from crossfade.base.errors import Denied, Unavailable
from crossfade.core.pipeline.graph import graph_of
from crossfade.engine.pipelines.commands import BuildCommands
from crossfade.engine.pipelines.execution import Execution
from crossfade.engine.pipelines.records import Build, Builds
from crossfade.engine.pipelines.surroundings import Surroundings
from crossfade.engine.pipelines.views import row
from crossfade.ports.runner import RunId
from crossfade.testing.fake_runner import FakeMachine, FakeRunner
from crossfade.testing.fake_store import FakeStore

TEXT = """version: '1.0'
steps:
  first: {image: alpine, commands: [echo one, cf_export A=1]}
  second: {image: alpine, commands: ['test $A = 1', echo two]}
"""


class Flaky:
    """Hands calls on, but the first few of one operation get no answer."""

    def __init__(self, inner, operation: str, times: int, *, done: bool = False) -> None:
        self._inner, self._operation, self._times, self._done = inner, operation, times, done
        self.error = Unavailable("it does not answer", hint="wait")

    def __getattr__(self, name):
        inner = getattr(self._inner, name)
        if name != self._operation or not self._times:
            return inner
        self._times -= 1
        if name in ("output", "append", "begin"):
            raise self.error

        async def failing(*arguments):
            if self._done:  # the answer alone is lost
                await inner(*arguments)
            raise self.error

        return failing


class Heard:
    def __init__(self) -> None:
        self.texts, self.output = [], {}

    def told(self, key, text):
        self.texts.append((key, text))

    def printed(self, key, text):
        self.output[key] = self.output.get(key, "") + text


async def execution(tmp_path, machine, heard, *, text=TEXT, runner=None, store=None, logs=None):
    inner = FakeStore()
    graph = graph_of(judge(text, {}).pipelines[0])
    wanted = Build("0", "p", text, 0.0)
    build = await BuildCommands(Builds(inner), SteadyClock()).create(wanted, graph, {})
    around = Surroundings(
        Builds((store or (lambda each: each))(inner)),
        (runner or (lambda each: each))(FakeRunner(machine)),
        (logs or (lambda each: each))(LogFiles(tmp_path)),
        SteadyClock(),
        lambda _: True,
    )
    return Execution(around, build, graph, heard)


def trouble(heard) -> list[str]:
    return [text for _, text in heard.texts if text.endswith("trying again")]


@pytest.mark.parametrize("operation", ["start", "look", "output", "forget"])
async def test_a_runner_without_an_answer_fails_no_step_and_uses_no_attempt(tmp_path, operation):
    machine, heard = FakeMachine(), Heard()
    run = await execution(
        tmp_path, machine, heard, runner=lambda inner: Flaky(inner, operation, 2, done=False)
    )

    state = await asyncio.wait_for(run.run(), 20)

    assert state.result == "success"
    assert [state.units[key].attempt for key in ("first", "second")] == [1, 1]
    assert machine.started == [RunId("1", 0, "first", 1), RunId("1", 0, "second", 1)]
    assert heard.output == {"first": "one\n", "second": "two\n"}
    assert len(trouble(heard)) == (0 if operation == "forget" else 1), "told once"


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("operation", ["get", "commit", "sequence"])
async def test_a_store_without_an_answer_ends_no_build(tmp_path, operation, done):
    machine, heard = FakeMachine(), Heard()
    run = await execution(
        tmp_path, machine, heard, store=lambda inner: Flaky(inner, operation, 1, done=done)
    )

    state = await asyncio.wait_for(run.run(), 20)

    assert state.result == "success"
    assert len(machine.started) == 2
    begun = [key for key, text in heard.texts if key == "first"]
    assert begun, "what was saved is told, though the answer of the store was lost"


@pytest.mark.parametrize("operation", ["begin", "append"])
async def test_a_log_that_cannot_be_written_for_a_while_is_whole_in_the_end(tmp_path, operation):
    machine, heard = FakeMachine(), Heard()
    run = await execution(tmp_path, machine, heard, logs=lambda inner: Flaky(inner, operation, 2))

    state = await asyncio.wait_for(run.run(), 20)

    assert state.result == "success"
    assert LogFiles(tmp_path).read(RunId("1", 0, "first", 1))[0] == "one\n"
    assert heard.output["first"] == "one\n"


async def test_a_build_whose_step_cannot_be_started_can_still_be_ended(tmp_path):
    machine, heard = FakeMachine(), Heard()
    run = await execution(
        tmp_path, machine, heard, runner=lambda inner: Flaky(inner, "start", 10**6)
    )
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        running = group.create_task(run.run())
        while not trouble(heard):
            await asyncio.sleep(0.01)
        run.terminate("no longer wanted")

    state = running.result()
    assert state.result == "terminated"
    assert not machine.started


async def test_a_runner_that_refuses_us_is_not_asked_for_ever(tmp_path):
    def refusing(inner):
        flaky = Flaky(inner, "start", 1)
        flaky.error = Denied("not allowed", hint="log in")
        return flaky

    run = await execution(tmp_path, FakeMachine(), Heard(), runner=refusing)

    with pytest.raises(Denied, match="not allowed"):
        await asyncio.wait_for(run.run(), 20)


class EndsAtOnce:
    """A runner that ends runs before anybody has looked again, and counts how often."""

    def __init__(self, inner) -> None:
        self._inner, self.stops = inner, []

    def __getattr__(self, name):
        return getattr(self._inner, name)

    async def stop(self, run, grace_seconds):
        self.stops.append(run)
        await self._inner.stop(run, 0)


class Slow:
    """A store that lets everybody else go on before it answers."""

    def __init__(self, inner) -> None:
        self._inner = inner

    def __getattr__(self, name):
        return getattr(self._inner, name)

    async def sequence(self):
        for _ in range(50):
            await asyncio.sleep(0)
        return await self._inner.sequence()


async def test_a_step_that_ends_as_soon_as_it_is_asked_to_is_asked_once(tmp_path):
    text = "version: '1.0'\nsteps:\n  a: {image: alpine, timeout: 0.2s, commands: [sleep 60]}\n"
    made = []

    def runner(inner):
        made.append(EndsAtOnce(inner))
        return made[0]

    build = await execution(tmp_path, FakeMachine(), Heard(), text=text, runner=runner, store=Slow)
    async with asyncio.timeout(20):
        state = await build.run()

    assert state.units["a"].result == "failure"
    assert len(made[0].stops) == 1


class Gone:
    """A runner that answers nothing but some questions until somebody sees to it."""

    def __init__(self, inner, answered: str) -> None:
        self._inner, self._answered, self.gone = inner, answered.split(), True

    def __getattr__(self, name):
        if not self.gone or name in self._answered:
            return getattr(self._inner, name)
        error = Unavailable("the fleet is empty", hint="add a cluster")
        if name == "output":
            raise error

        async def refused(*_):
            raise error

        return refused


@pytest.mark.parametrize("answered", ["look", "start"], ids=["before-its-step", "during-its-step"])
async def test_who_does_not_sit_beside_reads_what_the_build_waits_for_and_that_it_goes_on(
    tmp_path, answered
):
    runners, stores = [], []

    def gone(inner):
        runners.append(Gone(inner, answered))
        return runners[0]

    def kept(inner):
        stores.append(Builds(inner))
        return inner

    heard = Heard()
    run = await execution(tmp_path, FakeMachine(), heard, runner=gone, store=kept)
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        running = group.create_task(run.run())
        while not (seen := (await stores[0].state("1")).value).waits_for:
            await asyncio.sleep(0.01)
        runners[0].gone = False

    build = (await stores[0].build("1")).value
    assert row(build, seen, running=True).reason == "waits: the fleet is empty"
    state = running.result()
    assert (state.result, state.waits_for) == ("success", "")
    assert len(trouble(heard)) == 1, "told once"
