"""Recorded windows: JSON lines, or a JSON list, with line and key of what is wrong."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NoReturn

from crossfade.adapters.documents.files import read_text
from crossfade.adapters.documents.problems import did_you_mean, shown
from crossfade.base.errors import InputError
from crossfade.base.ids import ClusterName
from crossfade.core.analysis.counts import Window

LARGEST_BYTES = 64 * 1024 * 1024
_KEYS = ("id", "cluster", "n_c", "n_s", "events", "at_s")
_NEEDED = _KEYS[:-1]
_LATEST = 2**53
"""Numbers from here on are no counts, and no times."""
_HINT = (
    'a window is {"id": 1, "cluster": "gcp", "n_c": 50, "n_s": 950, "events": {"errors": [0, 4]}}, '
    "one a line; docs/guides/analysis.md explains it"
)


def read_windows(path: Path) -> tuple[Window, ...]:
    """Return the windows of a file in its order.  Raises NotFound, Denied, InputError."""
    windows = tuple(_windows(read_text(path, LARGEST_BYTES), str(path)))
    if not windows:
        _refuse(str(path), "has no window")
    return windows


def _windows(text: str, file: str) -> Iterator[Window]:
    if text.lstrip().startswith("["):
        for index, value in enumerate(_parsed(text, file, 1)):
            yield _window(value, f"{file}: windows[{index}]")
        return
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield _window(_parsed(line, file, number), f"{file}:{number}")


def _parsed(text: str, file: str, line: int) -> list[object]:
    """Return the JSON of a text that begins in this line; a list for a list."""
    try:
        parsed: list[object] = json.loads(text, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        at = f"{file}:{line + error.lineno - 1}:{error.colno}"
        _refuse(at, f"is not valid JSON: {error.msg}")
    except (ValueError, RecursionError) as error:
        _refuse(f"{file}:{line}", f"is not valid JSON: {error}")
    return parsed


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number that JSON can hold")


def _window(value: object, at: str) -> Window:
    if not isinstance(value, Mapping):
        _refuse(at, f"{shown(value)} is not allowed; allowed: a window")
    for key in value:
        if key not in _KEYS:
            near = did_you_mean(str(key), _KEYS)
            _refuse(at, f"unknown key {shown(key)}; allowed: {', '.join(_KEYS)}{near}")
    for key in _NEEDED:
        if key not in value:
            _refuse(at, f"{key}: is missing")
    cluster = value["cluster"]
    if not isinstance(cluster, str) or not cluster:
        _refuse(at, f"cluster: {shown(cluster)} is not allowed; allowed: a name")
    counts = {key: _count(value[key], f"{at}: {key}") for key in ("id", "n_c", "n_s")}
    events = _events(value["events"], f"{at}: events")
    try:
        return Window(
            counts["id"],
            ClusterName(cluster),
            counts["n_c"],
            counts["n_s"],
            events,
            _time(value.get("at_s"), f"{at}: at_s"),
        )
    except ValueError as error:
        _refuse(at, str(error))


def _events(value: object, at: str) -> dict[str, tuple[int, int]]:
    if not isinstance(value, Mapping):
        _refuse(at, f"{shown(value)} is not allowed; allowed: a mapping of metrics to events")
    found = {}
    for metric, pair in value.items():
        here = f"{at}.{metric}"
        if not isinstance(pair, list) or len(pair) != 2:
            _refuse(here, f"{shown(pair)} is not allowed; allowed: [canary's, stable's]")
        found[str(metric)] = (_count(pair[0], f"{here}[0]"), _count(pair[1], f"{here}[1]"))
    return found


def _count(value: object, at: str) -> int:
    if isinstance(value, float) and value.is_integer() and value < _LATEST:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < _LATEST:
        _refuse(at, f"{shown(value)} is not allowed; allowed: a whole number from 0")
    return value


def _time(value: object, at: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) >= _LATEST:
        _refuse(at, f"{shown(value)} is not allowed; allowed: seconds")
    return float(value)


def _refuse(at: str, message: str) -> NoReturn:
    raise InputError(f"{at}: {message}", hint=_HINT)
