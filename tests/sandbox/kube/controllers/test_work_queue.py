"""The queue of a controller: no wish is lost, none is done twice at once."""

import asyncio

from crossfade.sandbox.kube.client import ApiError
from crossfade.sandbox.kube.controllers.work_queue import WorkQueue

KEY = ("default", "a")


async def run(queue, reconcile, until, condition):
    async with asyncio.TaskGroup() as group:
        task = group.create_task(queue.run(reconcile))
        await until(condition)
        task.cancel()


async def test_a_key_that_is_asked_for_twice_is_looked_at_once(until):
    seen = []

    async def look(key):
        seen.append(key)

    queue = WorkQueue("test")
    queue.add(KEY)
    queue.add(KEY)
    queue.add(("default", "last"))
    await run(queue, look, until, lambda: ("default", "last") in seen)
    assert seen.count(KEY) == 1


async def test_a_change_during_a_look_leads_to_another_look(until):
    seen = []
    queue = WorkQueue("test")

    async def look(key):
        seen.append(key)
        if len(seen) == 1:
            queue.add(key)

    queue.add(KEY)
    await run(queue, look, until, lambda: len(seen) == 2)


async def test_a_look_that_fails_is_repeated_and_holds_up_nobody(until):
    seen = []

    async def look(key):
        seen.append(key)
        if key == KEY and seen.count(KEY) == 1:
            raise ApiError(409, "Conflict", "changed meanwhile")
        if key == KEY and seen.count(KEY) == 2:
            raise ValueError("a bug")

    queue = WorkQueue("test")
    queue.add(KEY)
    queue.add(("default", "other"))
    await run(queue, look, until, lambda: seen.count(KEY) == 3)
    assert ("default", "other") in seen


async def test_an_object_that_is_gone_is_not_looked_for_again(until):
    seen = []

    async def look(key):
        seen.append(key)
        if key == KEY:
            raise ApiError(404, "NotFound", "gone")

    queue = WorkQueue("test")
    queue.add(KEY)
    queue.add_after(("default", "later"), 0.2)
    await run(queue, look, until, lambda: ("default", "later") in seen)
    assert seen.count(KEY) == 1


async def test_a_look_can_ask_for_the_next_one(until):
    seen = []

    async def look(key):
        seen.append(key)
        return 0.01 if len(seen) < 3 else None

    queue = WorkQueue("test")
    queue.add(KEY)
    await run(queue, look, until, lambda: len(seen) == 3)


async def test_the_earliest_of_several_wishes_counts(until):
    seen = []

    async def look(key):
        seen.append(key)

    queue = WorkQueue("test")
    queue.add_after(KEY, 1000)
    queue.add_after(KEY, 0.01)
    queue.add_after(KEY, 500)
    await run(queue, look, until, lambda: seen)
