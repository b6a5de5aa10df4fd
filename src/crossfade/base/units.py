"""Durations as people write them."""

import math
import re

_PARTS = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+)ms)?", re.ASCII)
_PLAIN = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
_FACTORS = (3600.0, 60.0, 1.0, 0.001)

DURATIONS = "a duration such as 90, 90s, 2m, 1h30m or 500ms"
"""What is allowed, for messages."""

LONGEST_SECONDS = 366 * 86400.0


def parse_duration(text: str) -> float:
    """Return seconds; a plain number counts seconds.  Raises ValueError saying what is allowed."""
    seconds = _seconds(text.strip())
    if seconds is None:
        raise ValueError(f"is not {DURATIONS}")
    if not seconds <= LONGEST_SECONDS:
        raise ValueError("is longer than a year")
    return seconds


def format_duration(seconds: float) -> str:
    """Return the shortest way to write it that `parse_duration` reads, for example `1h30m`."""
    if seconds != math.floor(seconds):
        return f"{round(seconds * 1000)}ms" if seconds < 1 else f"{seconds:.3f}".rstrip("0") + "s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "m"), (rest, "s"))
    return "".join(f"{count}{unit}" for count, unit in parts if count) or "0s"


def _seconds(text: str) -> float | None:
    if _PLAIN.fullmatch(text):
        return float(text)
    found = _PARTS.fullmatch(text)
    if not text or found is None:
        return None
    return sum(
        float(part) * factor
        for part, factor in zip(found.groups(), _FACTORS, strict=True)
        if part is not None
    )
