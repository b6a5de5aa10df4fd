"""
What users of every application ask for, from what edges count.

In memory: after a restart what the last plan was made for holds until edges have counted anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from crossfade.base.ids import ApplicationName
from crossfade.core.application import Application
from crossfade.core.failover.users import Load, Users
from crossfade.core.traffic.demand import Demand, counted, demand_of, rate_of, steadied
from crossfade.core.traffic.priorities import sized
from crossfade.core.traffic.priorities import whole as every
from crossfade.ports.edge import EdgeSight

SETTLED_SECONDS = 3.0
"""A hub that has just begun hears one edge after the other: so long there are no fewer users than
before."""
NOBODY = 1
"""Requests per second of an application without users: None would say that nobody counts them."""
_WHOLE = ""
"""In place of a class: all requests of the application."""


@dataclass(slots=True)
class Counting:
    """The traffic loop shows it each report once, and asks for demand."""

    _known: dict[tuple[ApplicationName, str], Demand] = field(default_factory=dict)
    _turned_away: dict[ApplicationName, int] = field(default_factory=dict)
    """Requests that were turned away and are not in any saved count yet."""

    def take_in(self, new: tuple[EdgeSight, ...]) -> None:
        """Take in reports that were not seen before."""
        for sight in new:
            for key, requests in _requests(sight).items():
                known = self._known.get(key, Demand())
                self._known[key] = counted(known, sight.edge, requests, sight.at, sight.seconds)
            for each in sight.classes:
                more = self._turned_away.get(each.application, 0) + each.turned_away
                self._turned_away[each.application] = more

    def demand(self, name: ApplicationName, before: Users, now: float) -> int | None:
        """Return the highest requests per second of late, None while nobody counts them."""
        known = self._known.get((name, _WHOLE), Demand())
        return demand_of(known, now) if known.counts(now) else before.demand

    def load(self, spec: Application, before: Users, now: float) -> Load:
        """Return what users ask for now, by class."""
        whole = self._known.get((spec.name, _WHOLE), Demand())
        priorities = spec.route.priorities if spec.route else ()
        if not whole.counts(now):
            names = [each.name for each in before.classes]
            same = names == [each.name for each in every(priorities)]
            return Load(before.recent, before.classes if same else sized(priorities, {}, ()))
        recent = steadied(before.recent, rate_of(whole, now), whole.seconds(now))
        if whole.seconds(now) < SETTLED_SECONDS:
            recent = recent if before.recent is None else max(recent or 0, before.recent)
        elif recent is None:
            recent = NOBODY
        rates: Mapping[str, float] = {
            name: rate_of(known, now) for (each, name), known in self._known.items()
            if each == spec.name and name != _WHOLE
        }  # fmt: skip
        return Load(recent, sized(priorities, rates, before.classes))

    def turned_away(self, name: ApplicationName) -> int:
        """Return how many requests have been turned away since the last `saved`."""
        return self._turned_away.get(name, 0)

    def saved(self, name: ApplicationName) -> None:
        """Begin to count those turned away from 0."""
        self._turned_away.pop(name, None)


def _requests(sight: EdgeSight) -> dict[tuple[ApplicationName, str], int]:
    """Return what users asked one edge for, by application and class."""
    found: dict[tuple[ApplicationName, str], int] = {}
    for target in sight.targets:
        key = (target.application, _WHOLE)
        found[key] = found.get(key, 0) + target.requests
    for each in sight.classes:
        whole = (each.application, _WHOLE)
        found[whole] = found.get(whole, 0) + each.turned_away
        found[each.application, each.priority] = each.served + each.turned_away
    return found
