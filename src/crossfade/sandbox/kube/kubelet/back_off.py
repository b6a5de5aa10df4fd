"""Pauses between the restarts of a container."""

_FORGIVEN_SECONDS = 600.0


class BackOff:
    """None before the first restart, then doubling; a long run without trouble starts over."""

    def __init__(self, first_seconds: float, most_seconds: float) -> None:
        self._first, self._most = first_seconds, most_seconds
        self._next = 0.0

    def next(self, ran_seconds: float) -> float:
        """Return the pause before the next start."""
        if ran_seconds >= _FORGIVEN_SECONDS:
            self._next = 0.0
        pause = self._next
        self._next = min(self._most, max(self._first, self._next * 2))
        return pause
