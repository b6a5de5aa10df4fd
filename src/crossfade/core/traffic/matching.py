"""Which requests a header route takes, and how several of them are told apart.  Pure."""

import re
from collections.abc import Iterable, Mapping
from itertools import combinations

from crossfade.base.errors import InputError
from crossfade.core.traffic.split import HeaderMatch, HeaderRoute, MatchKind

MOST_UNORDERED = 5
"""Routes of which a longer one may stand behind a shorter one; the work doubles with each."""

Conditions = tuple[HeaderMatch, ...]
"""All must be met."""


def chosen(routes: Iterable[HeaderRoute], headers: Mapping[str, str]) -> HeaderRoute | None:
    """Return the route that takes a request with these headers, None when the shares decide."""
    named = {name.lower(): value for name, value in headers.items()}
    for route in routes:
        if route.matches and all(_meets(each, named) for each in route.matches):
            return route
    return None


def cookies(header: str) -> dict[str, str]:
    """Return the cookies of a Cookie header by name; of equal names the first one."""
    found: dict[str, str] = {}
    for part in header.split(";"):
        name, equals, value = part.strip().partition("=")
        if equals:
            found.setdefault(name, value)
    return found


def alternatives(routes: tuple[HeaderRoute, ...]) -> tuple[tuple[Conditions, ...], ...]:
    """
    Return for each route the lists of conditions by which the first match of all decides.

    For routers where the list with most headers wins and order breaks ties, as in the Gateway API.
    Where a longer list stands behind a shorter one, the shorter one also gets what meets both.

    Raises InputError when routes cannot be told apart so.
    """
    widths = [width(each.matches) for each in routes]
    found = [[each.matches] for each in routes]
    if widths == sorted(widths, reverse=True):
        return tuple(tuple(each) for each in found)
    if len(routes) > MOST_UNORDERED:
        raise InputError(
            f"{len(routes)} header routes cannot be told apart by the cluster's router",
            hint="put those with most conditions first",
        )
    for size in range(2, len(routes) + 1):
        for group in combinations(range(len(routes)), size):
            both = _joined([match for place in group for match in routes[place].matches])
            if both is not None and both not in found[group[0]]:
                found[group[0]].append(both)
    return tuple(tuple(each) for each in found)


def width(conditions: Conditions) -> int:
    """Return how many request headers the conditions look at: all cookies are in one."""
    return len({"cookie" if each.cookie else each.name.lower() for each in conditions})


def _meets(match: HeaderMatch, headers: Mapping[str, str]) -> bool:
    if match.cookie:
        value = cookies(headers.get("cookie", "")).get(match.name)
    else:
        value = headers.get(match.name.lower())
    return value is not None and _accepts(match, value)


def _accepts(match: HeaderMatch, value: str) -> bool:
    match match.kind:
        case MatchKind.EXACT:
            return value == match.value
        case MatchKind.PREFIX:
            return value.startswith(match.value)
        case MatchKind.REGEX:
            return re.fullmatch(match.value, value) is not None


def _joined(conditions: Iterable[HeaderMatch]) -> Conditions | None:
    """Return one condition a name that together ask the same, None when nothing can meet all."""
    found: dict[tuple[bool, str], HeaderMatch] = {}
    for each in conditions:
        key = (each.cookie, each.name if each.cookie else each.name.lower())
        both = _both(found[key], each) if key in found else each
        if both is None:
            return None
        found[key] = both
    return tuple(found.values())


def _both(one: HeaderMatch, other: HeaderMatch) -> HeaderMatch | None:
    """Return what asks for both, None when nothing can meet both."""
    if (one.kind, one.value) == (other.kind, other.value):
        return one
    for exact, rule in ((one, other), (other, one)):
        if exact.kind is MatchKind.EXACT:
            return exact if _accepts(rule, exact.value) else None
    if MatchKind.REGEX in (one.kind, other.kind):
        raise InputError(
            f"two header routes look at `{one.name}` in ways that cannot be told apart",
            hint="put the header route with most conditions first",
        )
    longer, shorter = sorted((one, other), key=lambda each: -len(each.value))
    return longer if longer.value.startswith(shorter.value) else None
