"""Streams lose nothing over reconnects, show nobody else's, and end when they should."""

import random

import pytest

from crossfade.api import streams
from crossfade.api.streams import may_see, stream
from crossfade.base.errors import NotSignedIn
from crossfade.core.access.roles import Grant, Identity, Role
from crossfade.engine.accounts import Caller
from crossfade.engine.feed import Feed
from crossfade.ports.documents import Event
from crossfade.testing.fake_store import FakeStore

ALL = Caller(Identity("ann", (Grant(Role.ADMIN),)), "page", "c")
COLORS = Caller(Identity("bob", (Grant(Role.ADMIN, "colors"),)), "page", "c")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(streams, "TICK_SECONDS", 0.001)


async def happen(store, subject="rollout/colors.000001"):
    await store.commit((), (Event(subject, 1.0, "x", {}),))


async def same():
    return ALL


def ids(text):
    blocks = [each for each in text.split("\n\n") if "event: line" in each]
    return [int(each.split("\n")[0].removeprefix("id: ")) for each in blocks]


@pytest.mark.parametrize("seed", range(20))
async def test_no_event_is_lost_or_sent_twice_however_often_the_reader_is_cut_off(seed):
    chance = random.Random(seed)  # noqa: S311 - makes the same test each time
    store = FakeStore()
    feed = Feed(store)
    await feed.begin()
    seen, cursor = [], 0
    for _ in range(15):
        for _ in range(chance.randrange(4)):
            await happen(store)
        await feed.look()
        reader = stream(feed, same, ALL, cursor)
        for _ in range(chance.randrange(1, 3)):
            seen += ids(await anext(reader))
        await reader.aclose()
        cursor = seen[-1] if seen else 0
    reader = stream(feed, same, ALL, cursor)
    while len(seen) < feed.newest:
        seen += ids(await anext(reader))
    await reader.aclose()

    assert seen == list(range(1, feed.newest + 1))
    assert feed.watchers == 0


async def test_a_stream_has_nothing_of_what_its_reader_may_not_see():
    store = FakeStore()
    for subject in ("rollout/shapes.000001", "rollout/colors.000001", "audit/log", "token/1"):
        await happen(store, subject)
    feed = Feed(store)
    await feed.begin()
    reader = stream(feed, same, COLORS, 0)
    text = "".join([await anext(reader) for _ in range(3)])

    assert ids(text) == [2]
    assert "id: 4\nevent: tick" in text
    await reader.aclose()


async def test_a_stream_ends_when_its_reader_no_longer_counts(monkeypatch):
    monkeypatch.setattr(streams, "SILENCE_SECONDS", 0.002)
    feed = Feed(FakeStore())
    await feed.begin()

    async def over():
        raise NotSignedIn("over", hint="sign in")

    assert len([part async for part in stream(feed, over, ALL, 0)]) == 2


async def test_a_stream_ends_at_once_when_access_changes():
    store = FakeStore()
    feed = Feed(store)
    await feed.begin()
    asked = []

    async def over():
        asked.append(1)
        raise NotSignedIn("over", hint="sign in")

    reader = stream(feed, over, ALL, 0)
    parts = [await anext(reader), await anext(reader)]
    await happen(store, "account/ann")
    await happen(store)
    await feed.look()
    parts += [part async for part in reader]

    assert ids("".join(parts)) == [], "told what has happened since"
    assert asked == [1]


async def test_streams_end_with_the_hub():
    feed = Feed(FakeStore())
    await feed.begin()
    reader = stream(feed, same, ALL, 0)
    await anext(reader)
    feed.close()

    assert [part async for part in reader] == []


@pytest.mark.parametrize(
    ("subject", "seen"),
    [
        ("application/colors", True),
        ("application/shapes", False),
        ("dns/colors", True),
        ("rollout/colors.000001", True),
        ("rollout/shapes.000001", False),
        ("evidence/colors.000001", True),
        ("run/colors.000001/errors@0-1", True),
        ("gate/shapes.000001/g", False),
        ("report/colors@aws", True),
        ("report/shapes@aws", False),
        ("cluster/aws", True),
        ("edge-plan/current", False),
        ("audit/log", False),
        ("account/admin", False),
        ("something/new", False),
    ],
)
def test_who_has_rights_on_one_application_sees_its_events(subject, seen):
    assert may_see(COLORS.identity, subject) is seen
