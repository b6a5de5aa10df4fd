"""Asks a cluster's gateway for any HTTP answer, over plain TCP."""

import asyncio
from contextlib import suppress

from crossfade.base.errors import Unavailable

_REQUEST = b"HEAD /.crossfade/probe HTTP/1.1\r\nHost: probe.crossfade\r\nConnection: close\r\n\r\n"


class HttpGatewayProbe:
    """The GatewayProbe port; each probe has a connection of its own, as new users have."""

    async def answers(self, host: str, port: int) -> None:
        """Return when there is an answer; see the port for errors."""
        try:
            reader, writer = await asyncio.open_connection(host, port)
        except OSError as error:
            raise _silent(host, port, str(error)) from error
        try:
            writer.write(_REQUEST)
            await writer.drain()
            line = await reader.readline()
        except (OSError, ValueError) as error:
            raise _silent(host, port, str(error)) from error
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
        if not line.startswith(b"HTTP/"):
            raise _silent(host, port, "it does not speak HTTP")


def _silent(host: str, port: int, why: str) -> Unavailable:
    return Unavailable(
        "the gateway does not answer", hint="is it up?", address=f"{host}:{port}", why=why
    )
