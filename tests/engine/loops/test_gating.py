"""Gates, hooks and freeze windows keep users where they are, and say so."""

from dataclasses import replace

from crossfade.core.rollout.freeze import FreezeWindow
from crossfade.core.rollout.gates import (
    Endpoint,
    Gate,
    GatePoint,
    GateState,
    Hook,
    HookPhase,
    Moment,
    OnFailure,
)
from crossfade.core.rollout.spec import SetWeight
from crossfade.core.rollout.state import Outcome
from crossfade.testing.builders import APP, application

WHERE = Endpoint("https://board.test/")
YELLOW = {"colour": "yellow"}


def with_strategy(**more):
    spec = application(SetWeight(10), SetWeight(50))
    return replace(spec, strategy=replace(spec.strategy, **more))


async def turns(world, count=30):
    for _ in range(count):
        await world.turn()
    return (await world.rollout()).state


async def test_a_closed_gate_holds_the_first_users_and_tells_its_reason(world):
    await world.commands.apply(with_strategy(gates=(Gate("board", WHERE),)))
    world.gates.states["board"] = GateState.CLOSED
    await world.deployments.deploy(APP, YELLOW)
    held = await turns(world)
    world.gates.states["board"] = GateState.OPEN
    ended = await world.until_ended()

    assert held.percent == 0
    assert "gate board: closed" in held.reason
    assert ended.state.outcome is Outcome.SUCCEEDED


async def test_an_unreachable_gate_holds_too(world):
    gate = Gate("board", WHERE, GatePoint.PROMOTION)
    await world.commands.apply(with_strategy(gates=(gate,)))
    world.gates.states["board"] = GateState.UNREACHABLE
    await world.deployments.deploy(APP, YELLOW)

    state = await turns(world, 60)
    assert state.percent == 50
    assert "gate board: unreachable" in state.reason


async def test_a_gate_of_steps_is_asked_for_each_share_also_for_the_last_one(world):
    await world.commands.apply(with_strategy(gates=(Gate("step", WHERE, GatePoint.STEP),)))
    await world.deploy(YELLOW)

    percents = [facts.facts["percent"] for _, facts in world.gates.asked]
    assert sorted(set(percents)) == [10, 50]


async def test_a_closed_gate_of_steps_keeps_the_new_revision_from_all_users(world):
    await world.commands.apply(with_strategy(gates=(Gate("step", WHERE, GatePoint.STEP),)))
    await world.deployments.deploy(APP, YELLOW)
    for _ in range(60):
        await world.turn()
        if (await world.rollout()).state.percent == 50:
            world.gates.states["step"] = GateState.CLOSED
    state = (await world.rollout()).state

    assert state.percent == 50
    assert "gate step: closed" in state.reason


async def test_hooks_are_called_once_each_in_the_order_of_phases(world):
    hooks = tuple(
        Hook(f"{moment.value}-{phase.value}", moment, phase, WHERE)
        for phase in (HookPhase.INSTALLING, HookPhase.PROGRESSING, HookPhase.PROMOTING)
        for moment in Moment
    )
    await world.commands.apply(with_strategy(hooks=hooks))
    await world.deploy(YELLOW)
    await turns(world, 10)

    names = [name for name, _ in world.gates.asked]
    assert sorted(names) == sorted(each.name for each in hooks)
    assert names.index("before-progressing") < names.index("before-promoting")
    assert names[-1] == "after-promoting"


async def test_a_hook_that_fails_takes_users_back_when_it_is_told_to(world):
    hook = Hook("smoke", Moment.BEFORE, HookPhase.PROMOTING, WHERE, OnFailure.ROLL_BACK)
    await world.commands.apply(with_strategy(hooks=(hook,)))
    world.gates.states["smoke"] = GateState.CLOSED
    ended = await world.deploy(YELLOW)

    assert ended.state.outcome is Outcome.ROLLED_BACK
    assert "hook `smoke`" in ended.state.reason


async def test_no_users_rise_within_a_freeze_window_but_they_may_go_back(world):
    await world.commands.apply(with_strategy(freeze=(FreezeWindow("always", "* * * * *", 3600.0),)))
    await world.deployments.deploy(APP, YELLOW)

    state = await turns(world)
    assert state.percent == 0
    assert "frozen by `always`" in state.reason


async def test_a_swap_back_asks_nobody(world):
    await world.deploy(YELLOW)
    await world.commands.apply(with_strategy(gates=(Gate("board", WHERE),)))
    world.gates.states["board"] = GateState.CLOSED
    await world.deployments.undo(APP, None)

    assert (await world.until_ended()).state.outcome is Outcome.SUCCEEDED
    assert world.gates.asked == []
