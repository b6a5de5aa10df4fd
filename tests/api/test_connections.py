"""Callers that are slow, silent or too many, on a real server."""

import asyncio
import time
from contextlib import asynccontextmanager

import pytest

from crossfade.api import connections, server
from crossfade.engine.feed import Feed
from crossfade.testing.fake_store import FakeStore

GET = b"GET /%s HTTP/1.1\r\nHost: hub\r\n\r\n"
FLOOD = 10_000


async def application(scope, receive, send):
    """Answer `ok`; `/stream` says something ten times, `/flood` much; `/body` reads first."""
    path = scope["path"]
    if path == "/body":
        while (await receive()).get("more_body"):
            pass
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range({"/stream": 10, "/flood": FLOOD}.get(path, 0)):
        if path == "/stream":
            await asyncio.sleep(0.1)
        body = b"tick" if path == "/stream" else b"#" * 65_536
        await send({"type": "http.response.body", "body": body, "more_body": True})
    await send({"type": "http.response.body", "body": b"ok"})


@asynccontextmanager
async def serving():
    """Yield what opens connections to a server of ours."""
    opened = server.listening(0)
    address, writers = opened.getsockname(), []

    async def connect(first=b""):
        reader, writer = await asyncio.open_connection(*address)
        writers.append(writer)
        writer.write(first)
        return reader, writer

    try:
        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            running = group.create_task(server.serve(application, Feed(FakeStore()), opened))
            yield connect
            running.cancel()
    finally:
        for each in writers:
            each.transport.abort()
        await asyncio.sleep(0)


async def drip(writer, text):
    """Send a letter now and then, as long as somebody takes it."""
    try:
        for letter in text:
            writer.write(bytes([letter]))
            await writer.drain()
            await asyncio.sleep(0.05)
    except ConnectionError:
        return


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.5)
    monkeypatch.setattr(connections, "UNREAD_SECONDS", 0.5)


@pytest.mark.parametrize(
    "before",
    [
        pytest.param(b"", id="the-first"),
        pytest.param(GET % b"", id="one-after-another"),
    ],
)
async def test_a_head_that_comes_letter_by_letter_holds_no_connection(impatient, before):
    async with serving() as connect:
        reader, writer = await connect(before)
        if before:
            await reader.readuntil(b"ok\r\n0\r\n\r\n")
        async with asyncio.TaskGroup() as group:
            began = time.monotonic()
            group.create_task(drip(writer, b"GET / HTTP/1.1\r\nX-Slow: " + b"a" * 60))
            answer = await reader.read()
            took = time.monotonic() - began

    assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert b"Content-Type: application/problem+json" in answer
    assert b"send the whole head within 0.5 s" in answer
    assert took < 2


async def test_empty_lines_before_a_request_hold_no_connection(impatient):
    async with serving() as connect:
        reader, writer = await connect()
        async with asyncio.TaskGroup() as group:
            group.create_task(drip(writer, b"\r\n" * 40))
            assert b" 408 " in await reader.read()


async def test_who_connects_and_says_nothing_is_cut_off_without_a_word(impatient):
    """Browsers open connections ahead: an answer there would be taken for that of a request."""
    async with serving() as connect:
        reader, _ = await connect()
        assert await reader.read() == b""


async def test_a_stream_lives_longer_than_any_deadline_for_requests(impatient):
    async with serving() as connect:
        reader, _ = await connect(GET % b"stream")
        answer = await reader.readuntil(b"ok\r\n")

    assert answer.count(b"tick") == 10


async def test_a_reader_that_takes_nothing_of_its_answer_is_cut_off(impatient):
    async with serving() as connect:
        reader, writer = await connect(GET % b"flood")
        reader._limit = 1  # no more is read ahead
        await reader.readexactly(1)
        writer.transport.pause_reading()
        await asyncio.sleep(1.5)
        writer.transport.resume_reading()
        taken = 0
        while more := await reader.read(1_000_000):
            taken += len(more)

    assert taken < FLOOD * 65_536 / 2


async def test_headers_without_end_do_not_fill_the_memory():
    async with serving() as connect:
        reader, writer = await connect(b"GET / HTTP/1.1\r\nX-Large: ")
        writer.write(b"#" * (connections.LARGEST_HEAD + 1))
        assert (await reader.readline()).startswith(b"HTTP/1.1 431 ")


async def test_what_frames_a_body_does_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(connections, "LARGEST_REST", 100_000)
    async with serving() as connect:
        head = b"POST /body HTTP/1.1\r\nHost: hub\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
        reader, writer = await connect(head)
        await drip_lines(writer)
        with pytest.raises(ConnectionError):
            await reader.readexactly(1)


async def drip_lines(writer):
    try:
        for _ in range(100):
            writer.write(b"X-Trailer: " + b"#" * 10_000 + b"\r\n")
            await writer.drain()
            await asyncio.sleep(0.01)
    except ConnectionError:
        return


async def test_where_there_are_too_many_those_who_only_wait_give_way(monkeypatch):
    monkeypatch.setattr(connections, "MOST", 3)
    async with serving() as connect:
        streaming, _ = await connect(GET % b"stream")
        await streaming.readuntil(b"tick")
        silent = [await connect(b"GET / HT") for _ in range(2)]
        for _ in range(3):
            reader, writer = await connect(GET % b"")
            assert await reader.readuntil(b"ok")
            writer.close()
        rest = await streaming.readuntil(b"ok\r\n")
        assert await silent[0][0].read() == b""

    assert rest.count(b"tick") == 9


async def test_where_all_are_being_answered_one_more_is_told_so(monkeypatch):
    monkeypatch.setattr(connections, "MOST", 2)
    async with serving() as connect:
        streaming = [await connect(GET % b"stream") for _ in range(2)]
        for reader, _ in streaming:
            await reader.readuntil(b"tick")
        reader, _ = await connect()
        refused = await reader.read()
        for reader, _ in streaming:
            assert (await reader.readuntil(b"ok\r\n")).count(b"tick") == 9

    assert refused.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert b"too many connections are open" in refused


async def test_slow_callers_do_not_hold_up_the_end():
    async with serving() as connect:
        for first in (b"", b"GET / HT", b"POST /body HTTP/1.1\r\nContent-Length: 9\r\n\r\n1"):
            await connect(first)
        reader, _ = await connect(GET % b"flood")
        await reader.readexactly(1)
        began = time.monotonic()

    assert time.monotonic() - began < 3
