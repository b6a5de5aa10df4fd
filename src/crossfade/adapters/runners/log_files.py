"""Logs of steps as files of the state folder, one a run."""

import hashlib
import re
from pathlib import Path

from crossfade.base.errors import Unavailable
from crossfade.ports.runner import RunId

_MOST_READ = 1024 * 1024


class LogFiles:
    """Files below the folder of each build, which only their owner may read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, run: RunId) -> Path:
        """Return the file of a run; its name begins with that of the step, for people."""
        name = re.sub(r"[^A-Za-z0-9_.-]+", "-", run.key)[:60].strip(".-") or "step"
        digest = hashlib.sha256(run.key.encode()).hexdigest()[:8]
        file = f"{name}-{digest}.{run.generation}-{run.number}.log"
        return self._folder / run.build / "logs" / file

    def begin(self, run: RunId) -> None:
        """Begin with an empty log; see the port."""
        path = self.path(run)
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.write_bytes(b"")
            path.chmod(0o600)
        except OSError as error:
            raise _unavailable(error) from error

    def append(self, run: RunId, text: str) -> None:
        """Add text at the end; see the port."""
        try:
            with self.path(run).open("ab") as file:
                file.write(text.encode(errors="replace"))
        except OSError as error:
            raise _unavailable(error) from error

    def read(self, run: RunId, offset: int = 0) -> tuple[str, int]:
        """Return the text from this offset on; see the port."""
        try:
            with self.path(run).open("rb") as file:
                file.seek(offset)
                data = file.read(_MOST_READ)
        except FileNotFoundError:
            return "", offset
        whole = data if len(data) < _MOST_READ else data[: data.rfind(b"\n") + 1] or data
        return whole.decode(errors="replace"), offset + len(whole)


def _unavailable(error: OSError) -> Unavailable:
    return Unavailable(
        f"the log of a step cannot be written: {error.strerror or error}",
        hint="see that the state folder can be written and has room, then resume",
        file=error.filename,
    )
