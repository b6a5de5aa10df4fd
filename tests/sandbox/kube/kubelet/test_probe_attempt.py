"""One try of a probe: good answers are good, everything else says what is wrong."""

import asyncio
from contextlib import asynccontextmanager, suppress

import pytest

from crossfade.sandbox.kube.kubelet.probe_attempt import Target, attempt

CONTAINER = {"name": "main", "ports": [{"name": "http", "containerPort": 80}]}


async def no_exec(command, timeout_seconds):
    raise AssertionError("not asked for")


def target(port, run=no_exec):
    return Target(CONTAINER, "127.0.0.1", {80: port}, run)


@asynccontextmanager
async def answering(answer, heard=None, *, asked=True):
    async def serve(reader, writer):
        with suppress(asyncio.IncompleteReadError):  # a TCP probe says nothing
            head = await reader.readuntil(b"\r\n\r\n")
            if heard is not None:
                heard.append(head.decode())
            if answer is None:
                await reader.read()
            else:
                writer.write(answer)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        ended.set()

    ended = asyncio.Event()
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        if asked:
            await ended.wait()


@pytest.mark.parametrize(
    ("answer", "good", "message"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", True, ""),
        (b"HTTP/1.1 302 Found\r\n\r\n", True, ""),
        (b"HTTP/1.0 404 Not Found\r\n\r\n", False, "HTTP probe failed with statuscode: 404"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", False, "the answer is not HTTP"),
        (b"", False, "the answer is not HTTP"),
        (b"x" * 100_000, False, "the answer is not HTTP"),
    ],
)
async def test_an_http_answer_is_judged_by_its_status(answer, good, message):
    async with answering(answer) as port:
        outcome = await attempt({"httpGet": {"port": "http"}}, target(port), 2)
    assert outcome.good is good
    assert message in outcome.message


async def test_path_and_headers_are_sent():
    heard = []
    async with answering(b"HTTP/1.1 204 No Content\r\n\r\n", heard) as port:
        action = {
            "port": 80,
            "path": "/ready?full=1",
            "httpHeaders": [{"name": "Host", "value": "colors"}, {"name": "X-A", "value": "b"}],
        }
        assert (await attempt({"httpGet": action}, target(port), 2)).good
    assert heard[0].startswith("GET /ready?full=1 HTTP/1.1\r\n")
    assert "Host: colors\r\n" in heard[0]
    assert "X-A: b\r\n" in heard[0]


async def test_a_server_that_says_nothing_is_not_waited_for():
    async with answering(None) as port:
        outcome = await attempt({"httpGet": {"port": 80}}, target(port), 0.1)
    assert not outcome.good
    assert "context deadline exceeded" in outcome.message


async def test_nobody_listens():
    async with answering(b"", asked=False) as port:
        pass
    for probe in ({"httpGet": {"port": 80}}, {"tcpSocket": {"port": 80}}):
        outcome = await attempt(probe, target(port), 1)
        assert not outcome.good
        assert "connection refused" in outcome.message


async def test_a_connection_is_enough_for_tcp():
    async with answering(b"") as port:
        assert (await attempt({"tcpSocket": {"port": "http"}}, target(port), 1)).good


async def test_a_port_name_that_does_not_exist_is_named():
    outcome = await attempt({"httpGet": {"port": "admin"}}, target(1), 1)
    assert outcome.message == 'container has no port named "admin"'


@pytest.mark.parametrize(("code", "good"), [(0, True), (1, False)])
async def test_a_command_is_judged_by_its_exit_code(code, good):
    async def run(command, timeout_seconds):
        assert command == ["check"]
        return code, "said this\n"

    outcome = await attempt({"exec": {"command": ["check"]}}, target(1, run), 1)
    assert (outcome.good, outcome.message) == (good, "said this")


async def test_a_command_that_hangs_is_a_failure():
    async def run(command, timeout_seconds):
        raise TimeoutError

    outcome = await attempt({"exec": {"command": ["check"]}}, target(1, run), 3)
    assert outcome.message == "command timed out after 3s"


async def test_a_probe_without_an_action_fails_with_a_reason():
    assert (await attempt({}, target(1), 1)).message == "missing probe handler"
