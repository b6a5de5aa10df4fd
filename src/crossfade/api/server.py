"""The listening side of the API, as a part of a larger process."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import FastAPI
from uvicorn.config import Config
from uvicorn.server import Server

from crossfade.api.connections import Connection
from crossfade.base.errors import Conflict
from crossfade.engine.feed import Feed

HOST = "127.0.0.1"
_END_SECONDS = 1
"""Requests that are not done by then are cut off."""


class _Part(Server):
    """Signals are for the process that this is a part of."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


def listening(port: int) -> socket.socket:
    """Return a socket that listens on the port of 127.0.0.1.  Raises Conflict."""
    opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((HOST, port))
    except OSError as error:
        opened.close()
        raise Conflict(
            f"the API cannot listen on {HOST}:{port}: {error.strerror}",
            hint="`crossfade up --port` takes another one, `--no-api` none",
            port=port,
        ) from error
    opened.listen(128)
    return opened


async def serve(app: FastAPI, feed: Feed, opened: socket.socket) -> None:
    """Answer requests until cancelled; then streams end at once, requests within a second."""
    config = Config(
        app,
        http=Connection,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=_END_SECONDS,
    )
    server = _Part(config)
    async with asyncio.TaskGroup() as group:
        reader = group.create_task(feed.run())
        serving = group.create_task(server.serve([opened]))
        try:
            await asyncio.shield(serving)
        finally:
            feed.close()
            server.should_exit = True
            reader.cancel()
            if not serving.done():
                await asyncio.shield(_ended(serving))


async def _ended(serving: asyncio.Task[None]) -> None:
    await asyncio.wait({serving}, timeout=_END_SECONDS + 1)
