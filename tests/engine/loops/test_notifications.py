"""Messages about rollouts arrive, in order, at least once, and hold nobody up."""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace

import pytest

from crossfade.adapters.store.sql import SqlStore
from crossfade.base.clock import SteadyClock
from crossfade.base.errors import Conflict, CrossfadeError, Denied, InputError, Unavailable
from crossfade.base.secrets import SecretRef
from crossfade.core.analysis.spec import Analysis
from crossfade.core.rollout.commands import Command
from crossfade.core.rollout.freeze import FreezeWindow
from crossfade.core.rollout.gates import (
    Endpoint,
    Gate,
    GatePoint,
    GateState,
    Hook,
    HookPhase,
    Moment,
)
from crossfade.core.rollout.notifications import Notification, Occasion, SlackChannel
from crossfade.core.rollout.spec import Approval, Pause, SetWeight, Strategy
from crossfade.engine.loops.keyed import KeyedLoop
from crossfade.engine.loops.notifications import DELIVERY, DISPATCH, Notifications
from crossfade.engine.notified import notified
from crossfade.engine.records import Records
from crossfade.ports.documents import Event
from crossfade.testing.builders import APP, application
from crossfade.testing.clock import FakeClock
from crossfade.testing.engine_hub import KillingDocuments
from crossfade.testing.engine_world import EngineWorld
from crossfade.testing.fake_cluster import HubKilled
from crossfade.testing.fake_notifier import FakeNotifier
from crossfade.testing.fake_store import FakeStore

TEAM, BOSS = SlackChannel(SecretRef("team-url")), SlackChannel(SecretRef("boss-url"))
ALL = Notification("team", TEAM, tuple(Occasion), "{{percent}}")
LAST = Notification("boss", BOSS, (Occasion.SUCCEEDED, Occasion.ROLLED_BACK))


@dataclass
class World:
    """A store with a history, channels, and hubs that can be killed."""

    store: FakeStore = field(default_factory=FakeStore)
    clock: FakeClock = field(default_factory=FakeClock)
    notifier: FakeNotifier = field(default_factory=FakeNotifier)
    subscriptions: dict[str, tuple[Notification, ...]] = field(
        default_factory=lambda: {APP: (ALL, LAST)}
    )

    def hub(self, documents=None) -> Notifications:
        """Return the loop of a new hub, that remembers only what is stored."""
        documents = documents or KillingDocuments(self.store)

        async def subscribed(name):
            return self.subscriptions.get(name, ())

        return Notifications(Records(documents), documents, self.notifier, subscribed, self.clock)

    async def happen(self, percent, outcome="", application=APP):
        """Add a step of a rollout to the history."""
        facts = {
            "phase": "progressing",
            "from_phase": "progressing",
            "percent": percent,
            "from_percent": -1,
            "outcome": outcome,
        }
        event = Event(f"rollout/{application}.000001", self.clock.now(), "why", facts)
        await self.store.commit((), (event,))

    async def waiting(self):
        return [each.name for each in await self.store.list(DELIVERY)]


async def turns(loop, count=30):
    """Let the loop look at every key, as it does, until nothing is due."""
    for _ in range(count):
        for key in await loop.keys():
            with suppress(CrossfadeError):
                await loop.reconcile(key)


def titles(world, channel):
    return [message.title for to, message in world.notifier.sent if to == channel]


@pytest.fixture
async def world():
    made = World()
    await made.hub().reconcile(DISPATCH)
    return made


async def test_each_channel_is_told_what_it_wants_to_know_in_order(world):
    for percent in (5, 20, 50):
        await world.happen(percent)
    await world.happen(100, "succeeded")
    await turns(world.hub())
    assert titles(world, TEAM) == ["5", "20", "50", "100"]
    assert titles(world, BOSS) == ["colors: all users have "]
    assert await world.waiting() == []


async def test_a_real_rollout_is_told_from_its_beginning_to_its_end():
    engine = EngineWorld()
    await engine.prepare()
    world = World(engine.store, engine.clock)
    await world.hub().reconcile(DISPATCH)
    await engine.deploy({"colour": "green"})
    await engine.deploy({"colour": "yellow"})
    await turns(world.hub())
    told = [message.occasion for to, message in world.notifier.sent if to == TEAM]
    assert told.count(Occasion.STARTED) == 2
    assert told[-1] is Occasion.SUCCEEDED
    assert Occasion.STEP in told
    assert len(told) < 20


async def test_a_rollout_that_somebody_pauses_is_told_as_held_once():
    engine = EngineWorld()
    await engine.prepare()
    world = World(engine.store, engine.clock)
    await engine.deploy({"colour": "green"})
    await world.hub().reconcile(DISPATCH)
    await engine.deployments.deploy(APP, {"colour": "yellow"})
    await engine.turn()
    await engine.commands.change(APP, Command.PAUSE)
    for _ in range(20):
        await engine.turn()
    await turns(world.hub())
    told = [message.occasion for to, message in world.notifier.sent if to == TEAM]
    assert told.count(Occasion.HELD) == 1
    assert Occasion.COMMAND in told


