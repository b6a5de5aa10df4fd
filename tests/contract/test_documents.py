"""What every store of documents does, for commands and for the loops of the hub."""

import asyncio

import pytest

from crossfade.base.errors import Conflict
from crossfade.engine.cached_documents import CachedDocuments
from crossfade.ports.documents import Document, Event, Remove, Save

COLORS = Save("application", "colors", 0, {"host": "colors.example.com", "steps": [10, 50]})


def event(subject: str, reason: str = "because") -> Event:
    return Event(subject, 12.5, reason, {"percent": 10})


async def test_what_was_saved_is_read_back(store):
    await store.commit((COLORS,))

    assert await store.get("application", "colors") == Document(
        "application", "colors", 1, COLORS.body
    )


async def test_nothing_is_found_where_nothing_was_saved(store):
    await store.commit((COLORS,))

    assert await store.get("application", "shapes") is None
    assert await store.get("rollout", "colors") is None
    assert await store.list("rollout") == ()


async def test_a_list_has_the_documents_of_one_kind_by_name(store):
    names = ["b", "a-2", "A", "ä", "a"]
    await store.commit(tuple(Save("cluster", name, 0, {}) for name in names))
    await store.commit((Save("application", "c", 0, {}),))

    assert [document.name for document in await store.list("cluster")] == sorted(names)


async def test_each_save_raises_the_version_by_one(store):
    await store.commit((COLORS,))
    await store.commit((Save("application", "colors", 1, {"n": 2}),))

    assert await store.get("application", "colors") == Document(
        "application", "colors", 2, {"n": 2}
    )


@pytest.mark.parametrize(
    "stale",
    [
        pytest.param(Save("application", "colors", 0, {}), id="exists-already"),
        pytest.param(Save("application", "colors", 1, {}), id="was-changed-since"),
        pytest.param(Save("application", "colors", 3, {}), id="not-yet"),
        pytest.param(Save("application", "shapes", 1, {}), id="does-not-exist"),
        pytest.param(Remove("application", "colors", 1), id="remove-changed-since"),
        pytest.param(Remove("application", "shapes", 1), id="remove-missing"),
        pytest.param(Remove("application", "shapes", 0), id="remove-nothing"),
    ],
)
async def test_a_stale_writer_is_refused_and_nothing_of_its_commit_stays(store, stale):
    await store.commit((COLORS,))
    await store.commit((Save("application", "colors", 1, {"n": 2}),))
    before = await store.sequence()

    with pytest.raises(Conflict):
        await store.commit((Save("cluster", "gcp", 0, {}), stale), (event("application/colors"),))

    assert await store.list("cluster") == ()
    assert await store.events() == ()
    assert await store.sequence() == before
    assert await store.get("application", "colors") == Document(
        "application", "colors", 2, {"n": 2}
    )


async def test_of_many_commits_at_once_each_is_made_whole_or_refused_by_itself(store):
    await store.commit((COLORS,))
    refused, numbers = [], []

    async def one(number: int) -> None:
        changes = (Save("cluster", str(number), 0, {"n": number}),)
        if number % 3 == 0:  # they all rest on the same version: only one of them can be right
            changes += (Save("application", "colors", 1, {"by": number}),)
        try:
            numbers.append(await store.commit(changes, (event("cluster", str(number)),)))
        except Conflict:
            refused.append(number)

    async with asyncio.TaskGroup() as group:
        for number in range(300):
            group.create_task(one(number))

    made = sorted(set(range(300)) - set(refused))
    winner = (await store.get("application", "colors")).body["by"]
    assert [each for each in made if each % 3 == 0] == [winner]
    assert sorted(int(each.name) for each in await store.list("cluster")) == made
    assert sorted(int(each.reason) for each in await store.events()) == made
    assert sorted(numbers) == list(range(2, 2 + len(made))), "each commit has its own number"
    assert await store.sequence() == 1 + len(made)


async def test_commits_made_together_may_follow_each_other(store):
    async with asyncio.TaskGroup() as group:
        group.create_task(store.commit((COLORS,)))
        group.create_task(store.commit((Save("application", "colors", 1, {"n": 2}),)))
        group.create_task(store.commit((Remove("application", "colors", 2),)))
        group.create_task(store.commit((Save("application", "colors", 0, {"n": 3}),)))

    assert await store.get("application", "colors") == Document(
        "application", "colors", 1, {"n": 3}
    )


