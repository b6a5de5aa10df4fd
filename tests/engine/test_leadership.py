"""One hub per store: who holds the lease, and what happens when it is lost."""

import asyncio
import os
import subprocess
import sys

import pytest

from crossfade.base.errors import Conflict, Unavailable
from crossfade.engine import leadership
from crossfade.engine.leadership import LEASE, LEASE_SECONDS, Leadership, is_gone, own_holder
from crossfade.testing.clock import FakeClock
from crossfade.testing.fake_store import FakeStore


@pytest.fixture
def store():
    return FakeStore()


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture(autouse=True)
def _renew_often(monkeypatch):
    monkeypatch.setattr(leadership, "RENEW_SECONDS", 0.001)


def dead_holder():
    """Return the holder that a process was which has ended."""
    code = "from crossfade.engine.leadership import own_holder; print(own_holder())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


async def test_a_second_hub_is_refused_and_told_who_runs(store, clock):
    await Leadership(store, clock, own_holder()).acquire()
    with pytest.raises(Conflict, match="another hub runs") as raised:
        await Leadership(store, clock, "elsewhere/1/1").acquire()
    assert raised.value.facts["holder"] == own_holder()
    assert "--state-dir" in raised.value.hint


async def test_a_hub_that_was_killed_on_this_machine_is_followed_at_once(store, clock):
    first = await Leadership(store, clock, dead_holder()).acquire()
    second = await Leadership(store, clock, own_holder()).acquire()

    assert second.epoch > first.epoch


async def test_a_hub_on_another_machine_is_waited_for_until_its_lease_has_run_out(store, clock):
    await Leadership(store, clock, "elsewhere/1/1").acquire()
    clock.advance(LEASE_SECONDS - 0.1)
    with pytest.raises(Conflict):
        await Leadership(store, clock, own_holder()).acquire()
    clock.advance(0.1)

    assert (await Leadership(store, clock, own_holder()).acquire()).holder == own_holder()


async def test_a_hub_that_gives_up_lets_the_next_one_start_at_once(store, clock):
    first = Leadership(store, clock, "elsewhere/1/1")
    await first.acquire()
    await first.give_up()

    assert (await Leadership(store, clock, own_holder()).acquire()).epoch == 2


async def test_giving_up_never_hides_what_ended_the_hub(store, clock, monkeypatch):
    async def release(*_):
        raise Unavailable("the disk is gone", hint="mount it")

    monkeypatch.setattr(store, "release", release)
    await Leadership(store, clock, own_holder()).give_up()


async def test_the_lease_is_renewed_while_the_hub_runs(store, clock, until):
    keeper = Leadership(store, clock, own_holder())
    lease = await keeper.acquire()
    async with asyncio.TaskGroup() as group:
        keeping = group.create_task(keeper.keep(lease.epoch))
        for _ in range(5):
            clock.advance(LEASE_SECONDS / 2)

            async def renewed():
                return (await store.current(LEASE)).expires_at == clock.now() + LEASE_SECONDS

            await until(renewed)
        keeping.cancel()
    assert (await store.current(LEASE)).epoch == lease.epoch


async def test_a_hub_that_was_replaced_ends(store, clock):
    first = Leadership(store, clock, "elsewhere/1/1")
    lease = await first.acquire()
    clock.advance(LEASE_SECONDS)
    await Leadership(store, clock, own_holder()).acquire()

    with pytest.raises(Conflict):
        await first.keep(lease.epoch)


async def test_a_hub_that_slept_while_another_one_came_and_went_ends(store, clock):
    """Its writes are refused for good: going on, it would look alive and do nothing."""
    slept = Leadership(store, clock, "elsewhere/1/1")
    lease = await slept.acquire()
    clock.advance(LEASE_SECONDS)
    other = Leadership(store, clock, own_holder())
    await other.acquire()
    await other.give_up()

    with pytest.raises(Conflict, match="another hub") as raised:
        await slept.keep(lease.epoch)
    assert raised.value.hint
    await slept.give_up()
    assert (await other.acquire()).epoch > lease.epoch


async def test_a_store_that_is_locked_for_a_moment_does_not_end_the_hub(
    store, clock, monkeypatch, until
):
    keeper = Leadership(store, clock, own_holder())
    lease = await keeper.acquire()
    acquire, tries = store.acquire, []

    async def locked(*arguments):
        tries.append(arguments)
        if len(tries) < 5:
            raise Unavailable("the store is locked", hint="try again")
        return await acquire(*arguments)

    monkeypatch.setattr(store, "acquire", locked)
    async with asyncio.TaskGroup() as group:
        keeping = group.create_task(keeper.keep(lease.epoch))

        async def often():
            return len(tries) > 6

        await until(often)
        assert not keeping.done()
        keeping.cancel()


async def test_a_store_that_stays_away_for_longer_than_the_lease_ends_the_hub(
    store, clock, monkeypatch
):
    keeper = Leadership(store, clock, own_holder())
    lease = await keeper.acquire()

    async def gone(*_):
        clock.advance(LEASE_SECONDS / 3)
        raise Unavailable("the store is gone", hint="bring it back")

    monkeypatch.setattr(store, "acquire", gone)
    with pytest.raises(Unavailable):
        await keeper.keep(lease.epoch)


def test_this_process_is_not_gone_but_one_that_took_its_number_would_not_be_it():
    host, pid, started = own_holder().split("/")

    assert pid == str(os.getpid())
    assert not is_gone(own_holder())
    assert is_gone(f"{host}/{pid}/{int(started) + 1}")


@pytest.mark.parametrize("holder", ["", "elsewhere/1/1", "no-slash", "elsewhere/x/y"])
def test_nobody_elses_process_is_taken_for_gone(holder):
    assert not is_gone(holder)


def test_a_process_that_is_not_there_is_gone():
    host = own_holder().split("/")[0]

    assert is_gone(f"{host}/999999999/5")


def test_a_process_that_was_killed_is_gone_even_if_its_parent_did_not_notice():
    code = "from crossfade.engine.leadership import own_holder; print(own_holder())"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as ended:
        holder = ended.stdout.read().strip()
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)

        assert is_gone(holder)


async def test_a_hub_that_stands_by_follows_when_the_other_has_ended(store, clock, monkeypatch):
    monkeypatch.setattr(leadership, "STANDBY_SECONDS", 0.001)
    first = Leadership(store, clock, "elsewhere/1/1")
    before, told = await first.acquire(), []
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        waiting = group.create_task(Leadership(store, clock, own_holder()).stand_by(told.append))
        while not told:
            await asyncio.sleep(0)
        assert not waiting.done()
        await first.give_up()

    assert waiting.result().epoch == before.epoch + 1
    assert told == ["elsewhere/1/1"], "once, not each second"


async def test_a_hub_that_stands_by_outlasts_a_store_that_is_away(store, clock, monkeypatch):
    monkeypatch.setattr(leadership, "STANDBY_SECONDS", 0.001)
    answers = [Unavailable("the store does not answer", hint="wait")] * 3

    class Away(FakeStore):
        async def acquire(self, *arguments):
            if answers:
                raise answers.pop()
            return await store.acquire(*arguments)

    lease = await Leadership(Away(), clock, own_holder()).stand_by(lambda _: None)
    assert lease.holder == own_holder()
