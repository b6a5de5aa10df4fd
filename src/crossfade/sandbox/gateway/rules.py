"""The rules of HTTPRoutes as Envoy routes, in the order in which they must be tried.  Pure."""

import re
from dataclasses import dataclass
from typing import Any

from crossfade.sandbox.gateway.attachment import Condition
from crossfade.sandbox.gateway.world import World, cluster_name, key_of
from crossfade.sandbox.kube.client import Object

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


class Unsupported(Exception):
    """The route asks for what the sandbox's gateway does not do; the text says what."""


@dataclass(frozen=True, slots=True)
class Backend:
    """A Service port that a route refers to, or why it cannot be used."""

    cluster: str
    weight: int
    problem: Condition | None
    headers: dict[str, Any]


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
        backends = [_backend(world, namespace, ref) for ref in rule.get("backendRefs") or []]
        problems += [backend.problem for backend in backends if backend.problem]
        clusters |= {backend.cluster for backend in backends if not backend.problem}
        for turn, match in enumerate(rule.get("matches") or [{}]):
            action = _action(rule, match, backends)
            rendered = {"name": f"{namespace}/{name}/{place}", "match": _match(match), **action}
            routes.append((_rank(match, (*age, place, turn)), rendered))
    resolved = problems[0] if problems else Condition("ResolvedRefs", True, "ResolvedRefs")
    return Rules(tuple(routes), resolved, frozenset(clusters))


def _backend(world: World, namespace: str, ref: Object) -> Backend:
    home = ref.get("namespace") or namespace
    port = ref.get("port", 0)
    name = cluster_name(home, ref["name"], port)
    problem = _reference_problem(world, namespace, ref)
    # An unknown cluster name makes Envoy answer 500 for this backend's share (Gateway API rule).
    return Backend(
        f"unresolved:{name}" if problem else name,
        int(ref.get("weight", 1)),
        problem,
        _header_changes(ref.get("filters") or []),
    )


def _reference_problem(world: World, namespace: str, ref: Object) -> Condition | None:
    def no(reason: str, message: str) -> Condition:
        return Condition("ResolvedRefs", False, reason, message)

    if ref.get("kind", "Service") != "Service" or ref.get("group", "") != "":
        return no("InvalidKind", f"backend {ref['name']} is no Service")
    home = ref.get("namespace") or namespace
    if home != namespace:
        return no("RefNotPermitted", f"Service {home}/{ref['name']} is in another namespace")
    service = world.services.get((home, ref["name"]))
    if service is None:
        return no("BackendNotFound", f"Service {home}/{ref['name']} not found")
    if service["spec"].get("type") == "ExternalName":
        return no("UnsupportedProtocol", f"Service {home}/{ref['name']} is of type ExternalName")
    if ref.get("port") not in [one["port"] for one in service["spec"].get("ports") or []]:
        return no("BackendNotFound", f"Service {home}/{ref['name']} has no port {ref.get('port')}")
    return None


def _action(rule: Object, match: Object, backends: list[Backend]) -> dict[str, Any]:
    filters = rule.get("filters") or []
    headers = _header_changes(filters)
    for one in filters:
        if one["type"] == "RequestRedirect":
            return {"redirect": _redirect(one["requestRedirect"], match), **headers}
    if not sum(backend.weight for backend in backends):
        # Gateway API: no backend, or all weights 0, is answered with 500.
        return {"direct_response": {"status": 500}, **headers}
    clusters = [
        {"name": backend.cluster, "weight": backend.weight, **backend.headers}
        for backend in backends
    ]
    action: dict[str, Any] = {
        "weighted_clusters": {"clusters": clusters},
        "cluster_not_found_response_code": "INTERNAL_SERVER_ERROR",
        "timeout": _timeout(rule),
        "retry_policy": RETRY,
    }
    for one in filters:
        if one["type"] == "URLRewrite":
            action |= _rewrite(one["urlRewrite"], match)
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
    headers = [
        {"name": one["name"], "string_match": _string(one)} for one in match.get("headers") or []
    ]
    if "method" in match:
        headers.append({"name": ":method", "string_match": {"exact": match["method"]}})
    if headers:
        rendered["headers"] = headers
    if match.get("queryParams"):
        rendered["query_parameters"] = [
            {"name": one["name"], "string_match": _string(one)} for one in match["queryParams"]
        ]
    return rendered


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
        -len(match.get("headers") or []),
        -len(match.get("queryParams") or []),
        age,
    )


