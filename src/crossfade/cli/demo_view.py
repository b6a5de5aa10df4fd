"""The demo as people see it: a live picture in a terminal, plain lines elsewhere."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from crossfade.cli.output import Format
from crossfade.sandbox.demo.record import Act, Claim, Moment, Record

if TYPE_CHECKING:
    from rich.console import RenderableType

    from crossfade.sandbox.control import Progress
    from crossfade.sandbox.demo.stage import Stage
    from crossfade.sandbox.state import Layout

_BAR = 40
_COLOURS = {"blue": "blue", "yellow": "yellow", "red": "red"}


def make_view(output: Format) -> "View":
    """Return the view that fits where the output goes."""
    return LiveView() if output is Format.TEXT and sys.stdout.isatty() else View(output)


class View:
    """Plain lines: on stdout as text, on stderr when stdout carries the record as JSON."""

    def __init__(self, output: Format) -> None:
        self._err = output is Format.JSON

    def line(self, text: str) -> None:
        """Print one line at once."""
        typer.echo(text, err=self._err)
        (sys.stderr if self._err else sys.stdout).flush()

    def opening(self, layout: "Layout") -> None:
        """Say what begins."""
        self.line(f"starting {len(layout.clouds)} clouds: {', '.join(layout.clouds)}")

    def cloud_ready(self, news: "Progress") -> None:
        """Say that a cloud is ready."""
        self.line(f"  {news.cloud} is ready after {news.seconds:.1f} s")

    def opened(self, seconds: float) -> None:
        """Say that all clouds are ready."""
        self.line(f"  all clouds and the edge are ready after {seconds:.1f} s")

    def tell(self, act: Act, news: Moment | Claim) -> None:
        """Say what was seen."""
        self.line(_news(act, news))

    @contextmanager
    def showing(self, stage: "Stage") -> Iterator[None]:
        """Be ready to draw while this lasts."""
        yield

    def draw(self) -> None:
        """Draw the picture anew."""

    def closing(self, record: Record) -> None:
        """Say how it went."""
        for line in summary(record):
            self.line(line)


class LiveView(View):
    """Shares as bars that move, below the lines."""

    def __init__(self) -> None:
        super().__init__(Format.TEXT)
        self._live: Any = None
        self._stage: Stage | None = None

    def line(self, text: str) -> None:
        """Print one line above the picture."""
        if self._live is None:
            super().line(text)
        else:
            self._live.console.print(text, markup=False, highlight=False)

    @contextmanager
    def showing(self, stage: "Stage") -> Iterator[None]:
        """Show the picture while this lasts."""
        from rich.live import Live

        self._stage = stage
        with Live(auto_refresh=False, transient=True) as live:
            self._live = live
            try:
                yield
            finally:
                self._live = None

    def draw(self) -> None:
        """Draw the shares of the last second."""
        if self._live is not None and self._stage is not None:
            self._live.update(_picture(self._stage), refresh=True)


def _picture(stage: "Stage") -> "RenderableType":
    from rich.table import Table
    from rich.text import Text

    figures = stage.load.figures
    shares = stage.shares(stage.now() - 1.0)
    grid = Table.grid(padding=(0, 1))
    for title, parts in (("version", shares.versions), ("cloud", shares.clouds)):
        for name, part in parts.items():
            bar = Text("█" * round(part * _BAR), style=_COLOURS.get(name, "cyan"))
            grid.add_row(title, name, f"{100 * part:5.1f} %", bar)
            title = ""
    own = figures.errors_of_versions()
    counts = f"{figures.requests} requests, {figures.failed - own} lost, {own} errors of versions"
    grid.add_row("users", counts)
    return grid


def _news(act: Act, news: Moment | Claim) -> str:
    match news:
        case Moment(at, what):
            head = f"act {act.number}: " if what == act.title else "  "
            return f"[{at:5.1f} s] {head}{what}"
        case Claim(text, held, measured):
            return f"          {'ok  ' if held else 'FAIL'} {text} ({measured})"


def summary(record: Record) -> list[str]:
    """Return how it went, in a few lines."""
    figures = record.figures
    own = figures.errors_of_versions()
    latencies = figures.latencies()
    claims = [claim for act in record.acts for claim in act.claims]
    lines = [
        f"{figures.requests} requests, {figures.failed - own} lost; errors of versions reached"
        f" {own} users; p99 {latencies.p99_ms:.0f} ms",
        f"{sum(claim.held for claim in claims)} of {len(claims)} claims held",
    ]
    if record.trouble:
        lines.append(f"it could not go on: {record.trouble}")
    return lines
