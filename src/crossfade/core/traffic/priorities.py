"""Classes of an application's requests: which of them are turned away first.  Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crossfade.core.traffic.apportion import apportion
from crossfade.core.traffic.destinations import EVERYBODY, PARTS, PriorityClass
from crossfade.core.traffic.split import HeaderMatch

STEADY_PARTS = 50
"""Classes that have changed by less than half a percent of all requests are left as they were."""


@dataclass(frozen=True, slots=True)
class Priority:
    """Requests that meet all matches and are for the path, or for something below it."""

    name: str
    matches: tuple[HeaderMatch, ...] = ()
    path: str = ""

    @property
    def takes_the_rest(self) -> bool:
        """Whether it asks nothing: then it has the requests that no other class takes."""
        return not self.matches and not self.path


ALL = Priority(EVERYBODY[0].name)
"""The only class of an application that names none."""
OTHERS = Priority("others")
"""The last class of an application that names some, none of which takes the rest."""


def whole(priorities: Sequence[Priority]) -> tuple[Priority, ...]:
    """Return the classes, the most important first, so that each request is in one of them."""
    if not priorities:
        return (ALL,)
    if any(each.takes_the_rest for each in priorities):
        return tuple(priorities)
    return (*priorities, OTHERS)


def sized(
    priorities: Sequence[Priority], rates: Mapping[str, float], before: Sequence[PriorityClass]
) -> tuple[PriorityClass, ...]:
    """
    Return how large the classes are; what was known `before` stays while little has changed.

    While nothing is counted everybody is taken to be in the last class, which loses first.
    """
    every = whole(priorities)
    counted = [round(1000 * rates.get(each.name, 0.0)) for each in every]
    if not any(counted):
        counted[-1] = 1
    parts = apportion(PARTS, counted, [PARTS] * len(every))
    found = tuple(PriorityClass(each.name, part) for each, part in zip(every, parts, strict=True))
    if [each.name for each in before] != [each.name for each in found]:
        return found
    moved = (abs(one.parts - other.parts) for one, other in zip(before, found, strict=True))
    return found if max(moved) >= STEADY_PARTS else tuple(before)


def refused(classes: Sequence[PriorityClass], shed: Mapping[str, int]) -> dict[str, int]:
    """Return how many of 10,000 requests of a class to turn away; `shed` is of all requests."""
    sizes = {each.name: each.parts for each in classes}
    return {
        name: min(PARTS, -(-parts * PARTS // sizes[name]))
        for name, parts in shed.items()
        if parts and sizes.get(name)
    }
