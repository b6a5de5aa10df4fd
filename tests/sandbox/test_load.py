"""The load generator against small servers that behave and misbehave."""

import asyncio
import contextlib
import json
import socket

import pytest

from crossfade.base.errors import InputError
from crossfade.sandbox.load import Load, source_of, target_of
from crossfade.sandbox.load_figures import Source

GOOD = json.dumps({"version": "2", "colour": "yellow", "cloud": "gcp", "pod": "p"}).encode()


@contextlib.asynccontextmanager
async def serving(answer):
    """Serve on a free port; `answer(number)` gives the bytes for each request, None hangs up."""
    count, writers = 0, []

    async def handle(reader, writer):
        nonlocal count
        writers.append(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while await reader.readuntil(b"\r\n\r\n"):
                count += 1
                data = await answer(count)
                if data is None:
                    break
                writer.write(data)
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for writer in writers:
            writer.close()
        await asyncio.sleep(0.01)


def http(status: int = 200, body: bytes = GOOD, headers: str = "") -> bytes:
    return f"HTTP/1.1 {status} X\r\n{headers}content-length: {len(body)}\r\n\r\n".encode() + body


async def test_every_request_is_counted_by_version_and_cloud():
    async def answer(number):
        return http()

    async with serving(answer) as url:
        figures = await Load(target_of(url), 200).run(0.5)
    assert (figures.requests, figures.answered, figures.failed) == (100, 100, 0)
    assert figures.versions() == {"2": 100}
    assert figures.clouds() == {"gcp": 100}
    assert figures.statuses == {200: 100}


async def test_a_stall_of_the_server_is_seen_by_all_requests_that_should_have_been_sent():
    async def answer(number):
        await asyncio.sleep(0.5 if number <= 40 else 0)
        return http()

    async with serving(answer) as url:
        figures = await Load(target_of(url), 100).run(0.5)
    assert figures.requests == 50, "the schedule does not wait for answers"
    assert figures.latencies().p50_ms > 400


async def test_errors_of_the_server_and_lost_connections_are_failures():
    async def answer(number):
        if number % 10 == 0:
            return http(500)
        return b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nx" * (number % 10 != 5) or None

    async with serving(answer) as url:
        load = Load(target_of(url), 100, timeout_seconds=0.3)
        figures = await load.run(0.2)
    assert figures.answered == 0
    assert figures.failed == figures.requests == 20
    assert {failure.reason for failure in figures.failures} >= {"no answer in time"}


async def test_a_refused_connection_is_a_failure_and_the_schedule_goes_on():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
    figures = await Load(target_of(url), 100).run(0.3)
    assert figures.failed == figures.requests == 30
    assert figures.failures[0].reason == "connect: ConnectionRefusedError"


async def test_a_kept_connection_that_was_just_closed_is_no_failure():
    async def answer(number):
        # Says nothing of closing, and closes before the next request is read.
        return http() if number % 2 else None

    async with serving(answer) as url:
        figures = await Load(target_of(url), 10).run(0.8)
    assert figures.resent > 0
    assert (figures.answered, figures.failed) == (8, 0)


async def test_stop_ends_the_run_with_every_answer_in():
    async def answer(number):
        await asyncio.sleep(0.05)
        return http(headers="connection: close\r\n")

    async with serving(answer) as url:
        load = Load(target_of(url), 100)
        async with asyncio.TaskGroup() as group:
            running = group.create_task(load.run())
            await asyncio.sleep(0.3)
            load.stop()
    figures = running.result()
    assert figures.answered == figures.requests >= 25


async def test_no_answer_is_kept_waiting_by_a_cancelled_run():
    async def answer(number):
        await asyncio.sleep(30)

    async with serving(answer) as url:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await Load(target_of(url), 50).run()


@pytest.mark.parametrize(
    "url", ["", "https://x/", "http://", "http://h:port/", "ftp://x", "http://h/ä"]
)
def test_an_url_that_cannot_be_loaded_is_refused(url):
    with pytest.raises(InputError):
        target_of(url)


@pytest.mark.parametrize("rate", [0, -1, 1e9, float("nan")])
def test_a_rate_out_of_range_is_refused(rate):
    with pytest.raises(InputError):
        Load(target_of("http://h/"), rate)


@pytest.mark.parametrize("body", [b"", b"no", b"[]", b"{}", b'{"version": 1}', b"\xff", b"null"])
def test_an_answer_that_names_no_version_is_counted_as_unknown(body):
    assert source_of(body) == Source("unknown", "unknown")
