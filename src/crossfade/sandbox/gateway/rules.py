"""The rules of HTTPRoutes as Envoy routes, in the order in which they must be tried.  Pure."""

import re
from dataclasses import dataclass
from typing import Any

from crossfade.sandbox.gateway.attachment import Condition
from crossfade.sandbox.gateway.backends import Backend, Copies, backend, copies, mirror_policies
from crossfade.sandbox.gateway.filters import Unsupported, header_changes, redirect, rewrite
from crossfade.sandbox.gateway.world import World, key_of
from crossfade.sandbox.kube.client import Object

_ROUTE_FILTERS = ("RequestRedirect", "URLRewrite", "RequestMirror")
RETRY = {
    # Only when the request was surely not processed: a retry must never hide an error.
    "retry_on": "connect-failure,refused-stream",
    "num_retries": 2,
    "retry_host_predicate": [
        {
            "name": "envoy.retry_host_predicates.previous_hosts",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3."
                "PreviousHostsPredicate"
            },
        }
    ],
    "host_selection_retry_max_attempts": 5,
    "retry_back_off": {"base_interval": "0.005s", "max_interval": "0.05s"},
}


@dataclass(frozen=True, slots=True)
class Rules:
    """The routes of one HTTPRoute, each with its rank, and what became of its references."""

    routes: tuple[tuple[tuple[Any, ...], dict[str, Any]], ...]
    resolved: Condition
    clusters: frozenset[str]


def render_rules(world: World, route: Object) -> Rules:
    """
    Return the Envoy routes of an HTTPRoute with their rank: lower is tried first.

    Raises Unsupported for a filter or match that the sandbox does not have.
    """
    routes: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    problems: list[Condition] = []
    clusters: set[str] = set()
    namespace, name = key_of(route)
    age = (route["metadata"].get("creationTimestamp", ""), namespace, name)
    for place, rule in enumerate(route["spec"].get("rules") or [{}]):
        backends = [backend(world, namespace, ref) for ref in rule.get("backendRefs") or []]
        mirrors = copies(world, namespace, rule.get("filters") or [])
        referred = [(each.cluster, each.problem) for each in backends]
        referred += [(each.cluster, each.problem) for each in mirrors]
        problems += [problem for _, problem in referred if problem]
        clusters |= {cluster for cluster, problem in referred if not problem}
        for turn, match in enumerate(rule.get("matches") or [{}]):
            action = _action(rule, match, backends, mirrors)
            rendered = {"name": f"{namespace}/{name}/{place}", "match": _match(match), **action}
            routes.append((_rank(match, (*age, place, turn)), rendered))
    resolved = problems[0] if problems else Condition("ResolvedRefs", True, "ResolvedRefs")
    return Rules(tuple(routes), resolved, frozenset(clusters))


def _action(
    rule: Object, match: Object, backends: list[Backend], mirrors: tuple[Copies, ...]
) -> dict[str, Any]:
    filters = rule.get("filters") or []
    headers = header_changes(filters, *_ROUTE_FILTERS)
    for one in filters:
        if one["type"] == "RequestRedirect":
            return {"redirect": redirect(one["requestRedirect"], match), **headers}
    if not sum(each.weight for each in backends):
        # Gateway API: no backend, or all weights 0, is answered with 500.
        return {"direct_response": {"status": 500}, **headers}
    clusters = [{"name": each.cluster, "weight": each.weight, **each.headers} for each in backends]
    action: dict[str, Any] = {
        "weighted_clusters": {"clusters": clusters},
        "cluster_not_found_response_code": "INTERNAL_SERVER_ERROR",
        "timeout": _timeout(rule),
        "retry_policy": RETRY,
    }
    if policies := mirror_policies(mirrors):
        action["request_mirror_policies"] = policies
    for one in filters:
        if one["type"] == "URLRewrite":
            action |= rewrite(one["urlRewrite"], match)
    return {"route": action, **headers}


def _timeout(rule: Object) -> str:
    """Return seconds as Envoy writes them; 0 is none, so that streams are not cut."""
    text = (rule.get("timeouts") or {}).get("request", "0s")
    parts = re.findall(r"(\d+)(ms|h|m|s)", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise Unsupported(f"timeouts.request: {text} is no duration")
    seconds = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
    return f"{sum(int(number) * seconds[unit] for number, unit in parts):.3f}s"


def _match(match: Object) -> dict[str, Any]:
    path = match.get("path") or {}
    kind, value = path.get("type", "PathPrefix"), path.get("value", "/")
    rendered: dict[str, Any]
    match kind:
        case "Exact":
            rendered = {"path": value}
        case "PathPrefix":
            prefix = value.rstrip("/")
            rendered = {"path_separated_prefix": prefix} if prefix else {"prefix": "/"}
        case "RegularExpression":
            rendered = {"safe_regex": {"regex": value}}
        case _:
            raise Unsupported(f"path match of type {kind}")
    headers = [{"name": one["name"], "string_match": _string(one)} for one in _headers(match)]
    if "method" in match:
        headers.append({"name": ":method", "string_match": {"exact": match["method"]}})
    if headers:
        rendered["headers"] = headers
    if match.get("queryParams"):
        rendered["query_parameters"] = [
            {"name": one["name"], "string_match": _string(one)} for one in match["queryParams"]
        ]
    return rendered


def _headers(match: Object) -> list[Object]:
    """Return the header matches that count: of equal names only the first one (Gateway API)."""
    found: dict[str, Object] = {}
    for one in match.get("headers") or []:
        found.setdefault(one["name"].lower(), one)
    return list(found.values())


def _string(one: Object) -> dict[str, Any]:
    if one.get("type", "Exact") == "RegularExpression":
        return {"safe_regex": {"regex": one["value"]}}
    return {"exact": one["value"]}


def _rank(match: Object, age: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the Gateway API's precedence: exact, longest prefix, method, headers, query, age."""
    path = match.get("path") or {}
    kind = path.get("type", "PathPrefix")
    return (
        {"Exact": 0, "RegularExpression": 1}.get(kind, 2),
        -len(path.get("value", "/")),
        0 if "method" in match else 1,
        -len(_headers(match)),
        -len(match.get("queryParams") or []),
        age,
    )
