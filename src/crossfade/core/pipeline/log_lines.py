"""What a step printed as numbered lines, the same ones however the text comes in pieces."""

from dataclasses import dataclass

LONGEST = 8192
"""A line of more characters is shown as several."""


@dataclass(slots=True)
class LogLines:
    """Cuts a text that comes in pieces into lines."""

    count: int = 0
    """How many lines have been returned: the number of the newest one."""
    _rest: str = ""

    def feed(self, text: str) -> list[str]:
        """Return the lines that are whole now, without their ends."""
        *whole, self._rest = (self._rest + text).split("\n")
        lines = [part for line in whole for part in _parts(line.removesuffix("\r"))]
        while len(self._rest) > LONGEST + 1:  # the last one may be part of the end of the line
            lines.append(self._rest[:LONGEST])
            self._rest = self._rest[LONGEST:]
        self.count += len(lines)
        return lines

    def finish(self) -> list[str]:
        """Return what is left without an end, if anything is: nothing more will come."""
        rest, self._rest = self._rest.removesuffix("\r"), ""
        lines = _parts(rest) if rest else []
        self.count += len(lines)
        return lines


def _parts(line: str) -> list[str]:
    if len(line) <= LONGEST:
        return [line]
    return [line[start : start + LONGEST] for start in range(0, len(line), LONGEST)]
