"""
Users who do not wait for each other: requests at a fixed rate, whatever the answers take.

Time is measured from the moment a request was due, so that a stall counts for all who met it.
"""

import asyncio
import contextlib
import json
import math
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

_Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_TICK_SECONDS = 0.005


@dataclass(frozen=True, slots=True)
class Answer:
    """How one request went."""

    due: float
    """When it was sent, in seconds of the monotonic clock."""
    seconds: float
    status: int
    """0 when there was no answer."""
    name: str
    """Who answered, as web_server.py says it; "" if nobody."""

    @property
    def failed(self) -> bool:
        """Whether a user would call it a failure."""
        return self.status == 0 or self.status >= 500


@dataclass(slots=True)
class Users:
    """Requests to 127.0.0.1:`port` for `host`, `rate` per second."""

    port: int
    host: str
    rate: float
    method: str = "GET"
    path: str = "/"
    patience_seconds: float = 10.0
    """After this long without an answer a user gives up: a failure."""
    answers: list[Answer] = field(default_factory=list)
    _idle: list[_Connection] = field(default_factory=list)

    async def run(self, seconds: float) -> None:
        """Send requests for so long, and wait for the last answer."""
        await self._go(asyncio.Event(), round(self.rate * seconds))

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Users"]:
        """Send requests until the block ends, and wait for the last answer."""
        over = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._go(over, math.inf))
            try:
                yield self
            finally:
                over.set()

    async def _go(self, over: asyncio.Event, count: float) -> None:
        start, sent = time.monotonic(), 0
        try:
            async with asyncio.TaskGroup() as group:
                while sent < count and not over.is_set():
                    while sent < count and (due := start + sent / self.rate) <= time.monotonic():
                        group.create_task(self._ask(due))
                        sent += 1
                    await asyncio.sleep(_TICK_SECONDS if self.rate < 500 else 0.001)
        finally:
            await self.close()

    async def close(self) -> None:
        """Close the connections."""
        while self._idle:
            await _close(self._idle.pop())

    def failed(self) -> list[Answer]:
        """Return the requests that failed, oldest first."""
        return sorted((a for a in self.answers if a.failed), key=lambda answer: answer.due)

    def names(self, since: float = 0.0) -> Counter[str]:
        """Return who answered how often requests that were due at `since` or later."""
        return Counter(answer.name for answer in self.answers if answer.due >= since)

    async def _ask(self, due: float) -> None:
        status, name = 0, ""
        connection: _Connection | None = None
        try:
            async with asyncio.timeout(self.patience_seconds):
                connection = await self._connect()
                status, name, again = await self._exchange(*connection)
            if again:
                self._idle.append(connection)
                connection = None
        except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError):
            pass
        finally:
            if connection is not None:
                await _close(connection)
        self.answers.append(Answer(due, time.monotonic() - due, status, name))

    async def _connect(self) -> _Connection:
        if self._idle:
            return self._idle.pop()
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def _exchange(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> tuple[int, str, bool]:
        writer.write(
            f"{self.method} {self.path} HTTP/1.1\r\nhost: {self.host}\r\n"
            "content-length: 0\r\n\r\n".encode()
        )
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        status = int(head.split(" ", 2)[1])
        if "content-length: " not in head:
            return status, "", False
        body = await reader.readexactly(int(head.split("content-length: ")[1].split("\r\n")[0]))
        name = json.loads(body)["name"] if body.startswith(b"{") else ""
        return status, name, "connection: close" not in head


async def _close(connection: _Connection) -> None:
    connection[1].close()
    with contextlib.suppress(OSError):
        await connection[1].wait_closed()
