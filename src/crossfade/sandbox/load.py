"""
Users: requests at a steady rate, whatever the servers do.

The load is open: each request has its time, and its latency counts from then, also when the
connection, the server or this process was late.  A closed loop would hide every stall.
"""

import asyncio
import json
import math
from collections import deque
from dataclasses import dataclass
from urllib.parse import urlsplit

import httptools

from crossfade.base.errors import InputError
from crossfade.sandbox.load_figures import Figures, Source

_CONNECTIONS = 2000
_RATE_MAX = 20_000.0


@dataclass(frozen=True, slots=True)
class Target:
    """Where requests go."""

    address: str
    port: int
    path: str
    host: str
    """The `Host` header."""


def target_of(url: str, host: str | None = None) -> Target:
    """Return the target; `host` replaces the URL's in the request.  Raises InputError."""
    parts = urlsplit(url)
    try:
        port = parts.port or 80
    except ValueError:
        port = 0
    if parts.scheme != "http" or not parts.hostname or not port:
        raise InputError(
            f"`{url}` cannot be loaded", hint="for example `http://127.0.0.1:17000/callme`"
        )
    path = (parts.path or "/callme") + (f"?{parts.query}" if parts.query else "")
    name = host or parts.netloc
    if any(ord(letter) <= 32 or ord(letter) >= 127 for letter in path + name):
        raise InputError(f"`{path}` or `{name}` has letters that need encoding", hint="encode them")
    return Target(parts.hostname, port, path, name)


class Load:
    """One run of requests; its figures can be read at any moment."""

    def __init__(self, target: Target, rate: float, timeout_seconds: float = 10.0) -> None:
        """`rate` is requests per second.  Raises InputError when it is out of range."""
        if not 0 < rate <= _RATE_MAX:
            raise InputError(
                f"{rate:g} requests per second are not possible",
                hint=f"the rate is above 0 and up to {_RATE_MAX:g}",
            )
        self.figures = Figures()
        self.rate = rate
        self._target, self._timeout = target, timeout_seconds
        self._request = (
            f"GET {target.path} HTTP/1.1\r\nHost: {target.host}\r\n"
            "User-Agent: crossfade-load\r\nAccept: application/json\r\n\r\n"
        ).encode()
        self._idle: list[_Connection] = []
        self._all: set[_Connection] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self._waiting: deque[_Wish] = deque()
        self._stop, self._settled = asyncio.Event(), asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._start = 0.0

    def now(self) -> float:
        """Return the seconds since the start, as the figures count them."""
        return self._loop.time() - self._start if self._loop else 0.0

    @property
    def unanswered(self) -> int:
        """Requests that have neither an answer nor failed yet."""
        return self.figures.requests - self.figures.answered - self.figures.failed

    def stop(self) -> None:
        """Send nothing any more; `run` returns when the last answer is in."""
        self._stop.set()

    async def run(self, seconds: float = math.inf) -> Figures:
        """Send for so long, wait for the last answers, and return the figures."""
        self._loop = asyncio.get_running_loop()
        self._start = self._loop.time()
        async with asyncio.TaskGroup() as self._group:
            sweeper = self._group.create_task(self._sweep())
            try:
                await self._send_all(seconds)
                self._stop.set()
                if self.unanswered:
                    await self._settled.wait()
            finally:
                sweeper.cancel()
                for connection in list(self._all):
                    connection.close()
        # Transports close one turn of the loop later.
        await asyncio.sleep(0)
        return self.figures

    async def _send_all(self, seconds: float) -> None:
        due = 0.0
        while due < seconds and not self._stop.is_set():
            late = self.now() - due
            if late < 0:
                await asyncio.sleep(-late)
                continue
            self.figures.requests += 1
            self._send(_Wish(due))
            due = self.figures.requests / self.rate
            if late > 0.05 and self.figures.requests % 64 == 0:
                await asyncio.sleep(0)  # catching up must not keep answers from coming in

    def _send(self, wish: "_Wish") -> None:
        while self._idle:
            connection = self._idle.pop()
            if connection.open:
                connection.send(wish)
                return
        self._send_fresh(wish)

    def _send_fresh(self, wish: "_Wish") -> None:
        """Send on a new connection, or on the next free one when there are too many."""
        if len(self._all) + len(self._opening) < _CONNECTIONS:
            task = self._group.create_task(self._open(wish))
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)
        else:
            self._waiting.append(wish)

    async def _open(self, wish: "_Wish") -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._timeout):
                _, connection = await loop.create_connection(
                    lambda: _Connection(self), self._target.address, self._target.port
                )
        except OSError as error:
            self.failed(wish, f"connect: {type(error).__name__}")
        else:
            self._all.add(connection)
            connection.send(wish)

    def free(self, connection: "_Connection") -> None:
        """Take back a connection that can be used again."""
        if self._waiting:
            connection.send(self._waiting.popleft())
        else:
            self._idle.append(connection)

    def lost(self, connection: "_Connection") -> None:
        """Forget a connection."""
        self._all.discard(connection)

    def answered(self, wish: "_Wish", status: int, body: bytes) -> None:
        """Count an answer."""
        now = self.now()
        self.figures.answer(now, now - wish.due, status, source_of(body))
        self._check_settled()

    def failed(self, wish: "_Wish", reason: str) -> None:
        """Count a request without an answer."""
        now = self.now()
        self.figures.no_answer(now, now - wish.due, reason)
        self._check_settled()

    def _check_settled(self) -> None:
        if self._stop.is_set() and not self.unanswered:
            self._settled.set()

    def again(self, wish: "_Wish") -> None:
        """Send once more, on another connection (RFC 9110, 9.2.2)."""
        self.figures.resent += 1
        wish.resent = True
        self._send_fresh(wish)

    @property
    def request(self) -> bytes:
        """The bytes of one request."""
        return self._request

    async def _sweep(self) -> None:
        """Give up on what has taken too long."""
        while True:
            await asyncio.sleep(0.02)
            oldest = self.now() - self._timeout
            for connection in list(self._all):
                if connection.wish is not None and connection.wish.due < oldest:
                    connection.give_up("no answer in time")
            while self._waiting and self._waiting[0].due < oldest:
                self.failed(self._waiting.popleft(), "no connection in time")
            while self._waiting and len(self._all) + len(self._opening) < _CONNECTIONS:
                self._send(self._waiting.popleft())


