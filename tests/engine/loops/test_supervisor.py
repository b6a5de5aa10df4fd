"""Loops run together or not at all: a hub that does half of its work helps nobody."""

import asyncio

import pytest

from crossfade.base.errors import Conflict
from crossfade.engine.loops.supervisor import serve


async def forever(ended):
    try:
        await asyncio.Event().wait()
    finally:
        ended.append("forever")


async def test_a_loop_that_fails_stops_all_others_and_its_error_is_told():
    ended = []

    async def fails():
        raise Conflict("another hub has taken over", hint="stop this one")

    with pytest.raises(ExceptionGroup) as raised:
        await serve({"one": lambda: forever(ended), "two": fails})
    assert raised.value.subgroup(Conflict) is not None
    assert ended == ["forever"]


async def test_a_loop_that_returns_in_silence_is_an_error():
    ended = []

    async def returns():
        return

    with pytest.raises(ExceptionGroup) as raised:
        await serve({"one": lambda: forever(ended), "watch": returns})
    assert "`watch` returned" in str(raised.value.exceptions[0])
    assert ended == ["forever"]


async def test_cancelling_ends_all_loops():
    ended = []
    async with asyncio.TaskGroup() as group:
        task = group.create_task(serve({"a": lambda: forever(ended), "b": lambda: forever(ended)}))
        await asyncio.sleep(0.01)
        task.cancel()
    assert ended == ["forever", "forever"]
