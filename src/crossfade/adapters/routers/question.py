"""One question to a gateway, as a user would send it."""

import asyncio
import re
from collections.abc import Mapping

from crossfade.base.errors import Unavailable
from crossfade.ports.router import GatewayEndpoint

_LONGEST = 65536


async def ask(endpoint: GatewayEndpoint, headers: Mapping[str, str], seconds: float = 1.0) -> str:
    """
    Return the body of what the gateway answers, on a connection of its own; "" without a length.

    Raises Unavailable when there is no answer of HTTP in time.
    """
    try:
        async with asyncio.timeout(seconds):
            return await _ask(endpoint, headers)
    except (OSError, TimeoutError) as error:
        raise Unavailable(
            "the gateway does not answer",
            hint="can the hub reach it at this address?",
            address=f"{endpoint.host}:{endpoint.port}",
            why=str(error) or f"no answer in {seconds:g} s",
        ) from error


async def _ask(endpoint: GatewayEndpoint, headers: Mapping[str, str]) -> str:
    reader, writer = await asyncio.open_connection(endpoint.host, endpoint.port)
    try:
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"GET / HTTP/1.1\r\n{lines}connection: close\r\n\r\n".encode())
        await writer.drain()
        head = await reader.readuntil(b"\r\n\r\n")
        # Not to the end of the connection: gateways leave it open for us to close it.
        length = re.search(rb"\r\ncontent-length: *(\d+)\r\n", head, re.IGNORECASE)
        body = await reader.readexactly(min(int(length[1]), _LONGEST)) if length else b""
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        raise OSError("it does not speak HTTP") from error
    finally:
        writer.close()
    if not head.startswith(b"HTTP/"):
        raise OSError("it does not speak HTTP")
    return body.decode(errors="replace")
