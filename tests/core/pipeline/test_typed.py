"""Typed steps as they run: the steps of their definition, with arguments as variables."""

from crossfade.core.pipeline.build import with_definitions
from crossfade.core.pipeline.checked import checked
from crossfade.core.pipeline.context import context_of
from crossfade.core.pipeline.graph import graph_of
from crossfade.core.pipeline.run import begin, decide, runs
from crossfade.core.pipeline.state import RunSight, Seen, Status
from crossfade.core.pipeline.tree import Mark, grown
from crossfade.core.pipeline.typed import Argument, Definition, find
from crossfade.core.pipeline.variables import Source, Variable

NOTIFY = Definition(
    "shop/notify",
    "1.0.0",
    {"TO": Argument(("string",), required=True), "LEVEL": Argument(default="info"), "TAGS": Argument()},
    returns=("ID",),
    steps={
        "ask": {"image": "alpine", "commands": ["ask ${{TO}}"]},
        "main": {"image": "alpine", "commands": ["echo ${{TO}} ${{LEVEL}} ${{TAGS}} ${{steps.ask.result}}"]},
    },
)  # fmt: skip
DEFINITIONS = {"shop/notify": (NOTIFY, Definition("shop/notify", "1.1.0-rc.1"))}
STEPS = {
    "n": {"type": "shop/notify:1.0.0", "timeout": "1m", "arguments": {"TO": "${{WHO}}", "TAGS": ["a", 1]}},
    "after": {"image": "x", "title": "${{steps.n.output.ID}} ${{steps.n.output.SECRET}} ${{TO}}"},
}  # fmt: skip


def test_a_typed_step_is_the_steps_that_it_is_made_of():
    root = grown({"version": "1.0", "steps": STEPS}, Mark(1, 1))
    pipeline = checked(root, DEFINITIONS).pipeline
    assert pipeline is not None
    graph = graph_of(pipeline)
    state = begin({"WHO": Variable("WHO", "ann", Source.RUN)})

    state = decide(graph, state, Seen(), 0.0).want
    (run,) = runs(graph, state)
    assert (run.key, run.step.timeout_seconds) == ("n/ask", 60)
    assert context_of(graph, state, "n/ask").settings(run.step)["commands"] == ["ask ann"]

    left = (Variable("ID", "7", Source.EXPORT), Variable("SECRET", "x", Source.EXPORT))
    seen = Seen({"n/ask": RunSight(1, Status.SUCCEEDED, exports=left)})
    state = decide(graph, state, seen, 1.0).want
    (run,) = runs(graph, state)
    context = context_of(graph, state, run.key)
    assert context.settings(run.step)["commands"] == ['echo ann info ["a", 1] success']

    state = decide(graph, state, Seen({"n/main": RunSight(1, Status.SUCCEEDED)}), 2.0).want
    (run,) = runs(graph, state)
    title = context_of(graph, state, run.key).substituted(run.step.title)
    assert (run.key, title) == ("after", "7 ${{steps.n.output.SECRET}} ${{TO}}")


def test_a_step_without_a_definition_stays_as_it_is():
    pipeline = checked(grown({"version": "1.0", "steps": STEPS}, Mark(1, 1))).pipeline

    assert pipeline is not None
    assert with_definitions(pipeline, {}) == pipeline


def test_versions_are_told_apart():
    assert find(DEFINITIONS, "shop/notify:1.0.0") is NOTIFY
    assert find(DEFINITIONS, "shop/notify:2.0.0") is None
    assert find(DEFINITIONS, "shop/notify:2.0.0", exact=False).version == "1.1.0-rc.1"
    assert find(DEFINITIONS, "shop/notify").version == "1.1.0-rc.1"
    assert find(DEFINITIONS, "nope") is None
