"""What a gateway that serves a route does with a request: by headers, by cookie, by share."""

from collections.abc import Mapping
from dataclasses import dataclass

from crossfade.base.ids import RevisionId
from crossfade.core.traffic.matching import chosen, cookies
from crossfade.core.traffic.probe import PROBE_HEADER, PROBE_VALUE
from crossfade.core.traffic.split import Split
from crossfade.ports.router import WantedRoute

# Steps that walk through all hundred places, far apart from one to the next.
_SHARE_STEP, _COPY_STEP = 61, 37


@dataclass(frozen=True, slots=True)
class Answered:
    """Who has answered a request, and what else came of it."""

    revision: RevisionId
    cookie: str = ""
    """`name=value` that the user is to keep."""
    copied_to: RevisionId | None = None


def answer(route: WantedRoute, headers: Mapping[str, str], turn: int) -> Answered:
    """Return what becomes of the request; over 100 turns the shares are met exactly."""
    named = {name.lower(): value for name, value in headers.items()}
    if named.get(PROBE_HEADER) == PROBE_VALUE:
        return Answered(max(route.backends, key=lambda each: each.percent).revision)
    if (found := chosen(route.headers, headers)) is not None:
        return Answered(found.revision)
    copied_to = None
    if route.mirror is not None and turn * _COPY_STEP % 100 < route.mirror.percent:
        copied_to = route.mirror.revision
    sharing = {each.revision for each in route.backends if 0 < each.percent < 100}
    split = _split(route, turn * _SHARE_STEP % 100)
    if route.sticky is None or not sharing:
        return Answered(split, copied_to=copied_to)
    known = cookies(named.get("cookie", "")).get(route.sticky.cookie)
    if known is not None and known in sharing:
        return Answered(RevisionId(known), copied_to=copied_to)
    return Answered(split, f"{route.sticky.cookie}={split}", copied_to)


def reached(route: WantedRoute) -> frozenset[RevisionId]:
    """Return the revisions that get requests of users, or copies of them."""
    split = Split(
        {each.revision: each.percent for each in route.backends}, route.headers, route.mirror
    )
    return frozenset(each.revision for each in route.backends if split.meets_users(each.revision))


def _split(route: WantedRoute, place: float) -> RevisionId:
    for each in route.backends:
        place -= each.percent
        if place < 0:
            return each.revision
    return route.backends[-1].revision
