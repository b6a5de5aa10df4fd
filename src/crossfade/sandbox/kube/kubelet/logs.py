"""Logs of containers: files with one line of `time stream F|P text` for each line of output."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from crossfade.base.clock import Clock
from crossfade.sandbox.kube.objects.timestamps import micro_stamp, seconds_of

ROTATE_BYTES = 10 * 1024 * 1024
_BLOCK = 64 * 1024
_LONGEST_LINE = 16 * 1024


class LogFile:
    """The output of one run of one container; the older half of a long one is in `FILE.1`."""

    def __init__(self, path: Path, clock: Clock, rotate_bytes: int = ROTATE_BYTES) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path, self._clock, self._rotate_bytes = path, clock, rotate_bytes
        self._file = path.open("ab", buffering=0)
        self._size = self._file.tell()
        self._partial = {"stdout": b"", "stderr": b""}
        self.written = asyncio.Event()
        self.closed = False

    def write(self, stream: str, data: bytes) -> None:
        """Append what the process wrote."""
        lines = (self._partial[stream] + data).split(b"\n")
        rest = lines.pop()
        prefix = f"{micro_stamp(self._clock.now())} {stream} ".encode()
        out = [prefix + b"F " + line + b"\n" for line in lines]
        if len(rest) > _LONGEST_LINE:
            out.append(prefix + b"P " + rest + b"\n")
            rest = b""
        self._partial[stream] = rest
        if out:
            self._append(b"".join(out))

    def _append(self, data: bytes) -> None:
        if self._size + len(data) > self._rotate_bytes and self._size:
            self._file.close()
            self.path.replace(rotated(self.path))
            self._file = self.path.open("ab", buffering=0)
            self._size = 0
        try:
            self._file.write(data)
        except OSError:
            return  # a full disk must not end the container
        self._size += len(data)
        self.written.set()

    def close(self) -> None:
        """Write what is left of a last line without an end, and wake those who follow."""
        if self.closed:
            return
        for stream, rest in self._partial.items():
            if rest:
                prefix = f"{micro_stamp(self._clock.now())} {stream} P "
                self._append(prefix.encode() + rest + b"\n")
        self.closed = True
        self.written.set()
        self._file.close()


def rotated(path: Path) -> Path:
    """Return where the older half of a log is."""
    return path.with_name(path.name + ".1")


@dataclass(frozen=True, slots=True)
class LogOptions:
    """Which part of a log is wanted, as the query of `GET .../log` says it."""

    tail_lines: int | None = None
    since: float | None = None
    """Only lines with a time (seconds since the epoch) not before this."""
    timestamps: bool = False
    limit_bytes: int | None = None


def read(path: Path, options: LogOptions) -> Iterator[bytes]:
    """Yield what is in the files now, in blocks."""
    yield from _limited(_rendered(_selected(path, options), options), options.limit_bytes)


def _lines(path: Path) -> Iterator[bytes]:
    for part in (rotated(path), path):
        try:
            with part.open("rb") as file:
                yield from file
        except FileNotFoundError:
            continue


def _selected(path: Path, options: LogOptions) -> Iterator[bytes]:
    lines = _last_lines(path, options.tail_lines) if options.tail_lines is not None else None
    for line in lines if lines is not None else _lines(path):
        if options.since is not None:
            time = seconds_of(line.split(b" ", 1)[0].decode("ascii", "replace"))
            if time < options.since:
                continue
        yield line


def _last_lines(path: Path, count: int) -> list[bytes]:
    if count <= 0:
        return []
    lines: list[bytes] = []
    for part in (path, rotated(path)):
        if len(lines) < count:
            lines = _tail(part, count - len(lines)) + lines
    return lines


def _tail(path: Path, count: int) -> list[bytes]:
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return []
    with file:
        position, data = file.seek(0, os.SEEK_END), b""
        while position > 0 and data.count(b"\n") <= count:
            step = min(_BLOCK, position)
            position = file.seek(position - step)
            data = file.read(step) + data
    return _split(data)[-count:]


def _split(data: bytes) -> list[bytes]:
    """Return the lines with their ends; unlike `splitlines` it leaves a `\\r` alone."""
    return [line + b"\n" for line in data.split(b"\n")[:-1]]


def _rendered(lines: Iterator[bytes], options: LogOptions) -> Iterator[bytes]:
    block: list[bytes] = []
    size = 0
    begins = True
    for line in lines:
        block.append(render(line, timestamps=options.timestamps and begins))
        begins = block[-1].endswith(b"\n")
        size += len(block[-1])
        if size >= _BLOCK:
            yield b"".join(block)
            block, size = [], 0
    if block:
        yield b"".join(block)


def render(line: bytes, *, timestamps: bool) -> bytes:
    """Return a line of the file as its reader wants it; the rest of a long one has no time."""
    parts = line.split(b" ", 3)
    if len(parts) != 4:
        return line
    time, _, whole, text = parts
    if whole == b"P":
        text = text[:-1]
    return time + b" " + text if timestamps else text


def _limited(blocks: Iterator[bytes], limit: int | None) -> Iterator[bytes]:
    left = limit
    for block in blocks:
        if left is None:
            yield block
            continue
        yield block[:left]
        left -= len(block)
        if left <= 0:
            return


async def follow(
    path: Path, options: LogOptions, live: Callable[[], LogFile | None]
) -> AsyncIterator[bytes]:
    """Yield what is there, then what is added, until the run of the container has ended."""
    # Read and measured without a pause: nothing is written between the two.
    before = list(read(path, options))
    inode, position = _end_of(path)
    left = options.limit_bytes
    begins = True
    for block in before:
        yield block
        begins = block.endswith(b"\n")
        left = None if left is None else left - len(block)
    while left is None or left > 0:
        log = live()
        open_still = log is not None and not log.closed
        if log is not None:
            log.written.clear()
        data, inode, position = _news(path, inode, position)
        for line in data:
            text = render(line, timestamps=options.timestamps and begins)[:left]
            begins = text.endswith(b"\n")
            left = None if left is None else left - len(text)
            if text:
                yield text
        if not open_still or log is None:
            return
        if not data:
            await _written(log)


def _end_of(path: Path) -> tuple[int, int]:
    try:
        seen = path.stat()
    except FileNotFoundError:
        return 0, 0
    return seen.st_ino, seen.st_size


async def _written(log: LogFile) -> None:
    try:
        async with asyncio.timeout(1.0):  # several readers share the event: none waits for ever
            await log.written.wait()
    except TimeoutError:
        return


def _news(path: Path, inode: int, position: int) -> tuple[list[bytes], int, int]:
    """Return whole lines after `position`, going on in the new file after a rotation."""
    lines: list[bytes] = []
    try:
        with path.open("rb") as file:
            stat = os.fstat(file.fileno())
            if inode not in (0, stat.st_ino):
                lines, _, _ = _news(rotated(path), inode, position)
                position = 0
            file.seek(position)
            data = file.read()
    except FileNotFoundError:
        return lines, inode, position
    end = data.rfind(b"\n") + 1
    lines += _split(data[:end])
    return lines, stat.st_ino, position + end
