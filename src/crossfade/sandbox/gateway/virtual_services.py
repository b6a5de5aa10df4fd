"""The rules of Istio's VirtualServices as Envoy routes, in the order in which they stand.  Pure."""

from dataclasses import dataclass
from typing import Any

from crossfade.sandbox.gateway.filters import Unsupported, modifier
from crossfade.sandbox.gateway.rules import RETRY, duration
from crossfade.sandbox.gateway.world import World, key_of, subset_name
from crossfade.sandbox.kube.client import Object

_RULE = {"name", "match", "route", "redirect", "rewrite", "directResponse", "timeout", "retries"}
_RULE |= {"mirror", "mirrorPercentage", "mirrors", "headers"}
_MATCH = {"name", "uri", "method", "authority", "headers", "withoutHeaders", "queryParams"}
_MATCH |= {"ignoreUriCase"}
_REDIRECT = {"uri", "authority", "scheme", "port", "redirectCode"}


@dataclass(frozen=True, slots=True)
class VirtualRules:
    """The routes of one VirtualService in their order, and the clusters that they lead to."""

    hosts: tuple[str, ...]
    routes: tuple[dict[str, Any], ...]
    clusters: frozenset[str]
    missing: tuple[str, ...]
    """Destinations that are not there."""


def render_virtual_service(world: World, service: Object) -> VirtualRules:
    """Return the Envoy routes of a VirtualService.  Raises Unsupported."""
    namespace, name = key_of(service)
    spec = service.get("spec") or {}
    for kind in ("tcp", "tls"):
        if spec.get(kind):
            raise Unsupported(f"spec.{kind}")
    found = _Destinations(world, namespace)
    routes = []
    for place, rule in enumerate(spec.get("http") or []):
        _only(rule, _RULE, f"http[{place}]")
        for match in rule.get("match") or [{}]:
            _only(match, _MATCH, f"http[{place}].match")
            action = _action(found, rule, match)
            route_name = f"virtual/{namespace}/{name}/{place}"
            routes.append({"name": route_name, "match": _match(match), **action})
    hosts = [each for host in spec.get("hosts") or [] for each in _hosts(str(host), namespace)]
    return VirtualRules(
        tuple(dict.fromkeys(hosts)),
        tuple(routes),
        frozenset(found.clusters),
        tuple(dict.fromkeys(found.missing)),
    )


def _only(values: Object, known: set[str], where: str) -> None:
    if unknown := sorted(values.keys() - known):
        raise Unsupported(f"{where}.{unknown[0]}")


def _hosts(host: str, namespace: str) -> list[str]:
    """Return the names for a host: a Service's short name also stands for its long ones."""
    if "." in host or host == "*":
        return [host]
    home = f"{host}.{namespace}"
    return [host, home, f"{home}.svc", f"{home}.svc.cluster.local"]


class _Destinations:
    """Looks destinations up, and keeps which clusters they need and what is missing."""

    def __init__(self, world: World, namespace: str) -> None:
        self._world, self._namespace = world, namespace
        self.clusters: set[str] = set()
        self.missing: list[str] = []

    def cluster(self, destination: Object) -> str:
        """Return the Envoy cluster of a destination; one that is not there gets requests 503."""
        host = str(destination["host"])
        key = service_key(host, self._namespace)
        service = self._world.services.get(key)
        port = (destination.get("port") or {}).get("number")
        ports = [one["port"] for one in service["spec"].get("ports") or []] if service else []
        if port is None and len(ports) == 1:
            port = ports[0]
        subset = str(destination.get("subset") or "")
        name = subset_name(*key, port or 0, subset)
        if port not in ports:
            self.missing.append(f"Service {'/'.join(key)} port {port}" if ports else f"{host}")
            return f"unresolved:{name}"
        if subset and self._world.subset(key, subset) is None:
            self.missing.append(f"subset {subset} of {host}")
            return f"unresolved:{name}"
        self.clusters.add(name)
        return name


def service_key(host: str, namespace: str) -> tuple[str, str]:
    """Return namespace and name of the Service that Istio means by `host` in the namespace."""
    short = host.removesuffix(".cluster.local").removesuffix(".svc")
    name, _, home = short.partition(".")
    return home or namespace, name


def _action(found: _Destinations, rule: Object, match: Object) -> dict[str, Any]:
    headers = _headers(rule.get("headers"))
    if "directResponse" in rule:
        wanted = rule["directResponse"]
        answer: dict[str, Any] = {"status": wanted["status"]}
        if text := (wanted.get("body") or {}).get("string"):
            answer["body"] = {"inline_string": text}
        return {"direct_response": answer, **headers}
    if "redirect" in rule:
        return {"redirect": _redirect(rule["redirect"]), **headers}
    action: dict[str, Any] = {
        "weighted_clusters": {"clusters": _clusters(found, rule)},
        "cluster_not_found_response_code": "SERVICE_UNAVAILABLE",
        "timeout": duration(rule.get("timeout") or "0s"),
        "retry_policy": _retries(rule.get("retries")),
    }
    if mirrors := _mirrors(found, rule):
        action["request_mirror_policies"] = mirrors
    if "rewrite" in rule:
        action |= _rewrite(rule["rewrite"], match)
    return {"route": action, **headers}


