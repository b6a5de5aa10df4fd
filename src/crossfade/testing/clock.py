"""A clock that stands still until it is told to move."""


class FakeClock:
    """The Clock port for tests."""

    def __init__(self, now: float = 1000.0) -> None:
        self._now = now

    def now(self) -> float:
        """Return the time that was set."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Move on."""
        self._now += seconds
