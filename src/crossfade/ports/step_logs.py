"""Where the logs of steps are kept, longer than the runner remembers its runs."""

from typing import Protocol

from crossfade.ports.runner import RunId


class StepLogs(Protocol):
    """
    Text by run; what is in it has been masked.

    Every implementation passes tests/contract/test_step_logs.py.
    """

    def begin(self, run: RunId) -> None:
        """Begin with an empty log, also when there is one already."""
        ...

    def append(self, run: RunId, text: str) -> None:
        """Add text at the end.  Raises Unavailable when it cannot be written."""
        ...

    def read(self, run: RunId, offset: int = 0) -> tuple[str, int]:
        """Return the text from this offset on, and the offset of its end; "" when there is none."""
        ...
