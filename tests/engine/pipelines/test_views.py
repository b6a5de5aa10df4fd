"""What is told of builds has no secrets in it."""

from crossfade.base.codec import to_json
from crossfade.core.pipeline.state import Export, Phase, Result, State, UnitState
from crossfade.core.pipeline.variables import Variable
from crossfade.engine.pipelines.views import without_secrets


def test_no_value_of_a_secret_is_in_a_state_that_is_shown():
    hidden = Variable("TOKEN", "hunter2", secret=True)
    members = {"output.URL": "https://user:hunter2@example.com"}
    state = State(
        units={"unit": UnitState(Phase.DONE, Result.SUCCESS, 1.0, members=members)},
        variables={"TOKEN": hidden},
        exports=(Export("unit", hidden), Export("unit", Variable("COLOUR", "red"))),
    )
    shown = without_secrets(state)

    assert "hunter2" not in str(to_json(shown))
    assert [each.variable.value for each in shown.exports] == ["***", "red"]
    assert shown.units["unit"].result is Result.SUCCESS