async def test_a_removed_document_is_gone_and_can_be_made_again(store):
    await store.commit((COLORS,))
    await store.commit((Remove("application", "colors", 1),))
    assert await store.get("application", "colors") is None

    await store.commit((COLORS,))
    assert (await store.get("application", "colors")).version == 1


async def test_the_changes_of_one_commit_follow_each_other(store):
    await store.commit((COLORS, Save("application", "colors", 1, {"n": 2})))

    assert (await store.get("application", "colors")).version == 2


async def test_the_sequence_rises_with_each_commit_and_rests_otherwise(store):
    start = await store.sequence()
    first = await store.commit((COLORS,))
    await store.get("application", "colors")
    await store.put(b"bytes")
    await store.acquire("hub", "me", 1.0, 10.0)
    rested = await store.sequence()
    last = await store.commit((), (event("application/colors"),))

    assert start < first == rested < last == await store.sequence()


async def test_history_is_told_in_order_by_subject_and_from_a_place_on(store):
    await store.commit((COLORS,), (event("rollout/a", "one"), event("rollout/b", "two")))
    await store.commit((), (event("rollout/a", "three"),))
    everything = await store.events()

    assert [entry.reason for entry in everything] == ["one", "two", "three"]
    assert [entry.reason for entry in await store.events("rollout/a")] == ["one", "three"]
    assert await store.events(after=everything[0].number) == everything[1:]
    assert await store.events("rollout/a", after=everything[0].number) == everything[2:]
    assert await store.events(limit=2) == everything[:2]
    assert await store.events(after=everything[2].number) == ()
    assert (everything[0].at, everything[0].facts) == (12.5, {"percent": 10})


async def test_a_writer_with_an_older_epoch_is_refused_once_another_has_taken_over(store):
    old = await store.acquire("hub", "first", 0.0, 10.0)
    await store.commit((COLORS,), fence=old.epoch)
    new = await store.acquire("hub", "second", 11.0, 10.0)

    with pytest.raises(Conflict):
        await store.commit((Save("application", "colors", 1, {}),), fence=old.epoch)
    await store.commit((Save("application", "colors", 1, {"by": "second"}),), fence=new.epoch)
    await store.commit((Save("application", "colors", 2, {"by": "user"}),))

    assert (await store.get("application", "colors")).body == {"by": "user"}


async def test_what_a_reader_does_with_its_copy_changes_nothing_for_others(store):
    if isinstance(store, CachedDocuments):
        pytest.skip("its readers share documents, as it says, and never change them")
    body = {"steps": [10]}
    await store.commit((Save("application", "colors", 0, body),), (event("a"),))
    body["steps"].append(99)
    (await store.get("application", "colors")).body["steps"].append(98)
    (await store.events())[0].facts["percent"] = 97

    assert (await store.get("application", "colors")).body == {"steps": [10]}
    assert (await store.events())[0].facts == {"percent": 10}


async def test_any_json_comes_back_as_it_was(store):
    body = {
        "": None,
        "text": 'a"b\\c\n\0é\U0001f308\ud800',
        "numbers": [0, -1, 1.5, 2**60],
        "x": {"y": []},
    }
    await store.commit((Save("k" * 300, "name with / and ' and é", 0, body),))

    assert (await store.get("k" * 300, "name with / and ' and é")).body == body


async def test_a_body_that_is_no_json_is_refused_before_anything_is_written(store):
    with pytest.raises(Exception, match="JSON"):
        await store.commit((COLORS, Save("cluster", "gcp", 0, {"usd": float("nan")})))

    assert await store.list("application") == ()


async def test_a_list_of_names_has_those_that_there_are_by_name(store):
    names = [f"n{number:04d}" for number in range(1200)]
    await store.commit(tuple(Save("cluster", name, 0, {}) for name in names))
    await store.commit((Save("application", "n0001", 0, {}),))

    assert [each.name for each in await store.list("cluster", names)] == names
    found = await store.list("cluster", ["n0003", "none", "n0001", "n0003"])
    assert [(each.kind, each.name) for each in found] == [
        ("cluster", "n0001"),
        ("cluster", "n0003"),
    ]
    assert await store.list("cluster", []) == ()
