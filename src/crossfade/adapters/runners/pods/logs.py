"""What a container printed, read in turns: each turn asks from the last time on."""

from dataclasses import dataclass

_SECONDS = len("2026-01-31T12:00:00")
_ZONE = len("+00:00")


@dataclass(frozen=True, slots=True)
class Position:
    """Up to where a log has been read."""

    time: str = ""
    """Of the last line, as the log has it; "": from the beginning."""
    lines: int = 0
    """So many lines of that time have been read; several may have the same one."""
    begun: int = -1
    """So many bytes of the last of them, if it was not whole; -1: it was."""

    @property
    def since(self) -> str:
        """The time to ask from, in whole seconds as API servers take it; "": from the start."""
        zone = "Z" if self.time.endswith("Z") else self.time[-_ZONE:]
        return f"{self.time[:_SECONDS]}{zone}" if self.time else ""


def news(log: bytes, seen: Position) -> tuple[bytes, Position]:
    """Return what is new in a log whose lines begin with times, and how far it is read then."""
    found: list[bytes] = []
    at, known = seen, 0
    for line in _lines(log):
        stamp, _, text = line.partition(b" ")
        time = stamp.decode(errors="replace")
        if time < seen.time:
            continue
        if seen.time and time == seen.time and known < seen.lines:
            known += 1
            if known == seen.lines and seen.begun >= 0:
                found.append(text[seen.begun :])
                at = Position(time, known, _begun(text))
            continue
        found.append(text)
        at = Position(time, at.lines + 1 if time == at.time else 1, _begun(text))
    return b"".join(found), at


def _lines(log: bytes) -> list[bytes]:
    """Return lines as logs have them: a carriage return ends none."""
    *whole, rest = log.split(b"\n")
    return [line + b"\n" for line in whole] + ([rest] if rest else [])


def _begun(text: bytes) -> int:
    return -1 if text.endswith(b"\n") else len(text)
