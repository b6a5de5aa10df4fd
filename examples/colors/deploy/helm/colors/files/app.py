"""
Color Coded: a web app that says which version of it, on which cloud, has answered.

`/` is a page that fills with squares, `/callme` the answer behind one square, `/healthz` says
whether users should come here.  One file, standard library only: it starts at once wherever
there is a Python.  `settings` has what can be set, so that a bad version can be shipped.
"""

import asyncio
import contextlib
import functools
import json
import os
import re
import signal
import socket
import sys
import time
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple, NoReturn

COLOURS = ("blue", "yellow", "red", "green", "purple", "orange", "teal", "pink", "grey")
HEAD_BYTES = 16 * 1024  # a request line with its headers; more is refused
BODY_BYTES = 64 * 1024  # read and thrown away; more is refused
BUFFER_BYTES = 64 * 1024  # pipelined requests that wait for their turn
SLOW_SECONDS = 10.0  # for a client to send a whole request, or to take a whole answer
# Above the hour after which proxies drop idle connections: it must not be us who closes first.
IDLE_SECONDS = 3900.0
QUIET_SECONDS = 1.0  # no requests for so long means that the gateway has let go of us

say = functools.partial(print, flush=True)  # one line of log
UNAVAILABLE = HTTPStatus.SERVICE_UNAVAILABLE
METHODS = {"/": "GET, HEAD", "/callme": "GET, HEAD, POST", "/healthz": "GET, HEAD"}
NODE_SUFFIX = re.compile(r"-(node-\d+|control-plane|worker\d*)$")
TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class Settings(NamedTuple):
    """What this process is, and how badly it behaves."""

    host: str
    port: int
    version: str
    colour: str
    cloud: str
    pod: str
    error_rate: float
    latency_seconds: float
    incident: Path
    start_seconds: float
    drain_seconds: float
    crash: bool


class Refused(Exception):
    """Status and reason of a request that is not answered as asked; the connection ends with it."""


class Request(NamedTuple):
    """What matters of a request; `body_bytes` follow its head."""

    method: str
    path: str
    keep_alive: bool
    body_bytes: int


class Answer(NamedTuple):
    """One answer, before it is known whether the connection stays open."""

    status: HTTPStatus
    content_type: str
    body: bytes
    headers: str = ""
    delay_seconds: float = 0.0


def plain(status: HTTPStatus, text: str) -> Answer:
    """Return an answer of one line of text."""
    return Answer(status, "text/plain; charset=utf-8", text.encode() + b"\n")


def settings(environment: dict[str, str]) -> Settings:
    """Return the settings in `environment`.  Raises ValueError with all that is wrong."""
    problems: list[str] = []

    def number(name: str, default: float, high: float, kind: str = "number") -> float:
        text = environment.get(name, "").strip() or str(default)
        value = float(text) if re.fullmatch(r"\d*\.?\d+(e\d+)?", text) else -1.0
        if not 0 <= value <= high or (kind == "whole number" and value % 1):
            problems.append(f"{name} is {text[:60]!r}: allowed is a {kind} from 0 to {high:.0f}")
            return 0.0
        return value

    def text(name: str, default: str, pattern: str, allowed: str) -> str:
        value = environment.get(name, "").strip() or default
        if not re.fullmatch(pattern, value):
            problems.append(f"{name} is {value[:60]!r}: allowed is {allowed}")
        return value

    label = (r"[A-Za-z0-9][A-Za-z0-9._+-]{0,252}", "up to 253 letters, digits and . _ + -")
    colours = f"one of {', '.join(COLOURS)}, or six hexadecimal digits like #3366cc"
    cloud = NODE_SUFFIX.sub("", text("CLOUD", "local", *label))
    faulty = cloud in text("FAULT_CLOUDS", cloud, r"[\w.+ -]+", "names of clouds").split()
    colour = text("COLOUR", "blue", rf"{'|'.join(COLOURS)}|#[0-9a-fA-F]{{6}}", colours)
    found = Settings(
        host=text("HOST", "127.0.0.1", r"[0-9A-Za-z.:%-]+|\*", "an address, or * for all"),
        port=int(number("PORT", 8080, 65535, "whole number")),
        version=text("VERSION", colour.lstrip("#"), *label),
        colour=colour,
        cloud=cloud,
        pod=text("POD_NAME", socket.gethostname(), r"[!-~]{1,253}", "a name without blanks"),
        error_rate=number("ERROR_RATE", 0, 1) * faulty,
        latency_seconds=number("LATENCY_MS", 0, 60_000) / 1000 * faulty,
        incident=Path(environment.get("INCIDENTS") or "/dev/null", f"{cloud}.json"),
        start_seconds=number("START_SECONDS", 0, 3600),
        drain_seconds=number("DRAIN_SECONDS", 5, 3600),
        crash=text("CRASH", "0", "[01]", "0 or 1") == "1",
    )
    if problems:
        raise ValueError("\n".join(problems))
    return found


