"""Connections of callers that are slow, silent or far too many: each has its deadlines."""

import asyncio
from asyncio import TimerHandle
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from crossfade.api.limits import LARGEST_BODY
from crossfade.api.problems import MEDIA_TYPE, problem

HEAD_SECONDS = 10.0
"""For the whole head of a request: of the first one from when the connection is made."""
UNREAD_SECONDS = 60.0
"""Who takes nothing more of an answer for so long is gone; streams are taken up again later."""
LARGEST_HEAD = 64 * 1024
LARGEST_REST = 8 * LARGEST_BODY
"""Of a request after its head: a body in chunks of a byte is six times as large as it says."""
MOST = 500
"""Connections at once: half of the files that a process may have open on most machines."""


@dataclass(slots=True)
class _Deadline:
    """Something that is done unless it is called off in time."""

    loop: asyncio.AbstractEventLoop
    act: Callable[[], None]
    timer: TimerHandle | None = None

    @property
    def runs(self) -> bool:
        return self.timer is not None

    def start(self, seconds: float) -> None:
        self.stop()
        self.timer = self.loop.call_later(seconds, self.act)

    def stop(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
        self.timer = None


class Connection(HttpToolsProtocol):
    """
    Uvicorn's connection, which by itself waits for ever: for a head, and for who reads its answer.

    Where there are too many, the one that has waited longest for a request gives way: those whose
    requests are being answered, streams among them, never do.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._head = _Deadline(self.loop, self._end_head)
        self._reader = _Deadline(self.loop, self._end_reader)
        self._received = 0
        """Bytes of this head, or of this request since its head."""
        self.idle_since = self.loop.time()

    @property
    def waits(self) -> bool:
        """Whether no whole request is here that would have to be answered."""
        return self._rests or self.cycle.more_body

    @property
    def _rests(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request; make room where there is none."""
        super().connection_made(transport)
        self._head.start(HEAD_SECONDS)
        there = [each for each in self.connections if isinstance(each, Connection)]
        there = [each for each in there if not each.transport.is_closing()]
        if len(there) <= MOST:
            return
        oldest = min((each for each in there if each.waits), key=_since)
        if oldest is self:  # all others are being answered
            self._refuse(503, "unavailable", "too many connections are open", "try again later")
        else:
            oldest.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        super().connection_lost(exc)
        self._head.stop()
        self._reader.stop()

    def data_received(self, data: bytes) -> None:
        """Read on, up to a deadline and a size."""
        if not self._head.runs and self._rests:
            self._received = 0
            self._head.start(HEAD_SECONDS)
        self._received += len(data)
        super().data_received(data)
        if self._head.runs and self._received > LARGEST_HEAD:
            hint = f"send at most {LARGEST_HEAD} bytes of address and headers"
            self._refuse(431, "invalid-input", "the headers are too large", hint)
        elif self._received > LARGEST_REST:
            self.transport.abort()  # its answer has been sent, or waits for a body that has no end

    def on_headers_complete(self) -> None:
        """Answer the request; its body has a deadline of its own."""
        self._head.stop()
        self._received = 0
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request, as long as connections are kept."""
        self.idle_since = self.loop.time()
        super().on_response_complete()

    def pause_writing(self) -> None:
        """Have a reader that does not read some time to go on."""
        super().pause_writing()
        self._reader.start(UNREAD_SECONDS)

    def resume_writing(self) -> None:
        """Go on, as the reader does."""
        self._reader.stop()
        super().resume_writing()

    def _end_head(self) -> None:
        if self._received:
            hint = f"send the whole head within {HEAD_SECONDS:g} s"
            self._refuse(408, "invalid-input", "the request does not come", hint)
        else:
            self.transport.close()

    def _end_reader(self) -> None:
        self.transport.abort()

    def _refuse(self, status: int, code: str, what: str, hint: str) -> None:
        if self.transport.is_closing():
            return
        body = bytes(problem(status, code, what, hint).body)
        head = (
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: {MEDIA_TYPE}\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()


def _since(connection: Connection) -> float:
    return connection.idle_since
