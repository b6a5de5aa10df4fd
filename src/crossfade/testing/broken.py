"""A promise that did not hold."""

from collections.abc import Callable


class Broken(AssertionError):
    """Which rule was broken, and how."""

    def __init__(self, number: int, what: str) -> None:
        super().__init__(f"rule {number}: {what}")
        self.number, self.what = number, what


def hold(number: int, holds: bool, what: Callable[[], str]) -> None:  # noqa: FBT001 - as assert
    """Raise Broken with what was found, unless it holds."""
    if not holds:
        raise Broken(number, what())
