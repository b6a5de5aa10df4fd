"""
The Ingresses of an application for ingress-nginx: the main one, and the canary beside it.  Pure.

NGINX splits between two revisions, by share, by one header and by one cookie with the value
`always`.  The main one stays the same revision as long as it has users: only the canary changes
then, so that no step passes through two halves of a change.
"""

from dataclasses import dataclass

from crossfade.adapters.kubernetes.client import Object
from crossfade.adapters.routers import written
from crossfade.adapters.routers.expressions import of_header
from crossfade.base.errors import InputError
from crossfade.core.release.kinds import APPLICATION_LABEL, mapping, mappings
from crossfade.core.traffic.split import HeaderMatch, HeaderRoute, MatchKind
from crossfade.ports.router import RouteBackend, WantedRoute

API_VERSION = "networking.k8s.io/v1"
NOTE = "nginx.ingress.kubernetes.io/"


@dataclass(frozen=True, slots=True)
class Ingresses:
    """What is written; `canary` is None when one revision has everything."""

    main: Object
    canary: Object | None


def canary_name(application: str) -> str:
    """Return the name of the canary Ingress."""
    return f"{application}-canary"


def service_of(ingress: Object) -> str:
    """Return the Service that the Ingress leads to, "" when it leads to none."""
    for rule in mappings(mapping(ingress.get("spec")).get("rules")):
        for path in mappings(mapping(rule.get("http")).get("paths")):
            service = mapping(mapping(path.get("backend")).get("service"))
            return str(service.get("name", ""))
    return ""


def render(wanted: WantedRoute, ingress_class: str, held_main: str) -> Ingresses:
    """
    Return the Ingresses; `held_main` is the Service that the main one leads to now, "" for none.

    Raises InputError for what NGINX cannot do.
    """
    if wanted.sticky is not None or written.mirrored(wanted) is not None:
        raise InputError(
            "NGINX cannot keep users on a revision, or copy a part of their requests",
            hint="leave out `stickiness` and `setMirror`, or set route.router to gateway-api",
            application=wanted.application,
        )
    main, other = _pair(wanted, held_main)
    notes = {} if other is None else _notes(wanted, main, other)
    canary = None
    if other is not None and (other.percent > 0 or wanted.headers):
        canary = _ingress(wanted, canary_name(wanted.application), other, ingress_class)
        canary["metadata"]["annotations"] = {written.EPOCH: str(wanted.epoch), **notes}
    body = _ingress(wanted, wanted.application, main, ingress_class)
    spec = {"main": body["spec"], "canary": canary and {**canary["spec"], "notes": notes}}
    body["metadata"]["annotations"] = written.annotations(wanted, spec)
    return Ingresses(body, canary)


def _pair(wanted: WantedRoute, held_main: str) -> tuple[RouteBackend, RouteBackend | None]:
    named = {each.revision for each in wanted.headers}
    used = [each for each in wanted.backends if each.percent > 0 or each.revision in named]
    if len(used) > 2:
        raise InputError(
            f"NGINX splits between two revisions, and the route has {len(used)}",
            hint="set route.router to gateway-api or istio",
            application=wanted.application,
        )
    serving = [each for each in used if each.percent > 0]
    same = [each for each in serving if each.service == held_main]
    main = same[0] if same else max(serving, key=lambda each: each.percent)
    return main, next((each for each in used if each is not main), None)


def _notes(wanted: WantedRoute, main: RouteBackend, other: RouteBackend) -> dict[str, str]:
    weights = written.weights(wanted)
    notes = {"canary": "true", "canary-weight": str(weights[other.revision])}
    notes["canary-weight-total"] = str(weights[other.revision] + weights[main.revision])
    for route in wanted.headers:
        if route.revision == main.revision:
            raise InputError(
                f"the header route {route.name} leads to the revision that NGINX serves by default",
                hint="NGINX can only lead away from it: set route.router to gateway-api or istio",
            )
        added = _condition(route)
        if added.keys() & notes.keys():
            raise InputError(
                "NGINX looks at one header and at one cookie, and there are more header routes",
                hint="use one of each, or set route.router to gateway-api or istio",
            )
        notes |= added
    return {f"{NOTE}{name}": value for name, value in notes.items()}


def _condition(route: HeaderRoute) -> dict[str, str]:
    match route.matches:
        case (HeaderMatch(name, "always", MatchKind.EXACT, cookie=True),):
            return {"canary-by-cookie": name}
        case (HeaderMatch(name, value, MatchKind.EXACT, cookie=False),):
            return {"canary-by-header": name, "canary-by-header-value": value}
        case (HeaderMatch(name, cookie=False) as match,):
            return {"canary-by-header": name, "canary-by-header-pattern": of_header(match)}
        case _:
            raise InputError(
                f"NGINX cannot tell the requests of the header route {route.name}",
                hint="it knows one header, or one cookie with the value `always`",
            )


def _ingress(wanted: WantedRoute, name: str, backend: RouteBackend, ingress_class: str) -> Object:
    service = {"name": backend.service, "port": {"number": wanted.port}}
    path = {"path": "/", "pathType": "Prefix", "backend": {"service": service}}
    return {
        "apiVersion": API_VERSION,
        "kind": "Ingress",
        "metadata": {
            "name": name,
            "namespace": wanted.namespace,
            "labels": {APPLICATION_LABEL: wanted.application},
        },
        "spec": {
            "ingressClassName": ingress_class,
            "rules": [{"host": wanted.host, "http": {"paths": [path]}}],
        },
    }
