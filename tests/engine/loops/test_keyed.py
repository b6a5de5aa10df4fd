"""One worker a key: what is slow, broken or gone concerns nobody else."""

import asyncio
from collections import Counter
from contextlib import asynccontextmanager

import pytest

from crossfade.base import tracing
from crossfade.base.errors import Conflict, InputError, Unavailable
from crossfade.engine.loops import keyed
from crossfade.engine.loops.keyed import KeyedLoop
from crossfade.testing.fake_recorder import FakeRecorder

LATER = 60.0


class Work:
    """Keys, and what happens when each is looked at."""

    def __init__(self, *keys):
        self.keys = set(keys)
        self.looks = Counter()
        self.listed = 0
        self.troubles = {}
        self.hangs = {}
        self.ended = []

    async def list(self):
        self.listed += 1
        if "keys" in self.troubles:
            raise self.troubles["keys"]
        return self.keys

    async def reconcile(self, key):
        self.looks[key] += 1
        if key in self.hangs:
            try:
                await self.hangs[key].wait()
            finally:
                self.ended.append(key)
        if key in self.troubles:
            raise self.troubles[key]
        return LATER


@asynccontextmanager
async def running(work):
    loop = KeyedLoop("test", work.list, work.reconcile)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(loop.run())
        try:
            yield loop
        finally:
            task.cancel()


async def seen(until, work, key, times=1):
    async def often_enough():
        return work.looks[key] >= times

    await until(often_enough, 5.0)


async def test_every_key_is_looked_at_and_again_when_it_is_poked(until):
    work = Work("a", "b")
    async with running(work) as loop:
        await seen(until, work, "a")
        await seen(until, work, "b")
        loop.poke("a")
        await seen(until, work, "a", 2)
        loop.poke()
        await seen(until, work, "b", 2)


async def test_a_poke_that_comes_during_a_look_is_not_lost(until):
    work = Work("a")
    work.hangs["a"] = asyncio.Event()
    async with running(work) as loop:
        await seen(until, work, "a")
        loop.poke("a")
        work.hangs["a"].set()
        await seen(until, work, "a", 2)


async def test_a_cluster_that_hangs_delays_nobody_else(until):
    work = Work("slow", "fast")
    work.hangs["slow"] = asyncio.Event()
    async with running(work) as loop:
        await seen(until, work, "slow")
        for times in range(1, 20):
            await seen(until, work, "fast", times)
            loop.poke("fast")
    assert work.looks["slow"] == 1


async def test_what_somebody_else_has_changed_meanwhile_is_read_again_at_once(until):
    work = Work("a")
    work.troubles["a"] = Conflict("changed", hint="read again")
    async with running(work):
        async with asyncio.timeout(0.5):
            await seen(until, work, "a", 3)


async def test_a_cluster_in_trouble_is_asked_less_and_less_often_but_never_given_up():
    pauses = [keyed._back_off(failures) for failures in range(1, 12)]

    assert pauses[:3] == [0.2, 0.4, 0.8]
    assert pauses == sorted(pauses)
    assert pauses[-1] == 10.0


@pytest.mark.parametrize("error", [Unavailable("x", hint="y"), Conflict("x", hint="y")])
async def test_an_outage_of_days_does_not_end_the_hub(until, monkeypatch, caplog, error):
    """A pause that doubles with each failure outgrows any number after some hours."""
    work = Work("a")
    work.troubles["a"] = error

    async def at_once(_event, _seconds):
        await asyncio.sleep(0)

    monkeypatch.setattr(keyed, "_wait", at_once)
    caplog.set_level("ERROR")
    async with running(work):
        await seen(until, work, "a", 3000)


@pytest.mark.parametrize(
    "error", [InputError("bad", hint="mend it"), RuntimeError("a fault of ours"), KeyError("x")]
)
async def test_a_key_that_fails_or_crashes_ends_no_other_and_is_tried_again(until, error, caplog):
    work = Work("bad", "good")
    work.troubles["bad"] = error
    async with running(work) as loop:
        await seen(until, work, "bad", 2)
        loop.poke("good")
        await seen(until, work, "good", 2)
        del work.troubles["bad"]
        await seen(until, work, "bad", 3)
    assert {record.key for record in caplog.records if record.levelname != "DEBUG"} == {"bad"}


