"""
The rules of an application in a VirtualService of Istio.  Pure.

The first rule that matches decides: a question of Crossfade, probes of edges, header routes, users
with a cookie that names their revision, and the shares.
"""

from crossfade.adapters.kubernetes.client import Object
from crossfade.adapters.routers.expressions import of_cookies, of_header
from crossfade.adapters.routers.http_route import set_cookie
from crossfade.adapters.routers.written import backend_of, mirrored, proven, sharing, weights
from crossfade.base.errors import InputError
from crossfade.base.ids import ApplicationName, Epoch
from crossfade.core.traffic.probe import PROBE_HEADER, PROBE_VALUE
from crossfade.core.traffic.split import HeaderMatch, HeaderRoute, MatchKind
from crossfade.ports.router import RouteBackend, WantedRoute

PREFIX = "crossfade-"
"""Of the names of all rules that are ours."""
SHARES = f"{PREFIX}shares"
QUESTION = "x-crossfade-question"
"""A request with it is answered by the gateway itself, so that it is known what it serves."""


def rules(wanted: WantedRoute) -> list[Object]:
    """Return our rules.  Raises InputError for what no VirtualService can say."""
    return [
        {
            "name": f"{PREFIX}epoch",
            "match": [{"headers": {QUESTION: {"exact": "epoch"}}}],
            "directResponse": {
                "status": 200,
                "body": {"string": answer(wanted.application, wanted.epoch)},
            },
        },
        {
            "name": f"{PREFIX}probe",
            "match": [{"headers": {PROBE_HEADER: {"exact": PROBE_VALUE}}}],
            "route": [_destination(wanted, proven(wanted))],
        },
        *(_header_route(wanted, each) for each in wanted.headers),
        *_known_users(wanted),
        {"name": SHARES, "route": _shares(wanted), **_mirror(wanted)},
    ]


def answer(application: ApplicationName, epoch: Epoch) -> str:
    """Return what a gateway that serves this very route answers to our question."""
    return f"crossfade {application} {epoch}"


def merged(ours: list[Object], held: list[Object]) -> list[Object]:
    """
    Return the rules of a VirtualService with ours among those of others.

    Theirs that take only some requests stay in front, as our last rule takes all that it gets.
    """
    others = [each for each in held if not is_ours(each)]
    some = [each for each in others if each.get("match")]
    rest = [each for each in others if not each.get("match")]
    return [*some, *ours, *rest]


def is_ours(rule: Object) -> bool:
    """Say whether the rule is one that was written here."""
    return str(rule.get("name", "")).startswith(PREFIX)


def _destination(wanted: WantedRoute, backend: RouteBackend) -> Object:
    return {"destination": {"host": backend.service, "port": {"number": wanted.port}}}


def _header_route(wanted: WantedRoute, route: HeaderRoute) -> Object:
    headers = {each.name.lower(): _text(each) for each in route.matches if not each.cookie}
    cookies = [each for each in route.matches if each.cookie]
    if not route.matches or len(headers) + len(cookies) != len(route.matches):
        raise InputError(
            f"the header route {route.name} has no conditions, or two on one header",
            hint="write each header once",
        )
    if cookies and "cookie" in headers:
        raise InputError(
            "a header route looks at cookies and at the Cookie header",
            hint="write all of them as cookies",
        )
    if cookies:
        headers["cookie"] = {"regex": of_cookies(*cookies)}
    return {
        "name": f"{PREFIX}header-{route.name}",
        "match": [{"headers": headers}],
        "route": [_destination(wanted, backend_of(wanted, route.revision))],
    }


def _text(match: HeaderMatch) -> Object:
    match match.kind:
        case MatchKind.EXACT:
            return {"exact": match.value}
        case MatchKind.PREFIX:
            return {"prefix": match.value}
        case MatchKind.REGEX:
            return {"regex": of_header(match)}


def _known_users(wanted: WantedRoute) -> list[Object]:
    if wanted.sticky is None:
        return []
    return [
        {
            "name": f"{PREFIX}known-{each.revision}",
            "match": [{"headers": {"cookie": {"regex": of_cookies(_seen(wanted, each))}}}],
            "route": [_destination(wanted, each)],
            **_mirror(wanted),
        }
        for each in sharing(wanted)
    ]


def _seen(wanted: WantedRoute, backend: RouteBackend) -> HeaderMatch:
    name = wanted.sticky.cookie if wanted.sticky else ""
    return HeaderMatch(name, backend.revision, cookie=True)


def _shares(wanted: WantedRoute) -> list[Object]:
    marked, weight = sharing(wanted), weights(wanted)
    found = []
    for each in wanted.backends:
        share = {**_destination(wanted, each), "weight": weight[each.revision]}
        if wanted.sticky is not None and each in marked:
            cookie = {"set-cookie": set_cookie(wanted.sticky, each.revision)}
            share["headers"] = {"response": {"add": cookie}}
        found.append(share)
    return found


def _mirror(wanted: WantedRoute) -> Object:
    found = mirrored(wanted)
    if found is None:
        return {}
    backend, percent = found
    copies = {"mirrorPercentage": {"value": float(percent)}}
    return {"mirror": _destination(wanted, backend)["destination"], **copies}