HELD = {
    "a-pause-until-promoted": (Strategy((SetWeight(10), Pause())), {}),
    "an-approval": (Strategy((SetWeight(10), Approval("by qa"))), {}),
    "a-closed-gate": (
        Strategy(
            (SetWeight(10),), gates=(Gate("board", Endpoint("http://x"), GatePoint.PROMOTION),)
        ),
        {"board": GateState.CLOSED},
    ),
    "a-failed-hook": (
        Strategy(
            (SetWeight(10),),
            hooks=(Hook("smoke", Moment.BEFORE, HookPhase.PROMOTING, Endpoint("http://x")),),
        ),
        {"smoke": GateState.UNREACHABLE},
    ),
    "a-freeze": (
        Strategy((SetWeight(10), Pause(2.0)), freeze=(FreezeWindow("always", "* * * * *", 3600),)),
        {},
    ),
}


@pytest.mark.parametrize("why", HELD)
async def test_what_waits_for_a_person_or_a_gate_is_told_once_as_held(why):
    strategy, states = HELD[why]
    engine = EngineWorld()
    await engine.prepare(replace(application(), analysis=Analysis(judge=None)))
    await engine.deploy({"colour": "green"})
    world = World(engine.store, engine.clock)
    await world.hub().reconcile(DISPATCH)
    engine.gates.states = states
    await engine.commands.apply(
        replace(application(), strategy=strategy, analysis=Analysis(judge=None))
    )
    await engine.deployments.deploy(APP, {"colour": "yellow"})
    for _ in range(60):
        await engine.turn()
    await turns(world.hub(), 60)
    assert (await engine.rollout()).active
    told = [message for _, message in world.notifier.sent if message.occasion is Occasion.HELD]
    assert len(told) == 1, [each.text for each in told]


async def test_a_rollout_that_goes_on_by_itself_is_never_told_as_held():
    engine = EngineWorld()
    gate = Gate("board", Endpoint("http://x"), GatePoint.STEP)
    strategy = Strategy((SetWeight(10), Pause(2.0), SetWeight(50), Pause(2.0)), gates=(gate,))
    await engine.prepare(replace(application(), strategy=strategy))
    world = World(engine.store, engine.clock)
    await engine.deploy({"colour": "green"})
    await world.hub().reconcile(DISPATCH)
    await engine.deploy({"colour": "yellow"})
    await turns(world.hub(), 60)
    assert Occasion.HELD not in [message.occasion for _, message in world.notifier.sent]


async def test_what_happened_before_anybody_asked_is_told_to_nobody():
    world = World()
    for percent in range(1200):
        await world.happen(percent)
    world.clock.advance(3600.0)
    loop = world.hub()
    await loop.reconcile(DISPATCH)
    await turns(loop, 3)
    assert world.notifier.sent == []
    await world.happen(7)
    await turns(loop, 3)
    assert titles(world, TEAM) == ["7"]


async def test_a_rollout_that_began_just_before_the_first_hub_is_told_of():
    world = World()
    await world.happen(1)
    world.clock.advance(3600.0)
    await world.happen(5)
    world.clock.advance(10.0)
    await turns(world.hub(), 3)
    assert titles(world, TEAM) == ["5"]


async def test_applications_and_things_that_nobody_asked_about_are_passed_over(world):
    await world.happen(5, application="other")
    await world.store.commit(
        (), (Event("cluster/aws", 1.0, "lost", {}), Event("rollout/x", 1.0, "", {}))
    )
    await turns(world.hub(), 3)
    assert world.notifier.sent == []


async def test_a_channel_that_is_down_gets_everything_later_and_delays_no_other(world):
    world.notifier.failing = [(TEAM, Unavailable("down", hint="wait"))]
    await world.happen(5)
    await world.happen(100, "succeeded")
    loop = world.hub()
    await turns(loop, 3)
    assert titles(world, TEAM) == []
    assert len(titles(world, BOSS)) == 1
    world.notifier.failing = []
    world.clock.advance(3.0)
    await turns(loop, 5)
    assert titles(world, TEAM) == ["5", "100"]


async def test_a_channel_that_is_down_is_asked_less_and_less_often(world):
    world.notifier.failing = [(TEAM, Denied("no", hint="log in"))]
    await world.happen(5)
    loop = world.hub()
    for _ in range(600):
        await turns(loop, 1)
        world.clock.advance(1.0)
    assert 8 <= world.notifier.attempts <= 10


