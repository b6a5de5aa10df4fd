"""Questions to gateways: a right answer is read, anything else is silence and no crash."""

import asyncio

import pytest

from crossfade.adapters.routers.question import ask
from crossfade.base.errors import Unavailable
from crossfade.ports.router import GatewayEndpoint


@pytest.fixture
async def gateway():
    """Start a server that answers with these bytes and then leaves the connection open."""
    servers, writers = [], []

    async def start(answer):
        async def serve(reader, writer):
            writers.append(writer)
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            if not answer:
                writer.close()

        servers.append(await asyncio.start_server(serve, "127.0.0.1", 0))
        return GatewayEndpoint("127.0.0.1", servers[-1].sockets[0].getsockname()[1])

    yield start
    for each in (*writers, *servers):
        each.close()
    await asyncio.sleep(0.01)


async def test_an_answer_is_read_although_the_gateway_keeps_the_connection_open(gateway):
    endpoint = await gateway(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nx: y\r\n\r\nok")
    assert await ask(endpoint, {"host": "a"}) == "ok"
    assert await ask(await gateway(b"HTTP/1.1 404 Not Found\r\nx: y\r\n\r\n"), {"host": "a"}) == ""


@pytest.mark.parametrize(
    "answer", [b"", b"SSH-2.0\r\n\r\n", b"HTTP/1.1 200 OK\r\n", b"x" * 100_000]
)
async def test_what_is_no_answer_is_silence(gateway, answer):
    with pytest.raises(Unavailable) as raised:
        await ask(await gateway(answer), {"host": "a"}, seconds=0.3)
    assert raised.value.hint


async def test_nobody_there_is_silence():
    with pytest.raises(Unavailable):
        await ask(GatewayEndpoint("127.0.0.1", 1), {"host": "a"})
