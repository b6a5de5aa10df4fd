"""What is wrong with a file: every problem with its place, reported at once."""

from dataclasses import dataclass, field
from typing import NamedTuple

from crossfade.base.errors import InputError
from crossfade.base.words import did_you_mean, shown

__all__ = ["Mark", "Problem", "Problems", "did_you_mean", "shown"]

_SHOWN = 50
"""So many problems are listed; a file with more is wrong as a whole."""


class Mark(NamedTuple):
    """A place in a file, counted from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing to mend."""

    at: Mark
    path: str
    """Keys from the top, as `spec.route.port`; "" for the file as a whole."""
    message: str


@dataclass(slots=True)
class Problems:
    """The problems of one file, collected while it is read."""

    file: str
    reference: str = "docs/reference/application-file.md lists every key"
    """Where people read what may stand in such a file."""
    found: list[Problem] = field(default_factory=list)

    def add(self, at: Mark, path: str, message: str) -> None:
        """Remember one more."""
        self.found.append(Problem(at, path, message))

    def __len__(self) -> int:
        return len(self.found)

    def refuse_if_any(self) -> None:
        """Raise InputError that lists all of them, in the order of the file."""
        if not self.found:
            return
        found = sorted(set(self.found))
        lines = [
            f"{self.file}:{at.line}:{at.column}: {f'{path}: ' if path else ''}{message}"
            for at, path, message in ((p.at, p.path, p.message) for p in found[:_SHOWN])
        ]
        if len(found) > _SHOWN:
            lines.append(f"... and {len(found) - _SHOWN} more")
        many = len(found) > 1
        what = f"{self.file} has {len(found)} problems:\n  " + "\n  ".join(lines)
        raise InputError(
            what if many else lines[0],
            hint=f"mend {'them' if many else 'it'} and send the file again; nothing was changed. "
            f"{self.reference}",
        )
