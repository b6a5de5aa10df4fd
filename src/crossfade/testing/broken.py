"""A promise that did not hold."""


class Broken(AssertionError):
    """Which rule was broken, and how."""

    def __init__(self, number: int, what: str) -> None:
        super().__init__(f"rule {number}: {what}")
        self.number, self.what = number, what
