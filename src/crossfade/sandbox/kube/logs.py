"""How the API server asks the kubelet for what a container wrote."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Which lines of which container, as the options of `pods/NAME/log` say it."""

    namespace: str
    pod: str
    container: str
    tail_lines: int | None = None
    """Only the last so many lines; None: all."""
    follow: bool = False
    """Go on until the container has ended."""
    previous: bool = False
    """The instance before the last restart."""
    timestamps: bool = False
    """Begin each line with its time (RFC 3339)."""
    since_seconds: float | None = None
    """Only lines that are not older; None: all."""
    limit_bytes: int | None = None
    since_time: float | None = None
    """Only lines that are not older than this, in seconds since the epoch; goes before the age."""


LogReader: TypeAlias = Callable[[LogQuery], AsyncIterator[bytes]]
"""Yields the lines in chunks; raises ApiError 400 or 404 at the first when there is no such log."""
