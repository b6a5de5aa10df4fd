"""What a URL of the API means: a collection, an object or a part of one, with the options."""

from collections.abc import Mapping
from dataclasses import dataclass

from crossfade.sandbox.kube.kinds import Kind
from crossfade.sandbox.kube.registry import Registry, Served
from crossfade.sandbox.kube.status import bad_request, no_such_path

_NAMESPACE_PARTS = frozenset({"status", "finalize"})


@dataclass(frozen=True, slots=True)
class Target:
    """The resource that a request is about."""

    served: Served
    namespace: str | None
    """None for cluster-scoped kinds, and for a collection over all namespaces."""
    name: str = ""
    """Empty for a collection."""
    subresource: str = ""
    rest: str = ""
    """What follows `proxy`: the path that is asked behind it."""

    @property
    def kind(self) -> Kind:
        """The kind that is served there."""
        return self.served.kind


def parse(registry: Registry, path: str) -> Target:
    """Return what the path of a resource means; raises ApiError 404 when nothing is there."""
    steps = [step for step in path.split("/") if step]
    if steps[:1] == ["api"] and len(steps) >= 3:
        group, version, rest = "", steps[1], steps[2:]
    elif steps[:1] == ["apis"] and len(steps) >= 4:
        group, version, rest = steps[1], steps[2], steps[3:]
    else:
        raise no_such_path()
    namespace = None
    in_namespace = rest[0] == "namespaces" and len(rest) >= 3
    if in_namespace and not (group == "" and rest[2] in _NAMESPACE_PARTS and len(rest) == 3):
        namespace, rest = rest[1], rest[2:]
    plural, name, subresource = (*rest, "", "")[:3]
    served = registry.at(group, version, plural)
    if served is None or (len(rest) > 3 and subresource != "proxy"):
        raise no_such_path()
    if (namespace is not None) and not served.kind.namespaced:
        raise no_such_path()
    if name and served.kind.namespaced and namespace is None:
        raise no_such_path()
    return Target(served, namespace, name, subresource, "/".join(rest[3:]))


def flag(query: Mapping[str, str], name: str) -> bool:
    """Return a boolean option of the query."""
    return query.get(name, "").lower() in ("1", "t", "true")


def number(query: Mapping[str, str], name: str) -> int | None:
    """Return a whole-number option of the query; raises ApiError 400."""
    text = query.get(name, "")
    if not text:
        return None
    if not text.isdecimal() or len(text) > 18:
        raise bad_request(f'{name}: Invalid value: "{text}": must be a whole number')
    return int(text)


def dry_run(query: Mapping[str, str]) -> bool:
    """Say whether the request must not change anything; raises ApiError 400."""
    value = query.get("dryRun", "")
    if value not in ("", "All"):
        raise bad_request(f'dryRun: Unsupported value: "{value}": supported values: "All"')
    return value == "All"
