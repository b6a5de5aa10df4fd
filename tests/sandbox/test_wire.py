"""Requests to the supervisor and their answers."""

import asyncio
import os

import pytest

from crossfade.base.errors import Conflict, CrossfadeError, Unavailable
from crossfade.sandbox import wire


async def ask(directory, request, **more):
    return await asyncio.to_thread(wire.ask, directory, request, **more)


async def test_errors_arrive_as_they_were_raised(tmp_path):
    async def answer(request):
        if request["do"] == "fail":
            raise Conflict("no", hint="later", port=80)
        if request["do"] == "break":
            raise ValueError("bug")
        return {"echo": request}

    async with wire.Server(tmp_path, answer):
        assert await ask(tmp_path, {"do": "x"}) == {"echo": {"do": "x"}}
        with pytest.raises(Conflict) as refused:
            await ask(tmp_path, {"do": "fail"})
        with pytest.raises(CrossfadeError, match="bug"):
            await ask(tmp_path, {"do": "break"})
    assert (refused.value.what, refused.value.hint) == ("no", "later")
    assert refused.value.facts == {"port": "80"}
    assert not (tmp_path / wire.SOCKET).exists()


async def test_only_the_owner_may_connect(tmp_path):
    async def answer(request):
        return {}

    async with wire.Server(tmp_path, answer):
        assert os.stat(tmp_path / wire.SOCKET).st_mode & 0o077 == 0


async def test_no_supervisor_or_a_silent_one_is_an_error_with_a_hint(tmp_path):
    with pytest.raises(Unavailable) as missing:
        await ask(tmp_path, {})
    assert "sandbox up" in missing.value.hint
    release = asyncio.Event()

    async def answer(request):
        await release.wait()
        return {}

    async with wire.Server(tmp_path, answer):
        with pytest.raises(Unavailable):
            await ask(tmp_path, {}, seconds=0.2)
        release.set()
        await asyncio.sleep(0.05)


async def test_garbage_on_the_socket_does_not_end_the_server(tmp_path):
    async def answer(request):
        return {"fine": True}

    async with wire.Server(tmp_path, answer):
        reader, writer = await asyncio.open_unix_connection(str(tmp_path / wire.SOCKET))
        writer.write(b"no json\n")
        assert b"error" in await reader.readline()
        writer.close()
        await writer.wait_closed()
        assert await ask(tmp_path, {}) == {"fine": True}
