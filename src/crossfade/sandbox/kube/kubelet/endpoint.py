"""
The HTTPS server of the kubelet: a real API server asks it for logs.

Answers `GET /containerLogs/NAMESPACE/POD/CONTAINER` and `GET /healthz`, nothing else.
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from crossfade.sandbox.kube.client import ApiError
from crossfade.sandbox.kube.logs import LogQuery, LogReader
from crossfade.sandbox.kube.objects.timestamps import seconds_of

_LONGEST_REQUEST = 32 * 1024
_REQUEST_SECONDS = 10.0


class Endpoint:
    """Serves the logs of one kubelet."""

    def __init__(self, reader: LogReader) -> None:
        self._reader = reader

    async def serve(self, address: str, certificate: Path, key: Path) -> asyncio.Server:
        """Listen on a free port (`server.sockets[0].getsockname()`), until the server is closed."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        return await asyncio.start_server(
            self._answer, address, 0, ssl=context, limit=_LONGEST_REQUEST
        )

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_REQUEST_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
            method, target, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
            try:
                chunks = self._chunks(method, target)
            except ApiError as error:
                _plain(writer, error.code, error.message)
            else:
                await _stream(writer, chunks)
            await writer.drain()
        except (OSError, ValueError, TimeoutError, asyncio.IncompleteReadError):
            return  # whoever asked is gone, or does not speak HTTP
        except asyncio.LimitOverrunError:
            _plain(writer, 431, "the request is too long")
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def _chunks(self, method: str, target: str) -> AsyncIterator[bytes]:
        url = urlsplit(target)
        parts = [unquote(part) for part in url.path.split("/")[1:]]
        if method != "GET":
            raise ApiError(405, "MethodNotAllowed", "only GET is answered here")
        if parts == ["healthz"]:
            return _one(b"ok")
        if len(parts) != 4 or parts[0] != "containerLogs":
            raise ApiError(404, "NotFound", "404 page not found")
        _, namespace, pod, container = parts
        query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        return self._reader(
            LogQuery(
                namespace,
                pod,
                container,
                tail_lines=_number(query.get("tailLines")),
                follow=query.get("follow") == "true",
                previous=query.get("previous") == "true",
                timestamps=query.get("timestamps") == "true",
                since_seconds=_number(query.get("sinceSeconds")),
                limit_bytes=_number(query.get("limitBytes")),
                since_time=seconds_of(query["sinceTime"]) if "sinceTime" in query else None,
            )
        )


async def _one(data: bytes) -> AsyncIterator[bytes]:
    yield data


def _number(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isdigit():
        raise ApiError(400, "BadRequest", f"{text!r} is not a number")
    return int(text)


def _plain(writer: asyncio.StreamWriter, code: int, text: str) -> None:
    body = text.encode()
    reason = HTTPStatus(code).phrase
    head = f"HTTP/1.1 {code} {reason}\r\nContent-Type: text/plain\r\n"
    head += f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    writer.write(head.encode() + body)


async def _stream(writer: asyncio.StreamWriter, chunks: AsyncIterator[bytes]) -> None:
    head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n"
    writer.write(head.encode() + b"Connection: close\r\n\r\n")
    async for chunk in chunks:
        if chunk:
            writer.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
            await writer.drain()
    writer.write(b"0\r\n\r\n")