def _clusters(found: _Destinations, rule: Object) -> list[dict[str, Any]]:
    destinations = rule.get("route") or []
    one = len(destinations) == 1
    clusters = [
        {
            "name": found.cluster(each["destination"]),
            "weight": int(each.get("weight") or (100 if one else 0)),
            **_headers(each.get("headers")),
        }
        for each in destinations
    ]
    if not sum(int(each["weight"]) for each in clusters):
        raise Unsupported("http[].route without any weight")
    return clusters


def _headers(changes: Object | None) -> dict[str, Any]:
    rendered: dict[str, Any] = {}
    for side in ("request", "response"):
        change = (changes or {}).get(side) or {}
        pairs = {
            verb: [
                {"name": name, "value": value} for name, value in (change.get(verb) or {}).items()
            ]
            for verb in ("set", "add")
        }
        rendered |= modifier(side, {**pairs, "remove": change.get("remove") or []})
    return rendered


def _mirrors(found: _Destinations, rule: Object) -> list[dict[str, Any]]:
    wanted = [(one["destination"], one.get("percentage")) for one in rule.get("mirrors") or []]
    if rule.get("mirror"):
        wanted.append((rule["mirror"], rule.get("mirrorPercentage")))
    policies = []
    for destination, percentage in wanted:
        cluster = found.cluster(destination)
        if cluster.startswith("unresolved:"):
            continue
        share = 100.0 if percentage is None else float(percentage.get("value", 0))
        part = {"numerator": round(share * 10_000), "denominator": "MILLION"}
        policies.append(
            {
                "cluster": cluster,
                "runtime_fraction": {"default_value": part},
                "disable_shadow_host_suffix_append": True,
            }
        )
    return policies


def _retries(wanted: Object | None) -> dict[str, Any]:
    if wanted is None:
        return RETRY
    retries = {**RETRY, "num_retries": int(wanted.get("attempts", 0))}
    if wanted.get("retryOn"):
        retries["retry_on"] = wanted["retryOn"]
    if wanted.get("perTryTimeout"):
        retries["per_try_timeout"] = duration(wanted["perTryTimeout"])
    return retries


def _redirect(wanted: Object) -> dict[str, Any]:
    _only(wanted, _REDIRECT, "redirect")
    codes = {301: "MOVED_PERMANENTLY", 302: "FOUND", 303: "SEE_OTHER", 307: "TEMPORARY_REDIRECT"}
    codes[308] = "PERMANENT_REDIRECT"
    names = {"uri": "path_redirect", "authority": "host_redirect", "scheme": "scheme_redirect"}
    names["port"] = "port_redirect"
    code = wanted.get("redirectCode", 301)
    if code not in codes:
        raise Unsupported(f"redirect.redirectCode {code}")
    rendered = {envoy: wanted[name] for name, envoy in names.items() if name in wanted}
    return {"response_code": codes[code], **rendered}


def _rewrite(wanted: Object, match: Object) -> dict[str, Any]:
    _only(wanted, {"uri", "authority"}, "rewrite")
    rendered: dict[str, Any] = {}
    if "authority" in wanted:
        rendered["host_rewrite_literal"] = wanted["authority"]
    if "uri" in wanted and ("prefix" in (match.get("uri") or {}) or "uri" not in match):
        rendered["prefix_rewrite"] = wanted["uri"]
    elif "uri" in wanted:
        text = wanted["uri"].replace("\\", "\\\\")
        rendered["regex_rewrite"] = {"pattern": {"regex": "^[^?]*"}, "substitution": text}
    return rendered


def _match(match: Object) -> dict[str, Any]:
    uri = match.get("uri") or {"prefix": "/"}
    rendered: dict[str, Any]
    match uri:
        case {"exact": text}:
            rendered = {"path": text}
        case {"prefix": text}:
            rendered = {"prefix": text}
        case {"regex": text}:
            rendered = {"safe_regex": {"regex": text}}
        case _:
            raise Unsupported("match.uri without exact, prefix or regex")
    if match.get("ignoreUriCase"):
        rendered["case_sensitive"] = False
    headers = [_header(name, rule) for name, rule in (match.get("headers") or {}).items()]
    headers += [
        {**_header(name, rule), "invert_match": True}
        for name, rule in (match.get("withoutHeaders") or {}).items()
    ]
    for key, name in (("method", ":method"), ("authority", ":authority")):
        if match.get(key):
            headers.append(_header(name, match[key]))
    if headers:
        rendered["headers"] = headers
    if match.get("queryParams"):
        rendered["query_parameters"] = [
            {"name": name, "string_match": _text(rule)}
            for name, rule in match["queryParams"].items()
        ]
    return rendered


def _header(name: str, rule: Object | None) -> dict[str, Any]:
    if not rule:
        return {"name": name, "present_match": True}
    return {"name": name, "string_match": _text(rule)}


def _text(rule: Object) -> dict[str, Any]:
    match rule:
        case {"exact": text} | {"prefix": text} | {"regex": text} if not isinstance(text, str):
            raise Unsupported(f"a match by {text!r}, which is no text")
        case {"exact": text}:
            return {"exact": text}
        case {"prefix": text}:
            return {"prefix": text}
        case {"regex": text}:
            return {"safe_regex": {"regex": text}}
        case _:
            raise Unsupported("a match without exact, prefix or regex")
