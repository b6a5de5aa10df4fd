"""The history does not grow without end, and what people have done is never forgotten."""

import pytest

from crossfade.core.analysis.spec import Analysis, Judge
from crossfade.core.rollout import retention as rules
from crossfade.core.rollout.commands import Command
from crossfade.core.rollout.retention import KEEP_SECONDS
from crossfade.core.rollout.spec import Pause, SetWeight
from crossfade.engine.history import History
from crossfade.engine.loops import retention
from crossfade.engine.loops.retention import GO_ON_SECONDS, KEY, LOOK_SECONDS, Retention
from crossfade.ports.documents import Event
from crossfade.testing.builders import APP, application

JUDGE = Judge(window_seconds=1.0, min_requests=20, min_seconds=20.0)


@pytest.fixture
async def past(world, turn_until):
    """Three rollouts that are over, and one under way; all of them were judged."""
    steps = SetWeight(10), Pause(3_000_000.0)
    await world.commands.apply(application(*steps, analysis=Analysis(JUDGE)))
    for colour in ("yellow", "green"):
        await world.deployments.deploy(APP, {"colour": colour})
        for _ in range(3):
            await world.turn()
        await world.commands.change(APP, Command.PROMOTE_FULL)
        await world.until_ended()
    await world.deployments.deploy(APP, {"colour": "red"})
    await turn_until(world, lambda each: each.state.percent == 10)
    for _ in range(20):
        await world.turn()
    assert (await world.store.event_counts())[f"evidence/{APP}.000004"]
    return world


def loop(world):
    return Retention(world.hub.records, world.store, world.clock, 0)


async def subjects(world, kind):
    counts = await world.store.event_counts()
    return {each: count for each, count in counts.items() if each.startswith(f"{kind}/")}


async def test_details_of_old_rollouts_go_and_what_people_did_stays(past):
    before = await past.store.event_counts()
    past.clock.advance(KEEP_SECONDS + 10_000)
    assert await loop(past).reconcile(KEY) == LOOK_SECONDS

    first, second, running = (f"{APP}.00000{number}" for number in (1, 2, 4))
    after = await past.store.event_counts()
    assert f"evidence/{second}" in before
    for name in (first, second):
        told = await past.store.events(f"rollout/{name}")
        assert told, "commands are there"
        assert not any("decision" in each.facts for each in told)
        assert f"evidence/{name}" not in after
        assert await past.store.get("evidence", name) is None
        assert await past.store.get("rollout", name) is not None, "it is still listed"
    for subject in (f"rollout/{running}", f"evidence/{running}", f"application/{APP}"):
        assert after[subject] == before[subject], "a rollout under way is left alone"


async def test_a_rollout_whose_details_have_gone_still_has_its_story(past):
    past.clock.advance(KEEP_SECONDS + 10_000)
    await loop(past).reconcile(KEY)
    story = await History(past.queries).story(APP, 2, again=True)

    assert {each.kind for each in story.chapters} == {"command"}
    assert story.different == ()


async def test_young_rollouts_keep_everything(past):
    past.clock.advance(KEEP_SECONDS / 2)
    before = await past.store.event_counts()
    await loop(past).reconcile(KEY)

    assert await past.store.event_counts() == before


async def test_too_many_events_are_made_fewer_at_once_but_not_under_a_running_rollout(
    past, monkeypatch
):
    past.clock.advance(rules.FRESH_SECONDS + 100)
    monkeypatch.setattr(rules, "MOST_EVENTS", 0)
    before = await subjects(past, "evidence")
    await loop(past).reconcile(KEY)

    running = f"evidence/{APP}.000004"
    assert await subjects(past, "evidence") == {running: before[running]}


async def test_very_many_rollouts_are_forgotten_in_parts(past, monkeypatch):
    monkeypatch.setattr(retention, "_ROLLOUTS_AT_ONCE", 1)
    past.clock.advance(KEEP_SECONDS + 10_000)
    looks = loop(past)
    pauses = [await looks.reconcile(KEY) for _ in range(3)]

    assert pauses == [GO_ON_SECONDS, GO_ON_SECONDS, LOOK_SECONDS]


async def test_what_was_forgotten_is_not_looked_at_again_each_hour(past, monkeypatch):
    past.clock.advance(KEEP_SECONDS + 10_000)
    looks = loop(past)
    await looks.reconcile(KEY)
    monkeypatch.setattr(Retention, "_forget", None)  # would be called, and fail

    assert await looks.reconcile(KEY) == LOOK_SECONDS


async def test_old_plans_of_the_edges_go_and_the_newest_stay(past):
    now = past.clock.now()
    for at in (now - KEEP_SECONDS - 5, now - KEEP_SECONDS - 1, now):
        await past.store.commit((), (Event("edge-plan/current", at, str(at), {}),))
    past.clock.advance(KEEP_SECONDS / 2)
    await loop(past).reconcile(KEY)
    left = [each.at for each in await past.store.events("edge-plan/current")]

    assert now in left
    assert min(left) > past.clock.now() - KEEP_SECONDS
