"""The listening side: answers leave at once, and a taken port is told."""

import asyncio
import socket

import pytest

from crossfade.api.server import listening
from crossfade.base.errors import Conflict


async def test_answers_do_not_wait_until_the_last_packet_is_confirmed():
    """Else the second packet of an answer leaves 40 ms late on connections that are kept."""
    found = asyncio.get_running_loop().create_future()

    def accepted(_, writer):
        plain = writer.get_extra_info("socket")
        found.set_result(plain.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    opened = listening(0)
    async with await asyncio.start_server(accepted, sock=opened):
        _, writer = await asyncio.open_connection(*opened.getsockname())
        assert await found != 0
        writer.close()
        await writer.wait_closed()


def test_a_port_that_is_taken_is_told_with_a_way_out():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(Conflict) as error:
            listening(taken.getsockname()[1])

    assert "--port" in error.value.hint
