"""How a running load looks: live in a terminal, a line a second otherwise."""

import asyncio
import math
import signal
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from crossfade.base.errors import InputError
from crossfade.base.units import parse_duration
from crossfade.cli.output import note, table
from crossfade.sandbox.load import Load
from crossfade.sandbox.load_figures import UNKNOWN, Figures, Shares, Source

if TYPE_CHECKING:
    from rich.table import Table

_WINDOW_SECONDS = 1.0


def seconds_of(duration: str) -> float:
    """Return how long to send.  Raises InputError."""
    if duration == "forever":
        return math.inf
    try:
        seconds = parse_duration(duration)
    except ValueError as error:
        raise InputError(
            f"--duration {error}", hint="for example `30s`, or `forever`", value=duration
        ) from error
    if seconds <= 0:
        raise InputError("--duration is not above 0", hint="for example `30s`", value=duration)
    return seconds


def run(load: Load, seconds: float) -> Figures:
    """Run the load with a view of it on stderr; Ctrl-C ends it early and keeps its figures."""

    async def both() -> Figures:
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, load.stop)
        async with asyncio.TaskGroup() as group:
            view = group.create_task(_live(load) if sys.stderr.isatty() else _lines(load))
            figures = await load.run(seconds)
            view.cancel()
        return figures

    return asyncio.run(both())


async def _lines(load: Load) -> None:
    second = 0
    while True:
        second += 1
        await asyncio.sleep(max(0.0, second - load.now()))
        note(_line(load, second))


def _line(load: Load, second: int) -> str:
    figures = load.figures
    latest = figures.shares(second - _WINDOW_SECONDS)
    parts = [
        f"{second:4d} s",
        f"{latest.answers / _WINDOW_SECONDS:.0f}/s",
        f"failed {figures.failed}",
        f"p99 {figures.latencies().p99_ms:.1f} ms",
        _percents(latest.versions),
        _percents(latest.clouds),
    ]
    return "  ".join(part for part in parts if part)


def _percents(shares: Mapping[str, float]) -> str:
    if set(shares) <= {UNKNOWN}:
        return ""
    return " ".join(f"{name} {share:.0%}" for name, share in shares.items())


async def _live(load: Load) -> None:
    from rich.console import Console
    from rich.live import Live

    with Live(console=Console(stderr=True), auto_refresh=False, transient=True) as live:
        while True:
            await asyncio.sleep(0.2)
            live.update(_picture(load), refresh=True)


def _picture(load: Load) -> "Table":
    from rich.table import Table

    figures = load.figures
    latest = figures.shares(max(0.0, load.now() - _WINDOW_SECONDS - 0.1))
    times = figures.latencies()
    picture = Table(box=None, show_header=False, pad_edge=False)
    picture.add_row("time", f"{load.now():.0f} s at {load.rate:g} requests/s")
    picture.add_row("requests", f"{figures.requests}, {load.unanswered} waiting")
    picture.add_row("failed", str(figures.failed), style="bold red" if figures.failed else "")
    picture.add_row("latency", f"p50 {times.p50_ms:.1f}  p99 {times.p99_ms:.1f} ms")
    for name, shares in (("version", latest.versions), ("cloud", latest.clouds)):
        for key, share in shares.items():
            picture.add_row(name, f"{'█' * round(share * 40):40} {share:4.0%} {key}")
    return picture


def summary(figures: Figures) -> str:
    """Return the figures of a finished run as text."""
    times = figures.latencies()
    shares: Shares = figures.shares(0.0)
    lines = [
        f"{figures.requests} requests, {figures.failed} failed, "
        f"p50 {times.p50_ms:.1f} ms, p99 {times.p99_ms:.1f} ms, slowest {times.max_ms:.0f} ms"
    ]
    if set(figures.statuses) - {200}:
        counts = (f"{status}: {count}" for status, count in sorted(figures.statuses.items()))
        lines.append(f"answers by HTTP status: {', '.join(counts)}")
    if figures.failures:
        first = figures.failures[0]
        lines.append(f"first failure after {first.at:.1f} s: {first.reason}")
    rows = [
        (what, name, count, f"{part[name]:.1%}")
        for what, counts, part in (
            ("version", figures.versions(), shares.versions),
            ("cloud", figures.clouds(), shares.clouds),
        )
        for name, count in counts.items()
    ]
    if set(figures.statuses) == {404}:
        lines.append("nothing is there: --host names the host of an application, --url its page")
    elif set(figures.sources) == {Source()}:
        lines.append("who answered is not known: read are `version` and `cloud` of JSON answers")
    elif rows:
        lines.append(table(("BY", "NAME", "ANSWERS", "SHARE"), rows))
    return "\n".join(lines)
