"""
What edge_throughput.py measures, without chance: instructions that Envoy takes for a request with
what the hub programs, with a file by hand for the same job, and with a bare one.

    python bench/edge_instructions.py [REQUESTS]

Counted by callgrind (Debian package `valgrind`) in the thread that serves users, one request after
the other on one connection.  Callgrind makes Envoy fifty times slower, and what comes with time
dearer by as much: so nothing is flushed meanwhile, and what reports and probes take in a second is
counted apart, in all threads of the edge while nobody asks.
"""

import asyncio
import contextlib
import json
import re
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import harness
from edge_throughput import BARE, BY_HAND, CLOUDS, EDGE, programmed, setting

from crossfade.adapters.envoy.bootstrap import edge_command
from crossfade.testing.edge_process import running_edge

_TARGET = 0.97
_REQUESTS, _WARM, _IDLE_SECONDS, _START_SECONDS = 1000, 50, 5.0, 120.0
_NEVER_FLUSHED = {"stats_flush_interval": "299s"}
_REQUEST = f"GET / HTTP/1.1\r\nhost: {harness.HOST}\r\nuser-agent: bench\r\naccept: */*\r\n\r\n"


@dataclass
class Watched:
    """An Envoy that callgrind runs."""

    pid: int
    output: Path
    dumps: int = 0

    async def control(self, *arguments: str) -> None:
        """Tell callgrind what to do."""
        process = await asyncio.create_subprocess_exec(
            *("callgrind_control", *arguments, str(self.pid)),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        if await process.wait():
            raise RuntimeError(f"callgrind_control {arguments} failed")

    async def taken(self) -> list[int]:
        """Return the instructions of each thread since the last call."""
        self.dumps += 1
        await self.control("-d")
        files = sorted(self.output.parent.glob(f"{self.output.name}.{self.dumps}-*"))
        found = (
            re.search(r"^(?:summary|totals): (\d+)", f.read_text(), re.MULTILINE) for f in files
        )
        return [int(each[1]) if each else 0 for each in found]


@contextlib.asynccontextmanager
async def watched(folder: Path, bootstrap: dict[str, Any]) -> AsyncIterator[Watched]:
    """Run an Envoy within callgrind, which counts nothing yet."""
    path, output = folder / "edge.json", folder / "out"
    path.write_text(json.dumps(bootstrap))
    process = await asyncio.create_subprocess_exec(
        *("valgrind", "--tool=callgrind", "--instr-atstart=no", "--separate-threads=yes"),
        *(f"--callgrind-out-file={output}", *edge_command(path)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield Watched(process.pid, output)
    finally:
        process.kill()
        await process.wait()


async def connected(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Return a connection once the Envoy at this port listens."""
    async with asyncio.timeout(_START_SECONDS):
        while True:
            with contextlib.suppress(OSError):
                return await asyncio.open_connection("127.0.0.1", port)
            await asyncio.sleep(0.1)


async def ask(requests: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send requests one after the other.  Raises RuntimeError when one is not served."""
    for _ in range(requests):
        writer.write(_REQUEST.encode())
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        if b" 200 " not in head.split(b"\r\n", 1)[0] or length is None:
            raise RuntimeError(head.decode())
        await reader.readexactly(int(length[1]))


async def of_a_request(one: Watched, port: int, requests: int) -> float:
    """Return what the thread that serves users takes for a request."""
    reader, writer = await connected(port)
    await ask(_WARM, reader, writer)
    await one.control("-i", "on")
    await ask(_WARM, reader, writer)
    await one.taken()
    await ask(requests, reader, writer)
    writer.close()
    return max(await one.taken()) / requests


async def of_a_second(one: Watched) -> float:
    """Return what all threads take in a second."""
    await one.control("-i", "on")
    await asyncio.sleep(_IDLE_SECONDS)
    await one.taken()
    began = time.monotonic()
    await asyncio.sleep(_IDLE_SECONDS)
    return sum(await one.taken()) / (time.monotonic() - began)


async def counted(requests: int) -> tuple[dict[str, float], float]:
    """Return what each of the three takes for a request, and the edge for a second of reports."""
    found = {}
    async with setting() as made, contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        await stack.enter_async_context(running_edge(folder, made.files[CLOUDS]))
        edge = (made.ports[EDGE], made.edges, made.clouds, _START_SECONDS)
        for name in (BARE, BY_HAND, EDGE):
            (folder / name).mkdir()
            async with watched(folder / name, made.files[name] | _NEVER_FLUSHED) as one:
                if name == EDGE:
                    await programmed(*edge)
                found[name] = await of_a_request(one, made.ports[name], requests)
        (folder / "second").mkdir()
        async with watched(folder / "second", made.files[EDGE]) as one:
            await programmed(*edge)
            return found, await of_a_second(one)


def main(requests: int) -> int:
    """Count, print, and keep the result; return the exit code."""
    if shutil.which("valgrind") is None:
        print("not counted: there is no valgrind", file=sys.stderr)
        return 0
    found, second = asyncio.run(counted(requests))
    ratio, to_bare = (found[other] / found[EDGE] for other in (BY_HAND, BARE))
    print(
        f"instructions for a request: edge {found[EDGE]:,.0f}, by hand for the same job "
        f"{found[BY_HAND]:,.0f}, bare {found[BARE]:,.0f}; ratio {ratio:.3f}   "
        f"(>= {_TARGET}: {harness.verdict(ratio >= _TARGET)}), to bare {to_bare:.3f}; "
        f"edge for a second of reports and probes: {second:,.0f}"
    )
    harness.write(
        "edge_instructions",
        {
            "ratio": ratio,
            "ratio_to_bare": to_bare,
            "target": _TARGET,
            "ok": ratio >= _TARGET,
            "for_a_request": found,
            "for_a_second_of_reports": second,
        },
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else _REQUESTS))
