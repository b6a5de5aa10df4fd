"""A world in which blue serves everywhere."""

import pytest

from crossfade.core.rollout.state import Outcome
from crossfade.testing.engine_world import EngineWorld


@pytest.fixture
async def world():
    """Three clusters run blue for all users."""
    world = EngineWorld()
    await world.prepare()
    rollout = await world.deploy({"colour": "blue"})
    assert rollout.state.outcome is Outcome.SUCCEEDED
    await world.turn()
    return world


@pytest.fixture
def turn_until():
    """Let the hub of a world work until a condition holds."""

    async def turn(world, condition, turns=100):
        for _ in range(turns):
            if condition(await world.rollout()):
                return await world.rollout()
            await world.turn()
        raise AssertionError(f"it did not come true: {(await world.rollout()).state}")

    return turn
