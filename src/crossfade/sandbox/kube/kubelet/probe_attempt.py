"""One try of a probe or hook: HTTP request, TCP connect, or a command in the container."""

import asyncio
import contextlib
import errno
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from crossfade.sandbox.kube.client import Object
from crossfade.sandbox.kube.kubelet.ports import port_number

Exec = Callable[[list[str], float], Awaitable[tuple[int, str]]]
"""Runs a command in the container with a timeout; gives exit code and output."""


@dataclass(frozen=True, slots=True)
class Target:
    """The container that is asked."""

    container: Object
    address: str
    ports: Mapping[int, int]
    exec: Exec


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one try."""

    good: bool
    message: str = ""


async def attempt(probe: Mapping[str, Any], target: Target, timeout_seconds: float) -> Outcome:
    """Return whether the container answered well; never raises."""
    try:
        if "httpGet" in probe:
            return await _http(probe["httpGet"], target, timeout_seconds)
        if "tcpSocket" in probe:
            return await _tcp(probe["tcpSocket"], target, timeout_seconds)
        if "grpc" in probe:  # its port is all that is looked at
            return await _tcp(probe["grpc"], target, timeout_seconds)
        if "exec" in probe:
            command: list[str] = list(probe["exec"].get("command") or [])
            code, output = await target.exec(command, timeout_seconds)
            return Outcome(code == 0, output.strip()[:1024])
    except TimeoutError:
        return Outcome(False, f"command timed out after {timeout_seconds:g}s")
    except OSError as error:
        return Outcome(False, str(error))
    return Outcome(False, "missing probe handler")


async def _tcp(action: Mapping[str, Any], target: Target, timeout_seconds: float) -> Outcome:
    port = port_number(target.container, action["port"], target.ports)
    if port is None:
        return Outcome(False, f'container has no port named "{action["port"]}"')
    host = action.get("host") or target.address
    try:
        async with asyncio.timeout(timeout_seconds):
            _, writer = await asyncio.open_connection(host, port)
    except TimeoutError:
        return Outcome(False, f"dial tcp {host}:{port}: i/o timeout")
    except OSError as error:
        return Outcome(False, f"dial tcp {host}:{port}: connect: {_reason(error)}")
    writer.close()
    return Outcome(True)


async def _http(action: Mapping[str, Any], target: Target, timeout_seconds: float) -> Outcome:
    port = port_number(target.container, action["port"], target.ports)
    if port is None:
        return Outcome(False, f'container has no port named "{action["port"]}"')
    host = action.get("host") or target.address
    secure = str(action.get("scheme", "HTTP")).upper() == "HTTPS"
    path = action.get("path") or "/"
    path = path if path.startswith("/") else "/" + path
    url = f"{'https' if secure else 'http'}://{host}:{port}{path}"
    headers = {"Host": f"{host}:{port}", "User-Agent": "kube-probe/1.32", "Accept": "*/*"}
    headers |= {one["name"]: one["value"] for one in action.get("httpHeaders") or ()}
    try:
        async with asyncio.timeout(timeout_seconds):
            status = await _status(host, port, _request(path, headers), secure=secure)
    except TimeoutError:
        return Outcome(False, f'Get "{url}": context deadline exceeded')
    except OSError as error:
        return Outcome(False, f'Get "{url}": dial tcp {host}:{port}: connect: {_reason(error)}')
    if status is None:
        return Outcome(False, f'Get "{url}": the answer is not HTTP')
    if 200 <= status < 400:
        return Outcome(True)
    return Outcome(False, f"HTTP probe failed with statuscode: {status}")


def _request(path: str, headers: Mapping[str, str]) -> bytes:
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1", "replace")


async def _status(host: str, port: int, request: bytes, *, secure: bool) -> int | None:
    reader, writer = await asyncio.open_connection(
        host, port, ssl=_unverified() if secure else None, limit=16 * 1024
    )
    try:
        writer.write(request)
        await writer.drain()
        try:
            line = await reader.readline()
        except ValueError:
            return None
        parts = line.split(None, 2)
        if len(parts) < 2 or not parts[0].startswith(b"HTTP/") or not parts[1].isdigit():
            return None
        status = int(parts[1])
        # Read on until the end: a server that is cut off in its answer may log an error.
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            for _ in range(64):
                if not await reader.read(16 * 1024):
                    break
        return status
    finally:
        writer.close()


@cache
def _unverified() -> ssl.SSLContext:
    """Probes do not check certificates, as those of a real kubelet do not."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _reason(error: OSError) -> str:
    if error.errno == errno.ECONNREFUSED:
        return "connection refused"
    return (error.strerror or str(error)).lower()
