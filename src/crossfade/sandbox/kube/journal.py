"""
Where the objects of one cloud survive a kill: a file to which each change is appended.

One line of JSON per change, after a head line; a line that was cut off by a kill is dropped.
Lines go to the kernel with one `write` before a client hears of success: they survive SIGKILL
of the process, though not a power cut, which ends the sandbox anyway.
"""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Self

FORMAT = 1
_SMALLEST_TO_COMPACT = 4 * 1024 * 1024


class Journal:
    """An append-only file of JSON records that is rewritten when most of it is out of date."""

    def __init__(self, path: Path) -> None:
        """
        Open the journal and take it for this process alone.

        Raises BlockingIOError while another process holds it.
        """
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = path
        self._lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            os.close(self._lock)
            raise
        self._size = 0
        self._compacted = 0

    def load(self) -> Iterator[dict[str, Any]]:
        """
        Yield the head record (empty for a new file), then each record in order.

        Raises ValueError for a file of another format.
        """
        with open(self._path, "rb") as lines:
            head = lines.readline()
            if not head.endswith(b"\n"):
                self._truncate(0)
                yield {}
                return
            record = json.loads(head)
            if record.get("format") != FORMAT:
                raise ValueError(f"{self._path}: format {record.get('format')} is not {FORMAT}")
            good = len(head)
            yield record
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                try:
                    record = json.loads(line)
                except ValueError:
                    break
                good += len(line)
                yield record
        self._truncate(good)
        self._compacted = good

    def _truncate(self, size: int) -> None:
        os.ftruncate(self._file, size)
        os.lseek(self._file, size, os.SEEK_SET)
        self._size = size

    def append(self, record: dict[str, Any]) -> None:
        """Add one record; raises OSError, with nothing added, when the disk is full."""
        data = _line(record)
        try:
            written = os.write(self._file, data)
            while written < len(data):
                written += os.write(self._file, data[written:])
        except OSError:
            with contextlib.suppress(OSError):
                self._truncate(self._size)
            raise
        self._size += len(data)

    def grown(self) -> bool:
        """Say whether it is time to `rewrite`: the file is large, and three times what it was."""
        return self._size > max(_SMALLEST_TO_COMPACT, 3 * self._compacted)

    def rewrite(self, head: dict[str, Any], records: Iterable[dict[str, Any]]) -> None:
        """Replace the file, at once or not at all; raises OSError when the disk is full."""
        fresh = f"{self._path}.new"
        file = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            with open(file, "wb", closefd=False) as lines:
                lines.write(_line({"format": FORMAT} | head))
                lines.writelines(_line(record) for record in records)
            os.rename(fresh, self._path)
        except OSError:
            os.close(file)
            Path(fresh).unlink(missing_ok=True)
            raise
        os.close(self._file)
        self._file = file
        self._size = self._compacted = os.lseek(file, 0, os.SEEK_END)

    def close(self) -> None:
        """Give the file to others.  Safe to repeat."""
        if self._lock >= 0:
            os.close(self._file)
            os.close(self._lock)
            self._file = self._lock = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _line(record: dict[str, Any]) -> bytes:
    return json.dumps(record, separators=(",", ":")).encode() + b"\n"