async def test_a_message_that_is_refused_for_good_is_dropped_and_the_history_says_so(world):
    world.notifier.failing = [(TEAM, InputError("channel_is_archived", hint="choose another"))]
    await world.happen(5)
    loop = world.hub()
    await turns(loop, 4)
    assert await world.waiting() == []
    (event,) = await world.store.events("notification/colors/team")
    assert event.reason == "`5` was not delivered: channel_is_archived"
    assert world.notifier.attempts == 1


async def test_a_message_that_never_gets_through_is_given_up_after_a_day(world):
    world.notifier.failing = [(TEAM, Unavailable("down", hint="wait"))]
    await world.happen(5)
    loop = world.hub()
    await turns(loop, 2)
    world.clock.advance(2 * 86400.0)
    await turns(loop, 2)
    assert await world.waiting() == []
    (event,) = await world.store.events("notification/colors/team")
    assert "for a day" in event.reason


async def test_a_notifier_that_hangs_is_left_after_its_deadline(world, monkeypatch):
    monkeypatch.setattr("crossfade.engine.loops.notifications.SEND_SECONDS", 0.05)

    async def hang(*_):
        await asyncio.sleep(60)

    await world.happen(5)
    loop = world.hub()
    monkeypatch.setattr(FakeNotifier, "send", hang)
    await loop.reconcile(DISPATCH)
    assert await loop.reconcile("colors/team") == pytest.approx(2.0)


async def test_channels_that_are_taken_away_still_get_what_was_meant_for_them(world):
    await world.happen(5)
    loop = world.hub()
    await loop.reconcile(DISPATCH)
    world.subscriptions = {}
    await world.happen(20)
    await turns(loop, 3)
    assert titles(world, TEAM) == ["5"]


async def test_the_place_in_the_history_is_saved_now_and_then_though_nobody_is_told(world):
    loop = world.hub()
    commits = loop.documents.commits
    for percent in range(600):
        await world.happen(percent, application="other")
    await turns(loop, 3)
    assert loop.documents.commits == commits + 1


@pytest.mark.parametrize("moment", ["kill_before", "kill_after"])
@pytest.mark.parametrize("commit", range(1, 8))
async def test_a_crash_anywhere_loses_no_message_and_doubles_carry_one_key(world, moment, commit):
    for percent in (5, 20):
        await world.happen(percent)
    await world.happen(100, "succeeded")
    dying = KillingDocuments(world.store, **{moment: commit})
    with suppress(HubKilled):
        await turns(world.hub(dying), 4)
    await turns(world.hub())
    unique = list(dict.fromkeys(world.notifier.keys))
    assert sorted(unique) == ["colors/boss/3", "colors/team/1", "colors/team/2", "colors/team/3"]
    assert len(world.notifier.keys) <= 5  # at most the one that the crash was in
    in_order = [key for key in unique if "/team/" in key]
    assert in_order == sorted(in_order)
    assert await world.waiting() == []


async def test_two_hubs_never_dispatch_one_event_twice(world):
    await world.happen(5)
    one, two = world.hub(), world.hub()
    events = await world.store.events()
    assert events
    await one.reconcile(DISPATCH)
    with suppress(Conflict):
        await two.reconcile(DISPATCH)
    assert len(await world.waiting()) == 1


async def test_in_a_running_hub_a_message_arrives_at_once(tmp_path, until):
    store = await SqlStore.open(f"sqlite:///{tmp_path}/crossfade.db")
    world = World(store, SteadyClock())
    loop = world.hub(store)
    keyed = KeyedLoop("notifications", loop.keys, loop.reconcile)
    loop.records.on_commit = lambda _, changed: [
        keyed.poke() for kind, _name in changed if kind == DELIVERY
    ]
    await loop.reconcile(DISPATCH)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(keyed.run())
        await world.happen(5)
        start = time.monotonic()

        async def arrived():
            return titles(world, TEAM) == ["5"] and await world.waiting() == []

        await until(arrived)
        assert time.monotonic() - start < 4
        running.cancel()
    await store.close()


async def test_what_became_of_the_messages_of_each_channel_is_remembered(world):
    spec = replace(application(), notifications=(ALL, LAST))
    archived = InputError("the channel is archived", hint="give another one")
    world.notifier.failing = [(BOSS, archived)]
    await world.happen(100, "succeeded")
    await turns(world.hub(), 4)

    team, boss = await notified(world.store, spec)
    assert team.last.sent_at is not None
    assert team.last.sent == "100"
    assert (team.waiting, team.error) == (0, "")
    assert boss.last.sent_at is None
    assert "the channel is archived" in boss.last.lost


async def test_a_message_that_waits_says_why_and_when_it_is_tried_again(world):
    spec = replace(application(), notifications=(ALL, LAST))
    world.notifier.failing = [(TEAM, Unavailable("no answer", hint="wait"))]
    await world.happen(10)
    await turns(world.hub(), 4)

    team, _ = await notified(world.store, spec)
    assert (team.waiting, team.attempts) == (1, 1)
    assert "no answer" in team.error
    assert team.next_at is not None