async def test_after_a_success_failures_are_counted_anew(until, monkeypatch):
    work, pauses = Work("a"), []
    work.troubles["a"] = Unavailable("x", hint="y")
    wait = keyed._wait

    async def noted(event, seconds):
        pauses.append(seconds)
        await wait(event, min(seconds, 0.01))

    monkeypatch.setattr(keyed, "_wait", noted)
    async with running(work) as loop:
        await seen(until, work, "a", 4)
        trouble = work.troubles.pop("a")
        await seen(until, work, "a", 6)
        work.troubles["a"] = trouble
        pauses.clear()
        loop.poke("a")
        await seen(until, work, "a", work.looks["a"] + 2)
    failed = [pause for pause in pauses if pause not in (LATER, keyed.KEYS_EVERY_SECONDS)]
    assert failed[0] == keyed.FIRST_RETRY_SECONDS


async def test_a_cluster_that_leaves_the_fleet_is_left_alone_in_the_middle_of_a_look(until):
    work = Work("a", "b")
    work.hangs["a"] = asyncio.Event()
    async with running(work) as loop:
        await seen(until, work, "a")
        work.keys = {"b"}
        loop.poke()
        await seen(until, work, "b", 2)

        async def left():
            return work.ended == ["a"]

        await until(left)
        loop.poke("a")
        await seen(until, work, "b", 2)
    assert work.looks["a"] == 1


async def test_a_new_cluster_is_looked_at_at_once_and_one_that_is_back_anew(until):
    work = Work()
    async with running(work) as loop:
        work.keys = {"new"}
        loop.poke()
        await seen(until, work, "new")
        work.keys, listed = set(), work.listed
        loop.poke()

        async def read():
            return work.listed > listed

        await until(read)
        work.keys = {"new"}
        loop.poke("new")
        await seen(until, work, "new", 2)


async def test_keys_that_cannot_be_read_just_now_stop_nobody(until):
    work = Work("a")
    async with running(work) as loop:
        await seen(until, work, "a")
        work.troubles["keys"] = Unavailable("the store is locked", hint="try again")
        loop.poke()
        await seen(until, work, "a", 2)
        del work.troubles["keys"]
        work.keys = {"a", "b"}
        loop.poke()
        await seen(until, work, "b")


async def test_the_end_of_the_hub_ends_every_look(until):
    work = Work("a", "b")
    work.hangs = {"a": asyncio.Event(), "b": asyncio.Event()}
    async with running(work):
        await seen(until, work, "a")
        await seen(until, work, "b")
    assert sorted(work.ended) == ["a", "b"]


async def test_what_concerns_one_application_wakes_nobody_else(until):
    work = Work("colors@aws", "colors@gcp", "colors-2@aws")
    async with running(work) as loop:
        for key in work.keys:
            await seen(until, work, key)
        loop.poke_those_of("colors@")
        await seen(until, work, "colors@aws", 2)
        await seen(until, work, "colors@gcp", 2)
        assert work.looks["colors-2@aws"] == 1


async def test_an_application_that_is_new_is_found_by_the_poke_that_concerns_it(until):
    work = Work("colors@aws")
    async with running(work) as loop:
        await seen(until, work, "colors@aws")
        work.keys.add("shapes@aws")
        loop.poke_those_of("shapes@")
        await seen(until, work, "shapes@aws")


async def test_a_look_at_everything_that_is_poked_all_the_time_leaves_time_for_others():
    looks = 0

    async def reconcile(_key):
        nonlocal looks
        looks += 1
        await asyncio.sleep(0.02)
        return LATER

    async def keys():
        return ["all"]

    loop = KeyedLoop("test", keys, reconcile, rest=4.0)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(loop.run())
        clock = asyncio.get_running_loop().time
        began = clock()
        while looks < 5:
            loop.poke("all")
            await asyncio.sleep(0.001)
        task.cancel()

    assert clock() - began >= 4 * 5 * 0.02


async def test_only_looks_that_come_to_something_are_taken_down(until):
    recorder = FakeRecorder()
    work = Work("busy", "broken", "quiet")
    work.troubles["broken"] = Unavailable("aws does not answer", hint="wait")
    plain = work.reconcile

    async def reconcile(key):
        if key == "busy":
            tracing.note("saved", reason="to 10 %")
        return await plain(key)

    work.reconcile = reconcile
    with tracing.recorded(recorder):
        async with running(work):
            for key in ("busy", "broken", "quiet"):
                await seen(until, work, key)

    told = {each.facts["key"]: each for each in recorder.ended}
    assert set(told) == {"busy", "broken"}
    assert [name for name, _ in told["busy"].notes] == ["saved"]
    assert told["broken"].failure == "aws does not answer"
    assert {each.parent for each in recorder.ended} == {""}
