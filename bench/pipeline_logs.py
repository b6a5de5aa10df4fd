"""How fast logs of steps go through: masked, kept and shown, and beside it without any secret."""

import asyncio
import base64
import random
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

from harness import verdict, write

from crossfade.adapters.runners.log_files import LogFiles
from crossfade.engine.pipelines.step_log import follow
from crossfade.ports.runner import Order, Output, RunId

LINES, ROUNDS = 20_000, 5
LEAST_LINES_PER_SECOND = 20_000
LINE = "2026-11-23T13:50:00Z INFO  building module com.example.shop:checkout [12/87] ok\n"
CHUNK = 64 * 1024


class Printing:
    """A runner whose run prints many lines."""

    async def output(self, _run: RunId) -> AsyncIterator[Output]:
        data = LINE.encode() * LINES
        for at in range(0, len(data), CHUNK):
            yield Output(data[at : at + CHUNK])


def secrets() -> tuple[str, ...]:
    """Return what the kubeconfig of three clusters holds, with a key and a token for each."""
    chance = random.Random(1)  # noqa: S311 - nobody's
    keys = (base64.b64encode(chance.randbytes(1_700)).decode() for _ in range(3))
    tokens = (base64.urlsafe_b64encode(chance.randbytes(700)).decode() for _ in range(3))
    return (*keys, *tokens)


def lines_per_second(known: tuple[str, ...]) -> float:
    """Return the lines of a log that go through in a second of processor time."""
    with tempfile.TemporaryDirectory() as folder:
        order = Order(RunId("1", 0, "step", 1), "", secrets=known)
        began = time.process_time()
        asyncio.run(follow(Printing(), LogFiles(Path(folder)), order, lambda _: None))  # type: ignore[arg-type]
        return LINES / (time.process_time() - began)


def main() -> int:
    """Take turns, as other work on the machine disturbs both."""
    plain, masked = [], []
    for _ in range(ROUNDS):
        plain.append(lines_per_second(()))
        masked.append(lines_per_second(secrets()))
    with_secrets, without = statistics.median(masked), statistics.median(plain)
    good = with_secrets >= LEAST_LINES_PER_SECOND
    megabytes = with_secrets * len(LINE) / 1e6
    print(
        f"secrets of 3 clusters: {with_secrets:,.0f} lines/s, {megabytes:.1f} MB/s  {verdict(good)}"
    )
    print(f"no secrets: {without:,.0f} lines/s, {without / with_secrets:.1f} times as many")
    print(f"limit: {LEAST_LINES_PER_SECOND:,} lines/s of {len(LINE)} characters; {ROUNDS} rounds")
    write("pipeline_logs", {"lines_per_second": with_secrets, "without_secrets": without})
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