@dataclass(slots=True)
class _Wish:
    due: float
    """When it should be sent, in seconds since the start."""
    resent: bool = False


class _Connection(asyncio.Protocol):
    """One kept connection with at most one request on it."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._body: list[bytes] = []
        self.wish: _Wish | None = None
        self.open = False
        self.reused = False
        self._heard = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._transport, self.open = transport, True

    def send(self, wish: _Wish) -> None:
        """Send one request; the connection must be idle."""
        self.wish, self._heard = wish, False
        if self._transport is None or not self.open:
            self._fail("connection closed")
            return
        self._transport.write(self._load.request)

    def close(self) -> None:
        """Close without counting."""
        self.wish = None
        self.open = False
        if self._transport is not None:
            self._transport.abort()

    def give_up(self, reason: str) -> None:
        """Count the request on it as failed, and close."""
        self._fail(reason)
        self.close()

    def data_received(self, data: bytes) -> None:
        self._heard = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.give_up("no HTTP answer")

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        status, body = self._parser.get_status_code(), b"".join(self._body)
        self._body.clear()
        if status < 200:
            return
        wish, self.wish = self.wish, None
        keep = self._parser.should_keep_alive()
        self._parser = httptools.HttpResponseParser(self)
        if wish is not None:
            self._load.answered(wish, status, body)
        if keep and self.open:
            self.reused = True
            self._load.free(self)
        else:
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self.open = False
        self._load.lost(self)
        wish = self.wish
        if wish is None:
            return
        if self.reused and not self._heard and not wish.resent:
            self.wish = None
            self._load.again(wish)
        else:
            self._fail(f"connection lost: {type(exc).__name__ if exc else 'closed'}")

    def _fail(self, reason: str) -> None:
        wish, self.wish = self.wish, None
        if wish is not None:
            self._load.failed(wish, reason)


def source_of(body: bytes) -> Source:
    """Return who answered, as an answer of the colors app says it."""
    try:
        data = json.loads(body)
        return Source(str(data["version"]), str(data["cloud"]))
    except (ValueError, KeyError, TypeError):
        return Source()
