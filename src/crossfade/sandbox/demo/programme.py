"""What a demo plays, and to how many users."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass

from crossfade.core.analysis.spec import Analysis
from crossfade.core.rollout.spec import Strategy
from crossfade.sandbox.demo.stage import Stage


@dataclass(frozen=True, slots=True)
class Programme:
    """The acts of one demo, with steps and windows short enough for people who watch."""

    opening: Callable[[Stage], Coroutine[None, None, None]]
    """Plays before any user comes."""
    acts: tuple[Callable[[Stage], Coroutine[None, None, None]], ...]
    """Play while users come, in order."""
    strategy: Strategy
    analysis: Analysis
    rate: float
    """Requests per second."""
