"""What a build does when a store or a runner does not answer: it asks again, ever less often."""

from collections.abc import Callable
from types import TracebackType
from typing import Self

from crossfade.base.errors import Denied, Unavailable

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0


class Patience:
    """As a context it lets pass that something does not answer, and tells it once."""

    def __init__(self, told: Callable[[str], None]) -> None:
        self._told = told
        self._known: set[str] = set()
        self._failed = False
        self._why = ""
        self.pause = 0.0
        """So long nothing is to be asked; 0 when everything answers."""

    @property
    def waits_for(self) -> str:
        """Return what has not answered more than once in a row, "" when everything does."""
        return self._why if self.pause > FIRST_PAUSE_SECONDS else ""

    def knows(self, text: str) -> None:
        """Tell this no more: somebody else has."""
        self._known.add(text)

    def begin(self) -> None:
        """Begin to ask everything again."""
        self._failed = False

    def end(self) -> None:
        """Take in whether everything has answered since `begin`."""
        if self._failed:
            self.pause = min(self.pause * 2 or FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
        else:
            self.pause = 0.0
            self._known.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        """Swallow that something does not answer; a refusal would be the same next time."""
        if not isinstance(error, Unavailable) or isinstance(error, Denied):
            return False
        if not self._failed:
            self._failed, self._why = True, error.what
        if error.what not in self._known:
            self._known.add(error.what)
            self._told(error.what)
        return True
