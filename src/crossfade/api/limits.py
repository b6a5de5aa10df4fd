"""What holds for every request: how large it may be, which headers answers have, ETags."""

import asyncio
import hashlib
import json
import re

from fastapi.responses import JSONResponse
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crossfade.api.problems import problem

LARGEST_BODY = 1024 * 1024
BODY_SECONDS = 30.0
"""For the whole body to come."""
_SUSPICIOUS = re.compile(rb"\\u(0000|[dD][89a-fA-F])")
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, no-cache",
}


class Limits:
    """Refuses bodies that are too large before anything is done with them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = await _read(receive) if _has_body(scope) else b""
        if not isinstance(body, bytes):
            body.headers["Connection"] = "close"
            await body(scope, receive, send)
            return
        if _unkeepable(scope, body):
            hint = "leave out characters that no text has: U+0000, and halves of surrogate pairs"
            answer = problem(422, "invalid-input", "the request has characters of no text", hint)
            await answer(scope, receive, send)
            return
        first = True

        async def replay() -> Message:
            nonlocal first
            if first:
                first = False
                return {"type": "http.request", "body": body, "more_body": False}
            return await receive()

        await self._app(scope, replay, _with_headers(send))


class Tags:
    """Gives answers to GET an ETag; who has that version already is told so, without a body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        known = Headers(scope=scope).get("If-None-Match", "")
        await self._app(scope, receive, _Tagging(send, known))


class _Tagging:
    """Holds a JSON answer back until it is whole; streams go through."""

    def __init__(self, send: Send, known: str) -> None:
        self._send, self._known = send, known
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            kind = Headers(raw=message["headers"]).get("Content-Type", "")
            if message["status"] == 200 and kind.startswith("application/json"):
                self._start = message
                return
        elif self._start is not None:
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                await self._finish(self._start)
            return
        await self._send(message)

    async def _finish(self, start: Message) -> None:
        tag = f'"{hashlib.sha256(self._body).hexdigest()[:32]}"'
        headers = MutableHeaders(raw=list(start["headers"]))
        headers["ETag"] = tag
        known = [each.strip().removeprefix("W/") for each in self._known.split(",")]
        status, body = start["status"], self._body
        if tag in known or "*" in known:
            status, body = 304, b""
            del headers["Content-Length"]
        await self._send({**start, "status": status, "headers": headers.raw})
        await self._send({"type": "http.response.body", "body": body, "more_body": False})


def _has_body(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    return "Content-Length" in headers or "Transfer-Encoding" in headers


async def _read(receive: Receive) -> bytes | JSONResponse:
    """Return the whole body, or what to answer when it has no end."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _whole(receive)
    except TimeoutError:
        hint = f"send it within {BODY_SECONDS:g} s"
        return problem(408, "invalid-input", "the body does not come", hint)


async def _whole(receive: Receive) -> bytes | JSONResponse:
    parts, size = [], 0
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > LARGEST_BODY:
            hint = f"send at most {LARGEST_BODY} bytes"
            return problem(413, "invalid-input", "the body is too large", hint)
        if not message.get("more_body"):
            return b"".join(parts)


def _unkeepable(scope: Scope, body: bytes) -> bool:
    """Say whether a text of the request can be neither stored nor sent again."""
    if "\0" in scope["path"] or b"%00" in scope["query_string"]:
        return True
    # Whatever its type is said to be: that is read in more ways than one.
    if not _SUSPICIOUS.search(body):
        return False
    try:
        text = json.dumps(json.loads(body), ensure_ascii=False)
        text.encode()
    except UnicodeEncodeError:
        return True
    except (ValueError, RecursionError):
        return False  # no JSON: that is told where it is read
    # A backslash that is written in a text stands there twice.
    return "\\u0000" in text.replace("\\\\", "")


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message["headers"])
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            message["headers"] = headers.raw
        await send(message)

    return sending
