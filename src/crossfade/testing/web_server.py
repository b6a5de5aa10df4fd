"""
A small web server to stand for an application in one cloud: `python web_server.py PORT NAME
[ADDRESS]`.

It imports nothing of ours and starts in the time of an interpreter, so that tests can start,
kill and stop (SIGSTOP) many.  It prints its port when it listens.  Every answer says who gave it:
`{"name", "method", "path", "host", "attempt", "probe"}`.  What to do is in the request's query:
`ms` waits before the answer, `code` sets its status, `chunks` answers in that many pieces, `ms`
apart.  `/become?code=503` answers everything with that status from then on, also probes.
A request with `Upgrade` gets 101, and then every byte back.
"""

import asyncio
import json
import sys
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    target: str
    headers: dict[str, str]

    def number(self, name: str, default: int) -> int:
        values = parse_qs(urlsplit(self.target).query).get(name)
        return int(values[0]) if values else default


class Server:
    """Answers requests, and counts them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.code = 200

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection until it is closed."""
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                request = _parse(head)
                await _read_body(reader, request)
                if "upgrade" in request.headers:
                    await _echo(reader, writer)
                    break
                await self._answer(request, writer)
                if request.headers.get("connection", "").lower() == "close":
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, request: _Request, writer: asyncio.StreamWriter) -> None:
        if request.target.startswith("/become"):
            self.code = request.number("code", 200)
        wait, chunks = request.number("ms", 0) / 1000, request.number("chunks", 0)
        body = json.dumps(
            {
                "name": self.name,
                "method": request.method,
                "path": request.target,
                "host": request.headers.get("host", ""),
                "attempt": int(request.headers.get("x-envoy-attempt-count", "0")),
                "probe": request.headers.get("x-crossfade-probe", ""),
            }
        ).encode()
        if request.method == "HEAD":
            body = b""
        start = b"HTTP/1.1 %d Answer\r\n" % request.number("code", self.code)
        if chunks:
            writer.write(start + b"transfer-encoding: chunked\r\n\r\n")
            for _ in range(chunks):
                writer.write(b"%x\r\n%s\r\n" % (len(body), body))
                await asyncio.sleep(wait)
            writer.write(b"0\r\n\r\n")
            return
        if wait:
            await asyncio.sleep(wait)
        writer.write(start + b"content-length: %d\r\n\r\n%s" % (len(body), body))


def _parse(head: bytes) -> _Request:
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    pairs = (line.split(":", 1) for line in lines if ":" in line)
    return _Request(method, target, {name.lower(): value.strip() for name, value in pairs})


async def _read_body(reader: asyncio.StreamReader, request: _Request) -> None:
    if request.headers.get("transfer-encoding") == "chunked":
        while size := int((await reader.readline()) or b"0", 16):
            await reader.readexactly(size + 2)
        await reader.readline()
    elif length := int(request.headers.get("content-length", "0")):
        await reader.readexactly(length)


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 101 Switching\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n")
    while data := await reader.read(4096):
        writer.write(data)


async def _main(port: int, name: str, address: str = "127.0.0.1") -> None:
    server = await asyncio.start_server(Server(name).serve, address, port, backlog=1024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), *sys.argv[2:]))
