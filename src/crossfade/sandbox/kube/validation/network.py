"""Rules for Services, Ingresses and the routes and gateways of the Gateway API."""

from crossfade.sandbox.kube import fields
from crossfade.sandbox.kube.fields import Structure
from crossfade.sandbox.kube.validation import texts
from crossfade.sandbox.kube.validation.texts import (
    Problems,
    Values,
    duplicate,
    invalid,
    mapping,
    objects,
    one_of,
    required,
)
from crossfade.sandbox.kube.values import Json

_SERVICE_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_PROTOCOLS = ("SCTP", "TCP", "UDP")
_FILTERS = {
    "RequestHeaderModifier": "requestHeaderModifier",
    "ResponseHeaderModifier": "responseHeaderModifier",
    "RequestMirror": "requestMirror",
    "RequestRedirect": "requestRedirect",
    "URLRewrite": "urlRewrite",
    "ExtensionRef": "extensionRef",
}
_PATHS = ("Exact", "PathPrefix", "RegularExpression")
_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH")


def service(spec: Values) -> Problems:
    """Yield the problems of a Service's spec."""
    kind = spec.get("type")
    yield from one_of("spec.type", kind, _SERVICE_TYPES)
    ports = objects(spec.get("ports"))
    if not ports and kind != "ExternalName" and spec.get("clusterIP") != "None":
        yield required("spec.ports")
    if kind == "ExternalName" and not spec.get("externalName"):
        yield required("spec.externalName")
    names: set[str] = set()
    pairs: set[tuple[Json, Json]] = set()
    for index, port in enumerate(ports):
        where = f"spec.ports[{index}]"
        yield from _service_port(where, port, named=len(ports) > 1)
        if (name := port.get("name")) and name in names:
            yield duplicate(f"{where}.name", name)
        names.add(str(name))
        pair = (str(port.get("protocol")), str(port.get("port")))
        if pair in pairs:
            yield where, f"Duplicate value: {{{port.get('protocol')} {port.get('port')}}}"
        pairs.add(pair)
    yield from texts.labels("spec.selector", spec.get("selector"))
    affinity = spec.get("sessionAffinity")
    yield from one_of("spec.sessionAffinity", affinity, ("ClientIP", "None"))


def _service_port(path: str, port: Values, *, named: bool) -> Problems:
    if name := port.get("name"):
        yield from texts.label(f"{path}.name", name)
    elif named:
        yield required(f"{path}.name")
    yield from texts.port(f"{path}.port", port.get("port"))
    yield from one_of(f"{path}.protocol", port.get("protocol"), _PROTOCOLS)
    if (target := port.get("targetPort")) is not None and "port" in port:
        yield from texts.port_or_name(f"{path}.targetPort", target)
    node_port = port.get("nodePort")
    if isinstance(node_port, int) and node_port and not 30000 <= node_port <= 32767:
        why = "provided port is not in the valid range. The range of valid ports is 30000-32767"
        yield invalid(f"{path}.nodePort", node_port, why)


def ingress(spec: Values) -> Problems:
    """Yield the problems of an Ingress's spec."""
    if not spec.get("rules") and spec.get("defaultBackend") is None:
        yield invalid("spec", "", "either `defaultBackend` or `rules` must be specified")
    for index, rule in enumerate(objects(spec.get("rules"))):
        for place, path in enumerate(objects(mapping(rule.get("http")).get("paths"))):
            where = f"spec.rules[{index}].http.paths[{place}]"
            kind = path.get("pathType")
            if not kind:
                yield required(f"{where}.pathType", "pathType must be specified")
            else:
                allowed = ("Exact", "ImplementationSpecific", "Prefix")
                yield from one_of(f"{where}.pathType", kind, allowed)
            text = path.get("path")
            if kind in ("Exact", "Prefix") and not str(text or "").startswith("/"):
                yield invalid(f"{where}.path", text or "", "must be an absolute path")
            if "service" in mapping(path.get("backend")):
                yield from _backend(f"{where}.backend.service", mapping(path["backend"])["service"])


def _backend(path: str, value: Json) -> Problems:
    values = mapping(value)
    if not values.get("name"):
        yield required(f"{path}.name")
    port = mapping(values.get("port"))
    if not port.get("name") and not port.get("number"):
        yield required(path, "port name or number is required")


