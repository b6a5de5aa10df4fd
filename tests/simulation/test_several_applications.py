"""Applications that share clusters: one's trouble is not another's, and who matters more has room."""

from dataclasses import replace

import pytest

from crossfade.core.rollout.state import Outcome, Rollout
from crossfade.engine.records import ROLLOUT, rollout_name
from crossfade.testing.builders import APP
from crossfade.testing.histories import BANK, SHOP, Moment, Story, moments, story, tell
from crossfade.testing.interleavings import interleave
from crossfade.testing.mishaps import Mishap

ALL_TROUBLE = tuple(
    Moment(*each, 0)  # of the first application
    for each in (
        (6, Mishap.PAUSE, 0),
        (10, Mishap.RESUME, 0),
        (12, Mishap.BREAK, 0),
        (13, Mishap.BREAK, 1),
        (20, Mishap.QUIET, 0),
        (40, Mishap.ABORT, 0),
    )
)


def rollout(telling, name, number=2):
    world = telling.world
    return telling.promises.onlooker.see(world.store, ROLLOUT, rollout_name(name, number), Rollout)


def ends(told):
    """Return after how many turns the rollout of the shop ended, and how."""
    for turn, telling in enumerate(moments(told)):
        found = rollout(telling, SHOP.name)
        if not found.active:
            return turn, found.state.outcome
    raise AssertionError("it never ends")


@pytest.mark.parametrize("bad", [True, False])
def test_trouble_of_one_application_neither_stops_nor_slows_the_rollout_of_another(bad):
    calm = Story(0, bad=False, moments=(), beside=(SHOP,), deploying=(SHOP.name,))
    alone, outcome = ends(calm)

    turns, found = ends(replace(calm, bad=bad, moments=ALL_TROUBLE))

    assert outcome is found is Outcome.SUCCEEDED
    assert turns <= alone + 2


def test_while_another_one_only_serves_its_users_stay_where_they_are():
    told = Story(0, bad=True, moments=(), beside=(SHOP, BANK))
    plans = set()
    for telling in moments(told):
        users = telling.promises.fleet.users
        plans |= {(name, str(each.parts)) for name, each in users.items() if name != APP}

    assert len(plans) == 2, plans


def test_after_a_loss_less_important_users_are_turned_away_first_and_all_are_back_in_the_end():
    room = (150, 150, 150)
    lost = (Moment(10, Mishap.LOSE, 0, 0),)
    told = Story(0, bad=False, moments=lost, edges=2, capacities=room, beside=(SHOP, BANK))
    shed = dict.fromkeys((APP, SHOP.name, BANK.name), 0)
    for telling in moments(told):
        for name, each in telling.promises.fleet.users.items():
            shed[name] = max(shed[name], each.shed)

    assert shed[SHOP.name] == 10_000
    assert 0 < shed[APP] < 4000
    assert shed[BANK.name] == 0


@pytest.mark.timeout(120)
@pytest.mark.parametrize("seed", [105, 183, 220, 223])
def test_no_story_of_several_applications_breaks_a_promise(seed):
    """Those in which one did, once."""
    assert story(seed).beside
    tell(story(seed))


@pytest.mark.timeout(120)
def test_no_order_of_operations_breaks_a_promise_of_several_applications():
    for turn, telling in enumerate(moments(story(3017))):
        if turn % 5 == 0:
            interleave(telling, f"3017.{turn}.0")
