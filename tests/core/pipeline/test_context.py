"""What a step sees of variables and of other steps."""

import pytest

from crossfade.core.pipeline.context import context_of
from crossfade.core.pipeline.expression.evaluate import evaluate
from crossfade.core.pipeline.state import RunSight, Status
from crossfade.core.pipeline.variables import Source, Variable
from crossfade.testing.fake_build import FakeBuild, step

MEMBERS = {
    "self": "r.example.com/shop/app:1",
    "imageId": "sha256:1",
    "output.URL": "http://x",
    "authEntity.name": "ann",
}


@pytest.fixture
def context():
    left = (Variable("V", "exported", Source.EXPORT), Variable("P", "secret", Source.EXPORT, True))
    built = RunSight(0, Status.SUCCEEDED, members=MEMBERS, exports=left)
    steps = {
        "my-build": step(description="builds it"),
        "b": step(environment=["E=${{V}}!", "V=own"], title="${{E}}"),
        "c": step(),
    }
    build = FakeBuild({"steps": steps}, {"my-build": built, "b": Status.RUNNING}, {"R": "run"})
    build.play()
    return context_of(build.graph, build.state, "b")


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("${{R}}", "run"),
        ("${{V}}", "own"),
        ("${{E}}", "exported!"),
        ("${{P}}", "secret"),
        ("${{my-build}}", MEMBERS["self"]),
        ("${{steps.my-build.imageId}}", "sha256:1"),
        ("${{my-build.result}}", "success"),
        ("${{parentSteps.my-build.output.URL}}", "http://x"),
        ("${{steps.c.result}} ${{steps.b.result}}", "pending running"),
        ("${{steps.my-build.description}}", "builds it"),
        ("${{CF_STEP_NAME}} ${{CF_CURRENT_ATTEMPT}}/${{CF_MAX_ATTEMPTS}}", "b 1/1"),
        ("${{c}} ${{steps.c.imageId}} ${{steps.z.result}}", "${{c}} ${{steps.c.imageId}} ${{steps.z.result}}"),
        ("${{steps.my-build.output}}", "${{steps.my-build.output}}"),
    ],
)  # fmt: skip
def test_a_reference_is_answered(context, text, filled):
    assert context.substituted(text) == filled


@pytest.mark.parametrize(
    "text",
    [
        "Member(steps, 'my-build').result == 'success'",
        "Member(steps, 'my-build').output.URL == 'http://x'",
        "Variable('my-build').authEntity.name == 'ann'",
        "b.result == 'running' && steps.c.result == 'pending'",
        "workflow.result == 'running'",
        "R == 'run'",
    ],
)
def test_an_expression_sees_the_same(context, text):
    assert evaluate(text, context).result, evaluate(text, context).error


def test_secrets_stay_secret(context):
    assert "secret" in context.scope.secrets


def test_settings_are_filled_in(context):
    settings = context.settings(context.unit("b").step)

    assert settings["environment"] == ["E=own!", "V=own"]


def test_a_later_run_does_not_change_what_an_earlier_one_saw():
    left = RunSight(0, Status.SUCCEEDED, exports=(Variable("V", "1", Source.EXPORT),))
    group = {"type": "parallel", "steps": {"a": step(), "b": step()}}
    build = FakeBuild({"steps": {"g": group}}, {"a": left, "b": Status.RUNNING}).play()

    assert context_of(build.graph, build.state, "b").substituted("${{V}}") == "${{V}}"
