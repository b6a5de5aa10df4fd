"""One edge's Envoy as a child process, for as long as a block runs."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from crossfade.adapters.envoy.bootstrap import edge_command
from crossfade.base.errors import Unavailable

_START_SECONDS = 10.0
_STOP_SECONDS = 5.0
_LOOK_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class EdgeProcess:
    """A running edge."""

    pid: int
    admin_url: str


@contextlib.asynccontextmanager
async def running_edge(
    folder: Path, bootstrap: dict[str, Any], *, concurrency: int = 1
) -> AsyncIterator[EdgeProcess]:
    """
    Run an edge with its files in `folder` until the block ends.

    It is handed over once its admin page answers, which needs no hub.  Raises Unavailable with
    Envoy's last words when it ends before that.
    """
    path, log = folder / "edge.json", folder / "edge.log"
    path.write_text(json.dumps(bootstrap))
    address = bootstrap["admin"]["address"]["socket_address"]
    admin_url = f"http://{address['address']}:{address['port_value']}"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *edge_command(path, concurrency),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        await _wait_until_up(process, admin_url, log)
        yield EdgeProcess(process.pid, admin_url)
    finally:
        await _end(process)


async def _wait_until_up(process: asyncio.subprocess.Process, admin_url: str, log: Path) -> None:
    try:
        async with asyncio.timeout(_START_SECONDS), httpx.AsyncClient() as client:
            while process.returncode is None:
                with contextlib.suppress(httpx.TransportError):
                    await client.get(f"{admin_url}/server_info")
                    return
                await asyncio.sleep(_LOOK_SECONDS)
    except TimeoutError:
        pass
    raise Unavailable(
        "the edge's Envoy did not start",
        hint=f"its log is {log}",
        words=_end_of(log),
    )


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def _end_of(log: Path) -> str:
    return log.read_text(errors="replace").strip()[-500:]
