"""How commands reach the supervisor: JSON lines on a socket that only its owner may use."""

import asyncio
import json
import os
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from crossfade.base import errors
from crossfade.base.errors import CrossfadeError, Unavailable

Json = dict[str, Any]
SOCKET = "control.sock"


class Server:
    """Answers requests while it is entered."""

    def __init__(self, directory: Path, answer: Callable[[Json], Awaitable[Json]]) -> None:
        self._directory, self._answer = directory, answer
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> "Server":
        (self._directory / SOCKET).unlink(missing_ok=True)
        endpoint = socket.socket(socket.AF_UNIX)
        mask = os.umask(0o177)
        try:
            _through(self._directory, endpoint.bind)
        finally:
            os.umask(mask)
        self._server = await asyncio.start_unix_server(self._serve, sock=endpoint)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.close()
        (self._directory / SOCKET).unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            line = await reader.readline()
            try:
                answer = {"ok": await self._answer(json.loads(line))}
            except CrossfadeError as error:
                answer = {"error": error_as_json(error)}
            except (ValueError, TypeError, TimeoutError, OSError) as error:
                answer = {"error": _unexpected(error)}
            writer.write(json.dumps(answer).encode() + b"\n")
            with suppress(ConnectionError):
                await writer.drain()
        finally:
            writer.close()


def ask(directory: Path, request: Json, seconds: float = 40.0) -> Json:
    """
    Send one request to the supervisor of the sandbox in `directory` and return the answer.

    Raises what the supervisor raised, and Unavailable when there is none or it does not answer.
    """
    endpoint = socket.socket(socket.AF_UNIX)
    endpoint.settimeout(seconds)
    try:
        with endpoint:
            _through(directory, endpoint.connect)
            endpoint.sendall(json.dumps(request).encode() + b"\n")
            with endpoint.makefile("rb") as lines:
                answer = json.loads(lines.readline())
    except (OSError, ValueError) as error:
        raise Unavailable(
            "the sandbox does not answer",
            hint="`crossfade sandbox up` starts it; `crossfade sandbox down` clears what is left",
            reason=type(error).__name__,
        ) from error
    if "error" in answer:
        raise error_from_json(answer["error"])
    result: Json = answer["ok"]
    return result


def error_as_json(error: CrossfadeError) -> Json:
    """Return an error so that it can be raised again elsewhere."""
    facts = {key: str(value) for key, value in error.facts.items()}
    return {"class": type(error).__name__, "what": error.what, "hint": error.hint, "facts": facts}


def error_from_json(data: Json) -> CrossfadeError:
    """Return the error that `error_as_json` was given."""
    kind = getattr(errors, data["class"], CrossfadeError)
    found: CrossfadeError = kind(data["what"], hint=data["hint"], **data["facts"])
    return found


def _unexpected(error: Exception) -> Json:
    return {
        "class": "CrossfadeError",
        "what": f"the sandbox met a surprise: {error!r}",
        "hint": "see supervisor.log in the sandbox's folder",
        "facts": {},
    }


def _through(directory: Path, use: Callable[[str], object]) -> None:
    """Bind or connect by way of the folder's descriptor: a socket's path has at most 107 bytes."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        use(f"/proc/self/fd/{descriptor}/{SOCKET}")
    finally:
        os.close(descriptor)