def parse(head: bytes) -> Request:
    """Return the request whose head (without the empty line) this is.  Raises Refused."""
    lines = head.split(b"\r\n")
    parts = lines[0].split(b" ")
    if len(parts) != 3 or not TOKEN.fullmatch(parts[0]) or not parts[2].startswith(b"HTTP/"):
        raise Refused(HTTPStatus.BAD_REQUEST, "this is not an HTTP request")
    if parts[2] not in (b"HTTP/1.1", b"HTTP/1.0"):
        raise Refused(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "HTTP/1.1 and HTTP/1.0 only")
    headers = _headers(lines[1:])
    if parts[2] == b"HTTP/1.1" and b"host" not in headers:
        raise Refused(HTTPStatus.BAD_REQUEST, "the Host header is missing")
    wishes = headers.get(b"connection", b"").lower()
    keep_alive = b"keep-alive" in wishes if parts[2] == b"HTTP/1.0" else b"close" not in wishes
    target = parts[1].decode("latin-1").partition("?")[0]
    if target.startswith(("http://", "https://")):
        target = "/" + target.split("//", 1)[1].partition("/")[2]
    return Request(parts[0].decode(), target, keep_alive, _body_bytes(headers))


def _headers(lines: list[bytes]) -> dict[bytes, bytes]:
    headers: dict[bytes, bytes] = {}
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon or not TOKEN.fullmatch(name):
            raise Refused(HTTPStatus.BAD_REQUEST, "a header line is not `name: value`")
        name, value = name.lower(), value.strip()
        if name == b"content-length" and headers.get(name, value) != value:
            raise Refused(HTTPStatus.BAD_REQUEST, "Content-Length is given twice")
        headers[name] = value
    return headers


def _body_bytes(headers: dict[bytes, bytes]) -> int:
    if b"transfer-encoding" in headers:
        raise Refused(HTTPStatus.LENGTH_REQUIRED, "send a body with Content-Length")
    text = headers.get(b"content-length", b"0")
    if not text.isdigit():
        raise Refused(HTTPStatus.BAD_REQUEST, "Content-Length is not a number")
    if len(text) > 18 or int(text) > BODY_BYTES:
        raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"{BODY_BYTES} bytes are the most")
    return int(text)


