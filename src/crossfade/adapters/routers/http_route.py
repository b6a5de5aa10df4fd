"""
The HTTPRoute of an application: rules for probes, headers, known users and everybody else.  Pure.

A gateway tries the rule with most headers first, and the earlier one of equals.  So, in order:
probes of edges, header routes, users with a cookie that names their revision, and the shares.
"""

from typing import Any

from crossfade.adapters.kubernetes.client import Object
from crossfade.adapters.routers.expressions import of_cookies, of_header
from crossfade.adapters.routers.written import (
    annotations,
    backend_of,
    mirrored,
    proven,
    sharing,
    weights,
)
from crossfade.base.errors import InputError
from crossfade.base.ids import RevisionId
from crossfade.core.release.kinds import APPLICATION_LABEL
from crossfade.core.traffic.matching import Conditions, alternatives
from crossfade.core.traffic.probe import PROBE_HEADER, PROBE_VALUE
from crossfade.core.traffic.split import HeaderMatch, MatchKind, Sticky
from crossfade.ports.router import RouteBackend, WantedRoute

API_VERSION = "gateway.networking.k8s.io/v1"
MOST_RULES = 16
_EVERYTHING = {"type": "PathPrefix", "value": "/"}


def render(wanted: WantedRoute) -> Object:
    """
    Return the HTTPRoute.  Weights are proportions; these are percentages, for people to read.

    Raises InputError for what no HTTPRoute can say.
    """
    namespace, _, gateway = wanted.gateway.partition("/")
    rules = [
        _probes(wanted),
        *_header_routes(wanted),
        *_known_users(wanted),
        _rule([{"path": _EVERYTHING}], _shares(wanted), _mirror(wanted)),
    ]
    if len(rules) > MOST_RULES:
        raise InputError(
            f"the route would have {len(rules)} rules",
            hint=f"an HTTPRoute has {MOST_RULES} at most: use fewer header routes",
        )
    spec = {
        "parentRefs": [{"namespace": namespace, "name": gateway}],
        "hostnames": [wanted.host],
        "rules": rules,
    }
    return {
        "apiVersion": API_VERSION,
        "kind": "HTTPRoute",
        "metadata": {
            "name": wanted.application,
            "namespace": wanted.namespace,
            "labels": {APPLICATION_LABEL: wanted.application},
            "annotations": annotations(wanted, spec),
        },
        "spec": spec,
    }


def set_cookie(sticky: Sticky, revision: RevisionId) -> str:
    """Return the Set-Cookie value by which a user is known again."""
    return f"{sticky.cookie}={revision}; Max-Age={round(sticky.seconds)}; Path=/; HttpOnly"


def _rule(matches: list[Object], backends: list[Object], filters: list[Object]) -> Object:
    rule: dict[str, Any] = {"matches": matches, "backendRefs": backends}
    return {**rule, "filters": filters} if filters else rule


def _all_to(wanted: WantedRoute, backend: RouteBackend) -> list[Object]:
    return [{"name": backend.service, "port": wanted.port, "weight": 100}]


def _probes(wanted: WantedRoute) -> Object:
    probe = {"type": "Exact", "name": PROBE_HEADER, "value": PROBE_VALUE}
    match = {"path": _EVERYTHING, "headers": [probe]}
    return _rule([match], _all_to(wanted, proven(wanted)), [])


def _header_routes(wanted: WantedRoute) -> list[Object]:
    for route in wanted.headers:
        if not route.matches:
            raise InputError(
                f"the header route {route.name} has no conditions",
                hint="say which header or cookie it looks at, and for what value",
            )
        _headers(route.matches)  # refuses what cannot be said before it is compared
    rules = []
    for route, lists in zip(wanted.headers, alternatives(wanted.headers), strict=True):
        matches = [{"path": _EVERYTHING, "headers": _headers(each)} for each in lists]
        rules.append(_rule(matches, _all_to(wanted, backend_of(wanted, route.revision)), []))
    return rules


def _headers(conditions: Conditions) -> list[Object]:
    found = [_header(each) for each in conditions if not each.cookie]
    cookies = [each for each in conditions if each.cookie]
    if cookies:
        if any(each["name"].lower() == "cookie" for each in found):
            raise InputError(
                "a header route looks at cookies and at the Cookie header",
                hint="write all of them as cookies",
            )
        found.append(_expression("Cookie", of_cookies(*cookies)))
    return found


def _header(match: HeaderMatch) -> Object:
    if match.kind is MatchKind.EXACT:
        return {"type": "Exact", "name": match.name, "value": match.value}
    return _expression(match.name, of_header(match))


def _expression(name: str, expression: str) -> Object:
    return {"type": "RegularExpression", "name": name, "value": expression}


def _known_users(wanted: WantedRoute) -> list[Object]:
    """Return a rule for each revision with a share: its users carry its name in a cookie."""
    if wanted.sticky is None:
        return []
    rules = []
    for each in sharing(wanted):
        cookie = HeaderMatch(wanted.sticky.cookie, each.revision, cookie=True)
        match = {"path": _EVERYTHING, "headers": [_expression("Cookie", of_cookies(cookie))]}
        rules.append(_rule([match], _all_to(wanted, each), _mirror(wanted)))
    return rules


def _shares(wanted: WantedRoute) -> list[Object]:
    known_again = sharing(wanted) if wanted.sticky else ()
    return [_share(wanted, each, marked=each in known_again) for each in wanted.backends]


def _share(wanted: WantedRoute, backend: RouteBackend, *, marked: bool) -> Object:
    weight = weights(wanted)[backend.revision]
    found: Object = {"name": backend.service, "port": wanted.port, "weight": weight}
    if wanted.sticky is not None and marked:
        cookie = {"name": "Set-Cookie", "value": set_cookie(wanted.sticky, backend.revision)}
        change = {"type": "ResponseHeaderModifier", "responseHeaderModifier": {"add": [cookie]}}
        found["filters"] = [change]
    return found


def _mirror(wanted: WantedRoute) -> list[Object]:
    found = mirrored(wanted)
    if found is None:
        return []
    backend, percent = found
    mirror: Object = {"backendRef": {"name": backend.service, "port": wanted.port}}
    if percent < 100:  # older versions of the Gateway API copy everything, and have no such field
        mirror["percent"] = percent
    return [{"type": "RequestMirror", "requestMirror": mirror}]