def _header_changes(filters: list[Object]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    for one in filters:
        match one["type"]:
            case "RequestHeaderModifier":
                changes |= _modifier("request", one["requestHeaderModifier"])
            case "ResponseHeaderModifier":
                changes |= _modifier("response", one["responseHeaderModifier"])
            case "RequestRedirect" | "URLRewrite":
                pass
            case other:
                raise Unsupported(f"filter of type {other}")
    return changes


def _modifier(side: str, change: Object) -> dict[str, Any]:
    actions = {"set": "OVERWRITE_IF_EXISTS_OR_ADD", "add": "APPEND_IF_EXISTS_OR_ADD"}
    added = [
        {"header": {"key": one["name"], "value": one["value"]}, "append_action": action}
        for verb, action in actions.items()
        for one in change.get(verb) or []
    ]
    rendered: dict[str, Any] = {}
    if added:
        rendered[f"{side}_headers_to_add"] = added
    if change.get("remove"):
        rendered[f"{side}_headers_to_remove"] = list(change["remove"])
    return rendered


def _redirect(wanted: Object, match: Object) -> dict[str, Any]:
    codes = {301: "MOVED_PERMANENTLY", 302: "FOUND", 303: "SEE_OTHER", 307: "TEMPORARY_REDIRECT"}
    codes[308] = "PERMANENT_REDIRECT"
    code = wanted.get("statusCode", 302)
    if code not in codes:
        raise Unsupported(f"requestRedirect.statusCode {code}")
    rendered: dict[str, Any] = {"response_code": codes[code]}
    if "hostname" in wanted:
        rendered["host_redirect"] = wanted["hostname"]
    if "scheme" in wanted:
        rendered["scheme_redirect"] = wanted["scheme"]
    if "port" in wanted:
        rendered["port_redirect"] = wanted["port"]
    path = wanted.get("path") or {}
    if path.get("type") == "ReplaceFullPath":
        rendered["path_redirect"] = path["replaceFullPath"]
    elif path.get("type") == "ReplacePrefixMatch":
        rendered |= _prefix_change(path["replacePrefixMatch"], match)
    return rendered


def _rewrite(wanted: Object, match: Object) -> dict[str, Any]:
    rendered: dict[str, Any] = {}
    if "hostname" in wanted:
        rendered["host_rewrite_literal"] = wanted["hostname"]
    path = wanted.get("path") or {}
    if path.get("type") == "ReplaceFullPath":
        rendered["regex_rewrite"] = {
            "pattern": {"regex": "^[^?]*"},
            "substitution": _literal(path["replaceFullPath"]),
        }
    elif path.get("type") == "ReplacePrefixMatch":
        rendered |= _prefix_change(path["replacePrefixMatch"], match)
    return rendered


def _prefix_change(new: str, match: Object) -> dict[str, Any]:
    path = match.get("path") or {}
    if path.get("type", "PathPrefix") != "PathPrefix":
        raise Unsupported("replacePrefixMatch without a PathPrefix match")
    old = path.get("value", "/").rstrip("/")
    new = new.rstrip("/")
    if old and new:
        return {"prefix_rewrite": new}
    # One of both is the root: take or give exactly one slash.
    return {
        "regex_rewrite": {
            "pattern": {"regex": f"^{re.escape(old)}/?"},
            "substitution": _literal(f"{new}/"),
        }
    }


def _literal(text: str) -> str:
    return text.replace("\\", "\\\\")
