"""Each promise that stories are held to is really looked at: code that breaks it is found out."""

import copy
from dataclasses import replace

import pytest

from crossfade.base.errors import Unavailable
from crossfade.core.release.converge import Uninstall
from crossfade.core.rollout import back, decide
from crossfade.core.rollout.bars import Bars
from crossfade.core.rollout.commands import Command
from crossfade.core.rollout.state import Decision, Outcome, Phase
from crossfade.engine.loops import convergence
from crossfade.engine.loops.rollouts import Rollouts
from crossfade.testing.builders import APP
from crossfade.testing.fake_store import FakeStore
from crossfade.testing.histories import Mishap, Moment, Story, begin, tell
from crossfade.testing.promises import Broken, Promises

CALM = Story(0, bad=False, moments=())
BAD = Story(0, bad=True, moments=())


@pytest.fixture
async def begun():
    return await begin()


async def broken(told, begun):
    with pytest.raises(Broken) as found:
        await tell(told, begun)
    return found.value.number


async def test_rule_1_finds_users_that_nobody_asked_for(begun, monkeypatch):
    right = convergence.wanted_route

    def too_many(record, cluster):
        route = right(record, cluster)
        if len(route.backends) < 2:
            return route
        shares = zip(route.backends, (40.0, 60.0), strict=True)
        return replace(route, backends=tuple(replace(b, percent=p) for b, p in shares))

    monkeypatch.setattr(convergence, "wanted_route", too_many)
    assert await broken(CALM, begun) == 1


async def test_rule_2_finds_a_revision_that_was_removed_under_its_users(begun, monkeypatch):
    stable = next(iter(begun.clusters["aws"].shares(APP)))
    monkeypatch.setattr(convergence, "next_act", lambda *_: Uninstall(stable))
    assert await broken(CALM, begun) == 2


async def test_rule_4_finds_users_that_rise_on_silence(begun, monkeypatch):
    monkeypatch.setattr(decide, "bars", lambda *_: Bars())
    quiet = Story(0, bad=False, moments=(Moment(0, Mishap.QUIET, 0, 1),))
    assert await broken(quiet, begun) == 4


async def test_rule_5_finds_users_on_a_cluster_that_is_behind(begun):
    world = copy.deepcopy(begun)
    world.start_hub()
    await world.deployments.deploy(APP, {"colour": "yellow"})
    promises = await Promises.of(world)
    for _ in range(4):
        await world.turn()
    cluster = world.clusters["gcp"]
    cluster.served = {key: replace(each, epoch=0) for key, each in cluster.served.items()}
    await promises.check(world)
    world.clock.advance(11.0)

    with pytest.raises(Broken, match="rule 5"):
        await promises.check(world)


async def test_rule_6_finds_a_revision_that_was_not_drained(begun, monkeypatch):
    right = convergence.next_act

    def at_once(wanted, seen, held, _drain_seconds, now):
        return right(wanted, seen, held, 0.0, now)

    monkeypatch.setattr(convergence, "next_act", at_once)
    assert await broken(BAD, begun) == 6


async def test_rule_7_finds_a_success_that_is_none(begun, monkeypatch):
    def over(rollout, _sight, _now):
        want = replace(rollout.state, phase=Phase.ENDED, outcome=Outcome.ROLLED_BACK)
        return Decision(want, "rolled back 3/3")

    monkeypatch.setattr(decide, "roll_back", over)
    moments = (Moment(9, Mishap.LATE, 1, 1), Moment(10, Mishap.ABORT, 0, 1))
    late = Story(0, bad=False, moments=moments)
    assert await broken(late, begun) == 7


async def test_rule_8_finds_a_rollout_that_never_ends(begun, monkeypatch):
    async def nothing(*_):
        raise Unavailable("no answer", hint="wait")

    monkeypatch.setattr(Rollouts, "reconcile", nothing)
    assert await broken(CALM, begun) == 8


async def test_rule_9_finds_a_hub_that_writes_after_it_was_replaced(begun, monkeypatch):
    right = FakeStore.commit

    async def unfenced(store, changes, events=(), _fence=0):
        return await right(store, changes, events)

    monkeypatch.setattr(FakeStore, "commit", unfenced)
    replaced = Story(0, bad=False, moments=(Moment(3, Mishap.REPLACE, 0, 1),))
    assert await broken(replaced, begun) == 9


async def test_rule_10_finds_users_who_were_moved_onto_a_broken_stable(begun, monkeypatch):
    monkeypatch.setattr(back, "broken_stable", lambda *_: [])
    world = copy.deepcopy(begun)
    world.start_hub()
    await world.deployments.deploy(APP, {"colour": "yellow"})
    promises = await Promises.of(world)
    while (await world.rollout()).state.percent == 0:
        await world.turn()
        await promises.check(world)
    for cluster in world.clusters.values():
        cluster.stop_pods(promises.stable)
    for _ in range(2):
        await world.turn()
        await promises.check(world)
    await world.commands.change(APP, Command.ABORT)
    promises.asked_by_person(Command.ABORT)
    await world.turn()

    with pytest.raises(Broken, match="rule 10"):
        await promises.check(world)