class App:
    """What is answered; knows nothing of sockets."""

    def __init__(self, config: Settings, page: str, now: float) -> None:
        self.config, self.page = config, page.encode()
        self.connections: set[Connection] = set()
        self.ready_at = now + config.start_seconds
        self.last_user_at = now
        self.look()
        self.draining = False
        self.date = ""
        self._mark = f"X-Version: {config.version}\r\nX-Cloud: {config.cloud}\r\n"

    def answer(self, request: Request, now: float) -> Answer:
        """Return the answer to `request` at `now`, a time of the event loop."""
        allowed = METHODS.get(request.path)
        if allowed is None:
            return plain(HTTPStatus.NOT_FOUND, "there are /, /callme and /healthz")
        if request.method not in allowed.split(", "):
            refusal = plain(HTTPStatus.METHOD_NOT_ALLOWED, f"allowed: {allowed}")
            return refusal._replace(headers=f"Allow: {allowed}\r\n")
        if request.path == "/healthz":
            trouble = "shutting down" if self.draining else "starting"
            healthy = now >= self.ready_at and not self.draining
            return plain(HTTPStatus.OK, "ok") if healthy else plain(UNAVAILABLE, trouble)
        self.last_user_at = now
        if request.path == "/":
            return Answer(HTTPStatus.OK, "text/html; charset=utf-8", self.page, self._mark)
        return self._call(now)

    def _call(self, now: float) -> Answer:
        """Return the answer behind one square: with the same JSON whether it fails or not."""
        config, status = self.config, HTTPStatus.OK
        error_rate, latency_seconds = self.badness
        if now < self.ready_at:
            status = UNAVAILABLE
        elif error_rate and int.from_bytes(os.urandom(4), "big") < error_rate * 2**32:
            status = HTTPStatus.INTERNAL_SERVER_ERROR
        body = {name: getattr(config, name) for name in ("version", "colour", "cloud", "pod")}
        body["at"] = round(time.time(), 3)  # noqa: TID251 - stands alone: no Clock to take
        text = json.dumps(body).encode() + b"\n"
        return Answer(status, "application/json", text, self._mark, latency_seconds)

    def look(self) -> None:
        """Read what is wrong with the whole cloud now; without such a file it is nothing."""
        errors, seconds = self.config.error_rate, self.config.latency_seconds
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            found = json.loads(self.config.incident.read_text("utf-8"))
            errors, seconds = errors + found["errorRate"], seconds + found["latencyMs"] / 1000
        self.badness = (errors, seconds)

    def sweep(self, now: float) -> None:
        """Part with clients that are too slow or long gone; to be called about once a second."""
        self.date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())
        self.look()
        for connection in tuple(self.connections):
            connection.check(now)

    def quiet(self, now: float) -> bool:
        """Tell whether nobody is being answered and no user has asked for a while."""
        busy = any(connection.busy for connection in self.connections)
        return not busy and now - self.last_user_at > QUIET_SECONDS


class Connection(asyncio.Protocol):
    """One client: its requests are answered one after the other, in the order they came."""

    def __init__(self, app: App) -> None:
        self.app, self.loop = app, asyncio.get_running_loop()
        self.buffer = bytearray()
        self.skip_bytes = 0  # of a body
        self.busy = False  # an answer is on its way
        self.choked = False  # the client does not take what we send
        self.since = self.loop.time()  # when the wait for the client began

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - narrows the type
        self.transport = transport
        self.app.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.app.connections.discard(self)

    def data_received(self, data: bytes) -> None:
        if not self.buffer:
            self.since = self.loop.time()
        self.buffer += data
        if len(self.buffer) > BUFFER_BYTES:
            self.transport.pause_reading()
        self.advance()

    def pause_writing(self) -> None:
        self.choked, self.since = True, self.loop.time()

    def resume_writing(self) -> None:
        self.choked, self.since = False, self.loop.time()
        self.advance()

    def advance(self) -> None:
        """Answer as many of the requests in the buffer as can be answered now."""
        while not (self.busy or self.choked or self.transport.is_closing()):
            try:
                request = self.take()
            except Refused as refusal:
                self.refuse(refusal)
                return
            if request is None:
                self.transport.resume_reading()
                return
            answer = self.app.answer(request, self.loop.time())
            if answer.delay_seconds:
                self.busy = True
                self.loop.call_later(answer.delay_seconds, self.finish, request, answer)
            else:
                self.send(request, answer)

    def take(self) -> Request | None:
        """Return the next request of the buffer, or None while it is not whole."""
        skipped = min(self.skip_bytes, len(self.buffer))
        del self.buffer[:skipped]
        self.skip_bytes -= skipped
        while self.buffer.startswith(b"\r\n"):  # some clients end a body with one too many
            del self.buffer[:2]
        end = self.buffer.find(b"\r\n\r\n", 0, HEAD_BYTES)
        if end < 0:
            if len(self.buffer) >= HEAD_BYTES:
                why = f"{HEAD_BYTES} bytes of headers are the most"
                raise Refused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, why)
            return None
        request = parse(bytes(self.buffer[:end]))
        del self.buffer[: end + 4]
        self.skip_bytes, self.since = request.body_bytes, self.loop.time()
        return request

    def finish(self, request: Request, answer: Answer) -> None:
        """Send an answer that was held back, and go on with the next request."""
        self.busy = False
        if not self.transport.is_closing():
            self.send(request, answer)
            self.advance()

    def send(self, request: Request, answer: Answer) -> None:
        """Write the answer; close when the client wants it so or the app is shutting down."""
        keep_alive = request.keep_alive and not self.app.draining
        self.since = self.loop.time()
        head = (
            f"HTTP/1.1 {answer.status.value} {answer.status.phrase}\r\n"
            f"Date: {self.app.date}\r\n"
            f"Content-Type: {answer.content_type}\r\nContent-Length: {len(answer.body)}\r\n"
            f"Cache-Control: no-store\r\n{answer.headers}"
            f"Connection: {'keep-alive' if keep_alive else 'close'}\r\n\r\n"
        ).encode("latin-1")
        self.transport.write(head if request.method == "HEAD" else head + answer.body)
        if not keep_alive:
            self.transport.close()

    def refuse(self, refusal: Refused) -> None:
        """Say what is wrong with the request and end the connection."""
        self.send(Request("GET", "", False, 0), plain(*refusal.args))

    def check(self, now: float) -> None:
        """End the connection when its client keeps us waiting for too long."""
        waited = now - self.since
        if (self.choked or self.transport.is_closing()) and waited > SLOW_SECONDS:
            self.transport.abort()
        elif self.buffer and not self.busy and waited > SLOW_SECONDS:
            self.refuse(Refused(HTTPStatus.REQUEST_TIMEOUT, "the request took too long"))
        elif not self.busy and waited > IDLE_SECONDS:
            self.transport.close()


