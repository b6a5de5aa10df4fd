"""The steps of a rollout stand in the trace of what has asked for it, each as long as it took."""

from crossfade.base import tracing
from crossfade.core.analysis.spec import Analysis
from crossfade.core.rollout.spec import Pause, SetWeight
from crossfade.testing.builders import APP, application
from crossfade.testing.engine_world import EngineWorld
from crossfade.testing.fake_recorder import FakeRecorder

PARENT = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"


async def test_a_rollout_is_told_step_by_step_in_the_trace_of_its_deployment():
    world, recorder = EngineWorld(), FakeRecorder()
    quick = application(SetWeight(10), Pause(2.0), SetWeight(50), analysis=Analysis(judge=None))
    await world.prepare(quick)
    await world.deploy({"colour": "blue"})
    with tracing.recorded(recorder), tracing.span("request", parent=PARENT):
        await world.deploy({"colour": "yellow"})

    deploy = recorder.named("deploy")
    steps = [each for each in recorder.ended if each.name.startswith("rollout ")]
    names = [each.name for each in steps]
    assert names[0] == "rollout installing"
    assert names[-1] == "rollout promoting"
    assert names[1:-1] == [f"rollout step {number}" for number in range(1, len(names) - 1)]
    assert {each.parent for each in steps} == {deploy.traceparent}
    assert deploy.traceparent.split("-")[1] == "a" * 32
    assert steps[-1].facts["outcome"] == "succeeded"
    assert recorder.named("rollout step 2").facts["seconds"] >= 2.0
    assert {each.facts["application"] for each in steps} == {APP}
