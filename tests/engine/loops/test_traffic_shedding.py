"""What does not fit on healthy clusters is turned away by the edges: told, counted, and ended."""

from dataclasses import replace

import pytest

from crossfade.core.application import Placement
from crossfade.core.traffic.priorities import Priority
from crossfade.core.traffic.split import HeaderMatch
from crossfade.testing.builders import APP, application
from crossfade.testing.engine_world import EngineWorld

GOLD = Priority("gold", (HeaderMatch("x-plan", "gold"),))
PODS = 3
"""What a chart of the fake cluster runs."""


SECONDS_TO_NOTICE = 5.0


@pytest.fixture
async def world():
    """Three clusters that carry 150 requests a second each, and 300 users a second."""
    made, spec = EngineWorld(), application()
    spec = replace(spec, placement=Placement(pod_capacity=50))
    await made.prepare(replace(spec, route=replace(spec.route, priorities=(GOLD,))))
    await made.deploy({"colour": "blue"})
    made.classes["gold"] = 0.25
    await turns(made, 30)
    return made


async def turns(world, count):
    for _ in range(count):
        await world.turn()


def lose(world, *names, lost=True):
    for name in names:
        world.clusters[name].faults.unreachable = world.clusters[name].faults.gateway_down = lost


def classes(world):
    return {
        each.priority.name: each.turned_away for each in world.edges.plans[-1].routes[0].classes
    }


async def users(world):
    return (await world.queries.records.users())[APP].value


async def test_nobody_is_turned_away_while_everybody_fits(world):
    assert classes(world) == {"gold": 0, "others": 0}
    assert (await users(world)).shedding is None


async def test_after_two_losses_the_lower_class_loses_what_does_not_fit(world):
    lose(world, "aws", "gcp")
    await turns(world, 140)
    now = await users(world)

    # 300 are asked for, a quarter of them by gold; 150 fit.
    assert classes(world)["gold"] == 0
    assert classes(world)["others"] == pytest.approx(6667, abs=150)
    assert now.shed == pytest.approx(5000, abs=100)
    assert now.shedding.turned_away > 1000


async def test_users_of_two_clouds_that_die_at_once_do_not_wait_for_the_hub_to_take_out_both(world):
    """It takes out one a minute; edges leave both at once, and the third cannot carry all."""
    lose(world, "aws", "gcp")
    await turns(world, round(2 * SECONDS_TO_NOTICE) + 10)

    assert (await users(world)).shed == pytest.approx(5000, abs=100)


async def test_people_read_when_it_began_and_when_it_ended_and_how_many_it_were(world):
    lose(world, "aws", "gcp")
    await turns(world, 140)
    lose(world, "aws", "gcp", lost=False)
    await turns(world, 200)

    assert (await users(world)).shedding is None
    assert classes(world) == {"gold": 0, "others": 0}
    begun, ended = [each.reason for each in await world.store.events(f"users/{APP}")]
    assert begun.startswith("colors turns away ")
    assert "turns nobody away any more" in ended


async def test_a_hub_that_starts_lets_nobody_in_whom_nobody_can_carry(world):
    """It has counted nobody yet; capacity is short all the same."""
    lose(world, "aws", "gcp")
    await turns(world, 140)
    before = classes(world)
    world.start_hub()
    await turns(world, 1)

    assert classes(world) == before


async def test_an_application_without_classes_turns_away_everybody_alike():
    world = EngineWorld()
    await world.prepare(replace(application(), placement=Placement(pod_capacity=50)))
    await world.deploy({"colour": "blue"})
    await turns(world, 30)
    assert classes(world) == {}
    lose(world, "aws", "gcp")
    await turns(world, 140)

    assert classes(world) == {"everybody": pytest.approx(5000, abs=150)}
