"""The registries that people have made known: a file of the state folder, without passwords."""

import fcntl
import json
import os
from collections.abc import Callable
from pathlib import Path

from crossfade.base.codec import from_json, to_json
from crossfade.base.errors import InputError, Unavailable
from crossfade.base.files import write_text
from crossfade.core.image.registries import KnownRegistry

Registries = tuple[KnownRegistry, ...]


class RegistryFile:
    """Reads and changes the file; processes may share it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Registries:
        """Return the registries.  Raises InputError when the file cannot be read."""
        try:
            return tuple(from_json(KnownRegistry, each) for each in json.loads(self._text()))
        except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
            raise InputError(
                f"the known registries cannot be read: {error}",
                hint="mend the file, or remove it and make them known anew",
                file=str(self._path),
            ) from error

    def _text(self) -> str:
        try:
            return self._path.read_text()
        except FileNotFoundError:
            return "[]"

    def change(self, changed: Callable[[Registries], Registries]) -> Registries:
        """Return the registries as they are saved; others change them before or after."""
        lock = self._locked()
        try:
            found = changed(self.read())
            write_text(self._path, json.dumps([to_json(each) for each in found], indent=2) + "\n")
        except OSError as error:
            raise _unwritable(error) from error
        finally:
            os.close(lock)
        return found

    def _locked(self) -> int:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path = self._path.with_suffix(".lock")
            lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _unwritable(error) from error
        fcntl.flock(lock, fcntl.LOCK_EX)
        return lock


def _unwritable(error: OSError) -> Unavailable:
    return Unavailable(
        f"the known registries cannot be saved: {error.strerror or error}",
        hint="see that the state folder can be written and has room",
        file=error.filename,
    )
