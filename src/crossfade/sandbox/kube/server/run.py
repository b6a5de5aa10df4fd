"""The listening side of the API: HTTPS by uvicorn, as a part of a larger process."""

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from crossfade.sandbox.kube.server.app import ApiServer


@dataclass(frozen=True, slots=True)
class Listen:
    """Where to listen."""

    port: int
    """0: a free one."""
    certificate: Path | None = None
    """PEM; None: plain HTTP."""
    key: Path | None = None
    host: str = "127.0.0.1"


class Listening:
    """A server that listens from `start` until `stop`."""

    def __init__(self, app: ApiServer, listen: Listen) -> None:
        self._app, self._listen = app, listen
        self.started = asyncio.Event()
        """Set once connections are accepted."""
        self.port = listen.port

    async def run(self) -> None:
        """Serve until cancelled; raises OSError when the port is taken."""
        import socket

        from uvicorn.config import Config
        from uvicorn.server import Server

        started = self.started

        class Quiet(Server):
            """A server that leaves signals to the process that it is a part of."""

            @contextlib.contextmanager
            def capture_signals(self) -> Iterator[None]:
                yield

            async def startup(self, sockets: list[socket.socket] | None = None) -> None:
                await super().startup(sockets)
                started.set()

        # asyncio turns Nagle's delay (40 ms an answer) off only for sockets that say they are TCP.
        listener = socket.socket(proto=socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((self._listen.host, self._listen.port))
        except OSError:
            listener.close()
            raise
        self.port = listener.getsockname()[1]
        config = Config(
            self._app,
            loop="asyncio",
            http="httptools",
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=1,
            backlog=1024,
            ssl_certfile=self._listen.certificate,
            ssl_keyfile=self._listen.key,
        )
        server = Quiet(config)
        try:
            async with asyncio.TaskGroup() as group:
                serving = group.create_task(server.serve(sockets=[listener]))
                try:
                    await asyncio.shield(serving)
                except asyncio.CancelledError:
                    self._app.close()
                    server.should_exit = True
                    await serving
                    raise
        finally:
            listener.close()
