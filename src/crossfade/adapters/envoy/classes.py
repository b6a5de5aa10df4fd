"""
Priority classes of an application as Envoy routes, and how what they count is named.  Pure.

A class is told from the others by what its requests carry.  In front of its routes stands one
more while some of it is turned away: it takes that part of the requests by chance, and leads to a
cluster without endpoints.  Unlike a direct response that is counted by application and class, and
apart from what clusters answer.
"""

from typing import Any

from crossfade.adapters.routers.expressions import of_cookies, of_header
from crossfade.core.traffic.destinations import PARTS
from crossfade.core.traffic.priorities import Priority
from crossfade.ports.edge import EdgeClass, EdgeRoute

Resource = dict[str, Any]

NOBODY = "~nobody"
"""The cluster without endpoints, one for all applications."""
RETRY_AFTER_SECONDS = 5
TURNED_AWAY = (
    "More users than can be served right now: this request was turned away. "
    "Please try again in a few seconds.\n"
)
_MARK = "x-crossfade-turned-away"
"""Request header by which the answer is known to need the words above."""
_PREFIX = "turned-away~"


def class_of(label: str) -> tuple[str, bool]:
    """Return the class that a route counts for, and whether it counts those turned away."""
    name = label.removeprefix(_PREFIX)
    return name, name != label


def nobody() -> Resource:
    """Return the Envoy cluster without endpoints."""
    return {"name": NOBODY, "type": "STATIC", "connect_timeout": "1s"}


def answers() -> Resource:
    """Return what the listener says to whom it turns away."""
    to_nobody = {"response_flag_filter": {"flags": ["UH"]}}
    marked = {"header_filter": {"header": {"name": _MARK, "present_match": True}}}
    mapper = {
        "filter": {"and_filter": {"filters": [to_nobody, marked]}},
        "body": {"inline_string": TURNED_AWAY},
    }
    return {"mappers": [mapper]}


def with_classes(route: EdgeRoute, routes: tuple[Resource, ...]) -> list[Resource]:
    """Return the application's routes, which take every request, once for each of its classes."""
    if not route.classes:
        return list(routes)
    found: list[Resource] = []
    # Whoever takes the rest stands last, however important it is.
    for each in sorted(route.classes, key=lambda one: one.priority.takes_the_rest):
        asked = _match(each.priority)
        if each.turned_away > 0:
            found.append(_away(each, asked))
        for one in routes:
            headers = [*asked["headers"], *one["match"].get("headers", ())]
            match = asked | {"headers": headers}
            found.append(one | {"match": match, "stat_prefix": each.priority.name})
    return found


def _away(each: EdgeClass, match: Resource) -> Resource:
    part = {"numerator": each.turned_away, "denominator": "TEN_THOUSAND"}
    retry = {"key": "retry-after", "value": str(RETRY_AFTER_SECONDS)}
    return {
        "match": match if each.turned_away >= PARTS else match | {"runtime_fraction": _of(part)},
        "route": {"cluster": NOBODY},
        "stat_prefix": _PREFIX + each.priority.name,
        "request_headers_to_add": [_header(_MARK, each.priority.name)],
        "response_headers_to_add": [_header(retry["key"], retry["value"])],
    }


def _of(part: Resource) -> Resource:
    return {"default_value": part}


def _header(key: str, value: str) -> Resource:
    return {
        "header": {"key": key, "value": value},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    }


def _match(priority: Priority) -> Resource:
    path = priority.path.rstrip("/")
    where: Resource = {"path_separated_prefix": path} if path else {"prefix": "/"}
    headers = [
        _asked(match.name, of_header(match)) for match in priority.matches if not match.cookie
    ]
    carried = [match for match in priority.matches if match.cookie]
    if carried:
        headers.append(_asked("cookie", of_cookies(*carried)))
    return where | {"headers": headers}


def _asked(name: str, expression: str) -> Resource:
    return {"name": name.lower(), "string_match": {"safe_regex": {"regex": expression}}}
