"""Waiting takes no time, and one seed means one order."""

import asyncio
import random

import pytest

from crossfade.testing.virtual_loop import simulated, virtual_loop


async def test_it_is_no_loop_for_sockets():
    with pytest.raises(NotImplementedError):
        virtual_loop().add_reader(0, print)


def test_a_day_passes_at_once():
    async def sleep():
        loop = asyncio.get_running_loop()
        await asyncio.sleep(86400.0)
        return loop.time()

    assert simulated(sleep()) == 86400.0


def test_a_deadline_ends_what_takes_too_long_and_nothing_else():
    async def work():
        async with asyncio.timeout(2.0):
            await asyncio.sleep(1.0)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2.0):
                await asyncio.sleep(3.0)
        return asyncio.get_running_loop().time()

    assert simulated(work()) == 3.0


def order(seed):
    """Return the order in which five tasks take three steps each."""
    taken = []

    async def step(name):
        for number in range(3):
            taken.append((name, number))
            await asyncio.sleep(0)

    async def work():
        async with asyncio.TaskGroup() as group:
            for name in "abcde":
                group.create_task(step(name))

    draw = random.Random(seed)  # noqa: S311 - an order, no secret
    simulated(work(), draw.randrange)
    return tuple(taken)


def test_the_same_seed_gives_the_same_order_and_others_give_others():
    assert order(1) == order(1)
    assert len({order(seed) for seed in range(50)}) == 50
    assert all(sorted(each) == sorted(order(0)) for each in map(order, range(50)))


def test_who_waits_for_what_never_happens_is_told_so():
    async def work():
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="nothing will ever happen"):
        simulated(work())


def test_it_can_be_looked_on_after_each_step():
    seen = []
    loop = virtual_loop()
    loop.after_step = lambda: seen.append(loop.time())

    async def work():
        await asyncio.sleep(1.0)
        await asyncio.sleep(1.0)

    loop.run_until_complete(work())
    loop.close()
    assert seen[0] == 0.0
    assert seen[-1] == 2.0
    assert len(seen) >= 3
