"""What follows when a hook fails."""

import pytest

from crossfade.base.codec import from_json, to_json
from crossfade.base.secrets import SecretRef
from crossfade.core.rollout.gates import (
    Consequence,
    Endpoint,
    Gate,
    GateAnswer,
    GatePoint,
    GateState,
    Hook,
    HookPhase,
    Moment,
    OnFailure,
    consequence,
)
from crossfade.core.rollout.state import Phase

OPEN, CLOSED, AWAY = (GateAnswer(state, "why") for state in GateState)
ENDPOINT = Endpoint(SecretRef("hook-url"), {"A": "b", "C": SecretRef("c")}, SecretRef("key"))


@pytest.mark.parametrize(
    ("policy", "answer", "follows"),
    [
        (OnFailure.HOLD, OPEN, Consequence.GO_ON),
        (OnFailure.HOLD, CLOSED, Consequence.HOLD),
        (OnFailure.HOLD, AWAY, Consequence.HOLD),
        (OnFailure.IGNORE, CLOSED, Consequence.GO_ON),
        (OnFailure.IGNORE, AWAY, Consequence.GO_ON),
        (OnFailure.ROLL_BACK, OPEN, Consequence.GO_ON),
        (OnFailure.ROLL_BACK, CLOSED, Consequence.ROLL_BACK),
        pytest.param(OnFailure.ROLL_BACK, AWAY, Consequence.HOLD, id="silence-is-no-verdict"),
    ],
)
def test_a_failed_hook_has_the_consequence_that_was_chosen(policy, answer, follows):
    hook = Hook("smoke", Moment.BEFORE, HookPhase.PROMOTING, ENDPOINT, policy)
    got, reason = consequence(hook, answer)
    assert got is follows
    assert "`smoke`" in reason


@pytest.mark.parametrize("policy", OnFailure)
@pytest.mark.parametrize("phase", [HookPhase.ROLLING_BACK, HookPhase.ENDED])
@pytest.mark.parametrize("answer", [CLOSED, AWAY])
def test_no_hook_keeps_users_on_a_bad_version(policy, phase, answer):
    hook = Hook("tell", Moment.BEFORE, phase, ENDPOINT, policy)
    assert consequence(hook, answer)[0] is Consequence.GO_ON


def test_hooks_are_called_around_phases_that_there_are():
    assert {each.value for each in HookPhase} <= {each.value for each in Phase}


@pytest.mark.parametrize(
    "value",
    [
        Gate("change", ENDPOINT, GatePoint.PROMOTION),
        Hook("a", Moment.AFTER, HookPhase.ENDED, ENDPOINT),
    ],
)
def test_gates_and_hooks_survive_the_store_with_references_only(value):
    stored = to_json(value)
    assert from_json(type(value), stored) == value
    assert stored["endpoint"]["url"]["name"] == "hook-url"
