"""Programs that ask twice get one rollout."""

from crossfade.core.rollout.commands import Command
from crossfade.core.rollout.state import Outcome
from crossfade.engine.deploying_once import deploy_once
from crossfade.testing.builders import APP

BLUE, YELLOW = {"colour": "blue"}, {"colour": "yellow"}


async def test_who_dies_after_asking_and_asks_again_does_not_deploy_twice(world):
    first = await deploy_once(world.deployments, APP, YELLOW, "7.0/deploy@1")
    again = await deploy_once(world.deployments, APP, YELLOW, "7.0/deploy@1")

    assert again.number == first.number
    assert len(await world.queries.rollouts(APP)) == 2


async def test_a_rollout_that_ended_badly_is_the_answer_to_its_own_key_only(world):
    first = await deploy_once(world.deployments, APP, YELLOW, "7.0/deploy@1")
    await world.commands.change(APP, Command.ABORT)
    ended = await world.until_ended()
    assert ended.state.outcome is Outcome.ROLLED_BACK

    same = await deploy_once(world.deployments, APP, YELLOW, "7.0/deploy@1")
    assert (same.number, same.state.outcome) == (first.number, Outcome.ROLLED_BACK)
    other = await deploy_once(world.deployments, APP, YELLOW, "7.0/deploy@2")
    assert other.number == first.number + 1


async def test_what_serves_already_is_no_failure_for_a_pipeline(world):
    found = await deploy_once(world.deployments, APP, BLUE, "8.0/deploy@1")

    assert (found.number, found.state.outcome) == (1, Outcome.SUCCEEDED)


async def test_what_somebody_else_is_rolling_out_is_followed(world):
    begun = await world.deployments.deploy(APP, YELLOW)

    assert (
        await deploy_once(world.deployments, APP, YELLOW, "9.0/deploy@1")
    ).number == begun.number
