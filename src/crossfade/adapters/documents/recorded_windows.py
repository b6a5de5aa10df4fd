"""Recorded windows: JSON lines, or a JSON list, with line and key of what is wrong."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NoReturn, TypeVar

from crossfade.adapters.documents.files import read_text
from crossfade.adapters.documents.problems import did_you_mean, shown
from crossfade.base.errors import InputError
from crossfade.base.ids import ClusterName
from crossfade.core.analysis.calibration import PodWindow
from crossfade.core.analysis.counts import Window

T = TypeVar("T")

LARGEST_BYTES = 64 * 1024 * 1024
_KEYS = ("id", "cluster", "n_c", "n_s", "events", "at_s")
_NEEDED = _KEYS[:-1]
_POD_KEYS = ("id", "cluster", "pod", "n", "events")
_LATEST = 2**53
"""Numbers from here on are no counts, and no times."""
_HINT = (
    'a window is {"id": 1, "cluster": "gcp", "n_c": 50, "n_s": 950, "events": {"errors": [0, 4]}}, '
    "one a line; docs/guides/analysis.md explains it"
)
_POD_HINT = (
    'a window of a pod is {"id": 1, "cluster": "gcp", "pod": "a", "n": 50, "events": '
    '{"errors": 2}}, one a line; docs/guides/analysis.md explains it'
)


def read_windows(path: Path) -> tuple[Window, ...]:
    """Return the windows of a file in its order.  Raises NotFound, Denied, InputError."""
    return _read(path, _window, _HINT)


def read_pod_windows(path: Path) -> tuple[PodWindow, ...]:
    """Return what each pod counted, in the file's order.  Raises NotFound, Denied, InputError."""
    return _read(path, _pod_window, _POD_HINT)


def _read(path: Path, make: Callable[[object, str], T], hint: str) -> tuple[T, ...]:
    windows = tuple(make(*each) for each in _values(read_text(path, LARGEST_BYTES), str(path)))
    if not windows:
        _refuse(str(path), "has no window", hint)
    return windows


def _values(text: str, file: str) -> Iterator[tuple[object, str]]:
    """Return each value of the file and where it stands."""
    if text.lstrip().startswith("["):
        for index, value in enumerate(_parsed(text, file, 1)):
            yield value, f"{file}: windows[{index}]"
        return
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield _parsed(line, file, number), f"{file}:{number}"


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
    found = _fields(value, at, (_KEYS, _NEEDED), _HINT)
    cluster = _name(found["cluster"], f"{at}: cluster", _HINT)
    counts = {key: _count(found[key], f"{at}: {key}") for key in ("id", "n_c", "n_s")}
    events = _events(found["events"], f"{at}: events")
    try:
        return Window(
            counts["id"],
            ClusterName(cluster),
            counts["n_c"],
            counts["n_s"],
            events,
            _time(found.get("at_s"), f"{at}: at_s"),
        )
    except ValueError as error:
        _refuse(at, str(error))


def _pod_window(value: object, at: str) -> PodWindow:
    found = _fields(value, at, (_POD_KEYS, _POD_KEYS), _POD_HINT)
    cluster = _name(found["cluster"], f"{at}: cluster", _POD_HINT)
    pod = _name(found["pod"], f"{at}: pod", _POD_HINT)
    id_, n = _count(found["id"], f"{at}: id", _POD_HINT), _count(found["n"], f"{at}: n", _POD_HINT)
    if not isinstance(found["events"], Mapping):
        allowed = "a mapping of metrics to counts"
        _refuse(
            f"{at}: events",
            f"{shown(found['events'])} is not allowed; allowed: {allowed}",
            _POD_HINT,
        )
    events = {}
    for metric, count in found["events"].items():
        here = f"{at}: events.{metric}"
        events[str(metric)] = _count(count, here, _POD_HINT)
        if events[str(metric)] > n:
            _refuse(here, f"{count} of {n} requests; allowed: 0 up to the requests", _POD_HINT)
    return PodWindow(id_, ClusterName(cluster), pod, n, events)


def _fields(
    value: object, at: str, keys: tuple[tuple[str, ...], tuple[str, ...]], hint: str
) -> Mapping[str, object]:
    """Return the value with its keys checked: `keys` are those that are allowed, and needed."""
    allowed, needed = keys
    if not isinstance(value, Mapping):
        _refuse(at, f"{shown(value)} is not allowed; allowed: a window", hint)
    for key in value:
        if key not in allowed:
            near = did_you_mean(str(key), allowed)
            _refuse(at, f"unknown key {shown(key)}; allowed: {', '.join(allowed)}{near}", hint)
    for key in needed:
        if key not in value:
            _refuse(at, f"{key}: is missing", hint)
    return value


def _name(value: object, at: str, hint: str) -> str:
    if not isinstance(value, str) or not value:
        _refuse(at, f"{shown(value)} is not allowed; allowed: a name", hint)
    return value


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


def _count(value: object, at: str, hint: str = _HINT) -> int:
    if isinstance(value, float) and value.is_integer() and value < _LATEST:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < _LATEST:
        _refuse(at, f"{shown(value)} is not allowed; allowed: a whole number from 0", hint)
    return value


def _time(value: object, at: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) >= _LATEST:
        _refuse(at, f"{shown(value)} is not allowed; allowed: seconds")
    return float(value)


def _refuse(at: str, message: str, hint: str = _HINT) -> NoReturn:
    raise InputError(f"{at}: {message}", hint=hint)
