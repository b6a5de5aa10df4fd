"""A build ends as if nobody had killed anything of it, and does nothing twice."""

import pytest

from crossfade.testing.pipeline_kills import Story, difference, outcome, story

UNDISTURBED, OPERATIONS = outcome(Story())


def test_the_build_that_is_compared_with_does_all_that_builds_do():
    results = {key: result for key, (result, _) in UNDISTURBED.steps.items()}

    assert UNDISTURBED.verdict == "success"
    assert results["wrong"] == results["slow"] == "failure"
    assert results["never"] == "skipped"
    assert results["ask"] == "approved"
    assert results["last@on_success/on_success"] == "success"
    assert UNDISTURBED.steps["unsure"][1] == 3
    assert set(UNDISTURBED.effects.values()) == {1}
    assert ("SIDE", "right") in UNDISTURBED.exports


@pytest.mark.parametrize("seed", range(30))
def test_a_build_ends_as_if_nothing_of_it_had_been_killed(seed):
    assert not difference(story(seed, OPERATIONS), UNDISTURBED)


def test_a_build_survives_a_kill_at_each_of_its_first_operations():
    for operation in range(40):
        assert not difference(Story(deaths=(operation,)), UNDISTURBED)