def gateway_kind(kind: str, obj: Values) -> Problems:
    """Yield the problems of an object of the Gateway API."""
    structure = fields.structure(f"gateway/v1.{kind}")
    if structure is not None:
        yield from _required(structure, obj, "")
    spec = mapping(obj.get("spec"))
    if kind == "HTTPRoute":
        yield from _route(spec)
    elif kind == "Gateway":
        yield from _gateway(spec)


def _required(structure: Structure, obj: Values, path: str) -> Problems:
    """Yield each field that must be given and is not, along the tables."""
    for name, field in structure.by_name.items():
        where = f"{path}.{name}" if path else name
        value = obj.get(name)
        if value is None and "!" in field.notes:
            yield required(where)
        inner = field.structure
        if inner is None or inner.name.startswith("meta/") or name == "status":
            continue
        if field.container == "*":
            for index, item in enumerate(objects(value)):
                yield from _required(inner, item, f"{where}[{index}]")
        elif not field.container and isinstance(value, dict):
            yield from _required(inner, value, where)


def _gateway(spec: Values) -> Problems:
    listeners = objects(spec.get("listeners"))
    if spec.get("listeners") == []:
        yield invalid("spec.listeners", 0, "spec.listeners in body should have at least 1 items")
    names: set[str] = set()
    for index, one in enumerate(listeners):
        where = f"spec.listeners[{index}]"
        if one.get("port") is not None:
            yield from texts.port(f"{where}.port", one["port"])
        name = str(one.get("name"))
        if name in names:
            yield duplicate(where, {"name": name})
        names.add(name)


def _route(spec: Values) -> Problems:
    for index, host in enumerate(spec.get("hostnames") or ()):
        yield from texts.subdomain(f"spec.hostnames[{index}]", str(host).removeprefix("*."))
    for index, rule in enumerate(objects(spec.get("rules"))):
        where = f"spec.rules[{index}]"
        for place, match in enumerate(objects(rule.get("matches"))):
            yield from _match(f"{where}.matches[{place}]", match)
        yield from _filters(f"{where}.filters", rule.get("filters"))
        for place, backend in enumerate(objects(rule.get("backendRefs"))):
            yield from _weighted(f"{where}.backendRefs[{place}]", backend)


def _match(path: str, match: Values) -> Problems:
    rule = mapping(match.get("path"))
    yield from one_of(f"{path}.path.type", rule.get("type"), _PATHS)
    text = rule.get("value")
    if rule.get("type") in ("Exact", "PathPrefix") and not str(text).startswith("/"):
        why = "value must be an absolute path and start with '/' when type one of "
        yield invalid(f"{path}.path", "object", why + "['Exact', 'PathPrefix']")
    if match.get("method") is not None:
        yield from one_of(f"{path}.method", match["method"], _METHODS)
    for name in ("headers", "queryParams"):
        for index, one in enumerate(objects(match.get(name))):
            allowed = ("Exact", "RegularExpression")
            yield from one_of(f"{path}.{name}[{index}].type", one.get("type"), allowed)


def _filters(path: str, value: Json) -> Problems:
    for index, one in enumerate(objects(value)):
        kind = one.get("type")
        if kind is None:
            continue
        yield from one_of(f"{path}[{index}].type", kind, _FILTERS)
        wanted = _FILTERS.get(str(kind))
        if wanted is not None and one.get(wanted) is None:
            why = f"filter.{wanted} must be specified for {kind} filter.type"
            yield invalid(f"{path}[{index}]", "object", why)


def _weighted(path: str, backend: Values) -> Problems:
    weight = backend.get("weight")
    if isinstance(weight, int) and not 0 <= weight <= 1_000_000:
        edge, side = (0, "greater") if weight < 0 else (1_000_000, "less")
        why = f"{path}.weight in body should be {side} than or equal to {edge}"
        yield invalid(f"{path}.weight", weight, why)
    if backend.get("port") is not None:
        yield from texts.port(f"{path}.port", backend["port"])
    elif backend.get("kind") == "Service" and backend.get("group") == "":
        yield invalid(path, "object", "Must have port for Service reference")
    yield from _filters(f"{path}.filters", backend.get("filters"))
