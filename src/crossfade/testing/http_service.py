"""A small HTTP service inside the test's own process, that answers what the test says."""

import asyncio
import json
import queue
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came over the wire."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """The path without the query."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the query, and those of a form in the body."""
        text = urlsplit(self.target).query
        if self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            text = f"{text}&{self.body.decode()}"
        return {name: values[0] for name, values in parse_qs(text).items()}

    def json(self) -> object:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Reply:
    """What to answer."""

    status: int = 200
    body: object = ""
    """Text or bytes as they are, anything else as JSON."""
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    """How long to wait before the answer."""

    @property
    def content(self) -> bytes:
        """The bytes of the body."""
        if isinstance(self.body, bytes):
            return self.body
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


class HttpService:
    """Answers with `answer`, and remembers what was asked."""

    def __init__(self, address: str = "") -> None:
        self.address = address
        self.asked: list[Asked] = []
        self.answer: Callable[[Asked], Reply] = lambda _: Reply()

    def say(self, *replies: Reply) -> None:
        """Answer these one after the other, and the last one from then on."""
        left = list(replies)
        self.answer = lambda _: left.pop(0) if len(left) > 1 else left[0]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection until it is closed."""
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                asked = await _read(head, reader)
                self.asked.append(asked)
                reply = self.answer(asked)
                await asyncio.sleep(reply.seconds)
                writer.write(_bytes(reply))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def http_service(trust: ssl.SSLContext | None = None) -> AsyncIterator[HttpService]:
    """Run a service on a free port of this machine, over TLS when `trust` is given."""
    service = HttpService()
    server = await asyncio.start_server(service.serve, "127.0.0.1", 0, ssl=trust)
    port = server.sockets[0].getsockname()[1]
    service.address = f"{'https' if trust else 'http'}://127.0.0.1:{port}"
    try:
        yield service
    finally:
        server.close()


async def _read(head: bytes, reader: asyncio.StreamReader) -> Asked:
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    pairs = (line.split(":", 1) for line in lines if ":" in line)
    headers = {name.lower(): value.strip() for name, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Asked(method, target, headers, body)


def _bytes(reply: Reply) -> bytes:
    content = reply.content
    headers = {"content-length": str(len(content)), **reply.headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {reply.status} Reply\r\n{lines}\r\n".encode() + content


@contextmanager
def http_service_beside() -> Iterator[HttpService]:
    """Run a service in a thread of its own, for tests that wait for a program."""
    started: queue.Queue[tuple[HttpService, asyncio.AbstractEventLoop, asyncio.Event]]
    started = queue.Queue()

    async def serve() -> None:
        ended = asyncio.Event()
        async with http_service() as service:
            started.put((service, asyncio.get_running_loop(), ended))
            await ended.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    service, loop, ended = started.get(timeout=10)
    try:
        yield service
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(10)
