"""Of which rollouts the details of decisions are forgotten.  Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

KEEP_SECONDS = 30 * 86_400.0
"""So long after its end a rollout can be explained decision by decision."""
MOST_EVENTS = 500_000
"""Beyond so many events in the store the details of the oldest rollouts go earlier."""
FRESH_SECONDS = 3_600.0
"""What ended less long ago is never forgotten: it may not have been told to everybody yet."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A rollout that is over, with the events that it has left."""

    name: str
    """Of the rollout's document."""
    ended_at: float
    events: int
    newest: bool
    """Whether it is the newest one of its application."""


def to_forget(ended: Sequence[Ended], total: int, now: float) -> tuple[str, ...]:
    """
    Return the rollouts whose details are to go, oldest first.

    What is older than agreed goes, but for the newest rollout of each application; and while
    there are too many events, `total` of them now, whatever is oldest.
    """
    gone = []
    for each in sorted(ended, key=lambda one: (one.ended_at, one.name)):
        age = now - each.ended_at
        old = age > KEEP_SECONDS and not each.newest
        if age > FRESH_SECONDS and (old or total > MOST_EVENTS):
            gone.append(each.name)
            total -= each.events
    return tuple(gone)
