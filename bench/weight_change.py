"""
How long a change of shares takes until users feel it, with five clouds.

Edge part: from the moment the hub publishes until the last answer that still has the old share.
All users are moved from one cloud to the next, to one that had none before, while
requests go through the edge one after the other on eight connections.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import harness

_CLOUDS = ("aws", "gcp", "azure", "hetzner", "onprem")
_CHANGES, _CONNECTIONS = 100, 8
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
            await asyncio.sleep(0.002)
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


async def moved(made: harness.Setup, stream: Stream, old: str, new: str) -> tuple[float, float]:
    """Move all users from one cloud to another; return seconds until acknowledged and seen."""
    stream.answers.clear()
    start = time.monotonic()
    await made.publish({name: 100 if name == new else 0 for name in _CLOUDS})
    await made.in_force()
    acknowledged = time.monotonic() - start
    await asyncio.sleep(_SETTLE_SECONDS)
    last_old = max((sent for sent, _, name in stream.answers if name == old), default=start)
    first_new = min(done for sent, done, name in stream.answers if sent >= last_old and name == new)
    return acknowledged, first_new - start


async def main() -> None:
    """Move users round and round, and print how long each move took."""
    acknowledged, seen = [], []
    async with harness.setup(_CLOUDS) as made:
        await made.publish({name: 100 if name == _CLOUDS[0] else 0 for name in _CLOUDS})
        await asyncio.sleep(_SETTLE_SECONDS)
        async with streaming(made.port) as stream:
            for index in range(_CHANGES):
                old, new = _CLOUDS[index % 5], _CLOUDS[(index + 1) % 5]
                first, second = await moved(made, stream, old, new)
                acknowledged.append(1000 * first)
                seen.append(1000 * second)
    p50, p99 = harness.quantile(seen, 0.5), harness.quantile(seen, 0.99)
    good = p99 <= _TARGET_MS and stream.failed == 0
    print(
        f"edge, {_CHANGES} changes over {len(_CLOUDS)} clouds: acknowledged p50 "
        f"{harness.quantile(acknowledged, 0.5):.1f} ms, p99 "
        f"{harness.quantile(acknowledged, 0.99):.1f} ms; seen in traffic p50 {p50:.1f} ms, p99 "
        f"{p99:.1f} ms; {stream.failed} failed   (p99 <= {_TARGET_MS:.0f} ms, 0 failed: "
        f"{harness.verdict(good)})"
    )
    result = {"edge": {"p50_ms": p50, "p99_ms": p99, "seen_ms": seen, "failed": stream.failed}}
    harness.write("weight_change", result | {"target_ms": _TARGET_MS, "ok": good})


if __name__ == "__main__":
    asyncio.run(main())
