"""
How long a change of shares takes until users feel it, with five clouds.

Edge: from the moment the hub publishes until the first answer after the last one with the old
share.  All users are moved from one cloud to the next, to one that had none before.

Clouds: the same for the application's routes in five sandbox clouds, set in all at the same time
through their Kubernetes APIs.  All users are moved from one revision to the other.

Meanwhile eight users send a request through the edge each 20 ms.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import harness
import sandbox_clouds
from sandbox_clouds import REVISIONS

_CLOUDS = ("aws", "gcp", "azure", "hetzner", "onprem")
_CHANGES, _CHANGES_OF_ROUTES, _CONNECTIONS = 100, 40, 8
_PAUSE_SECONDS = 0.02
_SETTLE_SECONDS = 0.25
_TARGET_MS = 250.0


@dataclass
class Stream:
    """Answers as they come, each with the time its request was sent and its answer was there."""

    port: int
    answers: list[tuple[float, float, str]] = field(default_factory=list)
    failed: int = 0
    over: bool = False

    async def ask(self) -> None:
        """Send one request after the other on one connection until it is over."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        while not self.over:
            sent = time.monotonic()
            writer.write(f"GET / HTTP/1.1\r\nhost: {harness.HOST}\r\n\r\n".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(head.split("content-length: ")[1].split("\r\n")[0])
            body = await reader.readexactly(length)
            if " 200 " in head:
                self.answers.append((sent, time.monotonic(), json.loads(body)["name"]))
            else:
                self.failed += 1
            await asyncio.sleep(_PAUSE_SECONDS)
        writer.close()


@asynccontextmanager
async def streaming(port: int) -> AsyncIterator[Stream]:
    """Have requests go on until the block ends."""
    stream = Stream(port)
    async with asyncio.TaskGroup() as group:
        for _ in range(_CONNECTIONS):
            group.create_task(stream.ask())
        yield stream
        stream.over = True


async def turned(stream: Stream, old: str, start: float) -> float:
    """Return the seconds from `start` to the first answer after the last one of `old`."""
    async with asyncio.timeout(30):
        while True:
            await asyncio.sleep(_SETTLE_SECONDS)
            by_old = (sent for sent, _, name in stream.answers if name.startswith(old))
            last = max(by_old, default=start)
            since = [done for sent, done, _ in stream.answers if sent > last]
            if since and time.monotonic() - last > _SETTLE_SECONDS:
                return min(since) - start


async def at_the_edge() -> dict[str, Any]:
    """Move users round and round the clouds."""
    acknowledged, seen = [], []
    async with harness.setup(_CLOUDS) as made:
        await made.publish({name: 100 if name == _CLOUDS[0] else 0 for name in _CLOUDS})
        await asyncio.sleep(_SETTLE_SECONDS)
        async with streaming(made.port) as stream:
            for index in range(_CHANGES):
                old, new = _CLOUDS[index % 5], _CLOUDS[(index + 1) % 5]
                stream.answers.clear()
                start = time.monotonic()
                await made.publish({name: 100 if name == new else 0 for name in _CLOUDS})
                await made.in_force()
                acknowledged.append(1000 * (time.monotonic() - start))
                seen.append(1000 * await turned(stream, old, start))
    return figures(seen, stream) | {"acknowledged_p50_ms": harness.quantile(acknowledged, 0.5)}


async def in_the_clouds() -> dict[str, Any]:
    """Move users to and fro between two revisions in all clouds."""
    seen = []
    async with sandbox_clouds.sandbox(_CLOUDS) as made, streaming(made.port) as stream:
        for index in range(_CHANGES_OF_ROUTES):
            old, new = REVISIONS[index % 2], REVISIONS[(index + 1) % 2]
            stream.answers.clear()
            start = time.monotonic()
            await made.split({new: 100})
            seen.append(1000 * await turned(stream, old, start))
    return figures(seen, stream)


def figures(seen: list[float], stream: Stream) -> dict[str, Any]:
    """Return what is printed and kept of one part."""
    p50, p99 = harness.quantile(seen, 0.5), harness.quantile(seen, 0.99)
    good = p99 <= _TARGET_MS and stream.failed == 0
    return {"ok": good, "p50_ms": p50, "p99_ms": p99, "failed": stream.failed, "seen_ms": seen}


async def main() -> None:
    """Measure both parts."""
    result: dict[str, Any] = {"target_ms": _TARGET_MS}
    for name, part in (("edge", at_the_edge), ("clouds", in_the_clouds)):
        got = result[name] = await part()
        print(
            f"{name:6} {len(got['seen_ms'])} changes over {len(_CLOUDS)} clouds, seen in traffic "
            f"p50 {got['p50_ms']:.1f} ms, p99 {got['p99_ms']:.1f} ms, {got['failed']} failed   "
            f"(p99 <= {_TARGET_MS:.0f} ms, 0 failed: {harness.verdict(got['ok'])})"
        )
    harness.write("weight_change", result)


if __name__ == "__main__":
    asyncio.run(main())
