"""How much work one evaluation may take, so that no input makes anybody wait."""

from dataclasses import dataclass

from crossfade.core.pipeline.expression.errors import ExpressionError

MOST_STEPS = 150_000
"""Steps of one evaluation: some tenths of a second."""
_CHARACTERS = 50
"""Characters of a text that are gone through in the time of one step."""


@dataclass(slots=True)
class Meter:
    """What is left of the work that may be done."""

    left: int = MOST_STEPS

    def spend(self, steps: int = 1) -> None:
        """Count steps.  Raises ExpressionError when too many have been taken."""
        self.left -= steps
        if self.left < 0:
            raise ExpressionError("It takes too long")

    def read(self, text: str) -> None:
        """Count going through a text once."""
        self.spend(1 + len(text) // _CHARACTERS)