async def serve(config: Settings, page: str) -> None:
    """Answer requests until SIGTERM or SIGINT, then drain.  Raises OSError for a taken port."""
    loop = asyncio.get_running_loop()
    app, stop = App(config, page, loop.time()), asyncio.Event()
    app.sweep(loop.time())
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, stop.set)
    host = None if config.host == "*" else config.host
    listener = await loop.create_server(lambda: Connection(app), host, config.port)
    port = listener.sockets[0].getsockname()[1]
    say(f"listening host={config.host} port={port} version={config.version} cloud={config.cloud}")
    while not stop.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), 1)
        app.sweep(loop.time())
    await drain(app, listener)


async def drain(app: App, listener: asyncio.Server) -> None:
    """Serve on while gateways let go of us; end when nobody asks any more, or in time."""
    loop = asyncio.get_running_loop()
    app.draining, app.last_user_at = True, loop.time()
    deadline = loop.time() + app.config.drain_seconds
    say(f"draining connections={len(app.connections)} seconds={app.config.drain_seconds:g}")
    while loop.time() < deadline and not app.quiet(loop.time()):
        await asyncio.sleep(0.05)
        app.sweep(loop.time())
    listener.close()
    last = loop.time() + app.badness[1] + 1
    while app.connections and loop.time() < last:
        for connection in [each for each in app.connections if not each.busy]:
            connection.transport.close()
        await asyncio.sleep(0.02)
    say("stopped")


def fail(message: str, code: int) -> NoReturn:
    """Write the message for people and end with the exit code."""
    print("\n".join(f"error: {line}" for line in message.splitlines()), file=sys.stderr)
    sys.exit(code)


def main() -> None:
    """Run the app as the environment says."""
    try:
        config = settings(dict(os.environ))
    except ValueError as problems:
        fail(str(problems), 2)
    if config.crash:
        fail(f"version {config.version} was told to crash: CRASH=1", 1)
    page = os.environ.get("PAGE")  # where the source is given as text, the page is too
    page = page or Path(__file__).with_name("page.html").read_text("utf-8")
    try:
        asyncio.run(serve(config, page))
    except OSError as error:
        fail(f"cannot listen on {config.host} port {config.port}: {error.strerror}", 1)


if __name__ == "__main__":
    main()
