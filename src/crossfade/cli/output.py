"""What commands print: data on stdout, as text or as JSON, and the rest on stderr."""

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer


class Format(StrEnum):
    """How data is printed."""

    TEXT = "text"
    JSON = "json"


OutputOption = Annotated[
    Format, typer.Option("--output", "-o", help="How data is printed on stdout.")
]
"""Every command that prints data takes `output: OutputOption = Format.TEXT`."""


def show(data: object, output: Format, text: Callable[[], str]) -> None:
    """
    Print `data` (plain JSON values) as JSON, or what `text` makes of it.

    An empty text prints nothing, not an empty line.
    """
    if output is Format.JSON:
        typer.echo(json.dumps(data, indent=2, ensure_ascii=False))
        return
    if written := text():
        typer.echo(written)


def json_line(data: object) -> str:
    """Return data as one line of JSON, for streams of them."""
    return json.dumps(data, ensure_ascii=False)


def note(text: str) -> None:
    """Print something for people, on stderr."""
    typer.echo(text, err=True)


def progress(text: str) -> None:
    """Tell somebody who waits at a terminal what is being done; programs are not told."""
    if sys.stderr.isatty():
        note(text)


def moment(at: float) -> str:
    """Return a time as `2026-01-31 12:00:00Z`: in UTC, as clusters and logs tell it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def day(at: float) -> str:
    """Return the day of a time, in UTC."""
    return moment(at)[:10]


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """
    Return rows in aligned columns under their headings; None is shown as `-`.

    Plain text without colour, so that it can be read anywhere and cut by other programs.
    """
    lines = [tuple(columns), *(tuple(_cell(value) for value in row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(columns))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _cell(value: object) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "".join(character if character.isprintable() else "?" for character in str(value))
