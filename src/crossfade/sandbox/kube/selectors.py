"""Label selectors (equality and set based) and field selectors."""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

from crossfade.sandbox.kube.client import Object
from crossfade.sandbox.kube.kinds import Kind
from crossfade.sandbox.kube.status import bad_request, group_resource

Matcher = Callable[[Object], bool]
"""Says whether an object is selected."""

_REQUIREMENT = re.compile(
    r"""\s*(?P<not>!)?\s*(?P<key>[A-Za-z0-9][A-Za-z0-9_./-]*)\s*
        (?: (?P<operator>==|!=|=|>|<)\s*(?P<value>[A-Za-z0-9_.-]*)
          | (?<=\s)(?P<set>in|notin)\s*\((?P<values>[^()]*)\)
        )?\s*\Z""",
    re.VERBOSE,
)
_COMMA = re.compile(r",(?![^(]*\))")


def everything(_: Object) -> bool:
    """Select every object."""
    return True


@lru_cache(maxsize=512)
def labels(selector: str) -> Matcher:
    """Return what `labelSelector=...` selects; raises ApiError 400 when it cannot be read."""
    if not selector.strip():
        return everything
    tests = [_requirement(part) for part in _COMMA.split(selector)]

    def matches(obj: Object) -> bool:
        found = obj["metadata"].get("labels") or {}
        return all(test(found) for test in tests)

    return matches


def _requirement(text: str) -> Callable[[Mapping[str, str]], bool]:
    parsed = _REQUIREMENT.match(text)
    if parsed is None or (parsed["not"] and (parsed["operator"] or parsed["set"])):
        raise bad_request(f"unable to parse requirement: {text.strip()!r} is not a label selector")
    key = parsed["key"]
    if parsed["set"]:
        wanted = frozenset(value.strip() for value in parsed["values"].split(","))
        return _membership(key, wanted, inside=parsed["set"] == "in")
    if parsed["operator"] in (">", "<"):
        return _comparison(key, parsed["operator"], parsed["value"])
    if parsed["operator"]:
        wanted = frozenset((parsed["value"],))
        return _membership(key, wanted, inside=parsed["operator"] != "!=")
    present = not parsed["not"]
    return lambda found: (key in found) == present


def _membership(
    key: str, wanted: frozenset[str], *, inside: bool
) -> Callable[[Mapping[str, str]], bool]:
    if inside:
        return lambda found: key in found and found[key] in wanted
    return lambda found: key not in found or found[key] not in wanted


def _comparison(key: str, operator: str, value: str) -> Callable[[Mapping[str, str]], bool]:
    if not value.lstrip("-").isdigit():
        raise bad_request(
            f"values[0][{key}]: Invalid value: {value!r}: for 'Gt', 'Lt' operators, "
            "the value must be an integer"
        )
    bound = int(value)

    def test(found: Mapping[str, str]) -> bool:
        text = found.get(key, "")
        if not text.lstrip("-").isdigit():
            return False
        return int(text) > bound if operator == ">" else int(text) < bound

    return test


def label_selector(selector: Mapping[str, Any] | None) -> Callable[[Mapping[str, str]], bool]:
    """
    Return what a `LabelSelector` (`matchLabels`, `matchExpressions`) in an object selects.

    An empty selector selects every set of labels, an absent one none.
    """
    if selector is None:
        return lambda found: False
    exact: Mapping[str, str] = selector.get("matchLabels") or {}
    tests = [_membership(key, frozenset((value,)), inside=True) for key, value in exact.items()]
    tests += [_expression(expression) for expression in selector.get("matchExpressions") or ()]
    return lambda found: all(test(found) for test in tests)


def _expression(expression: Mapping[str, Any]) -> Callable[[Mapping[str, str]], bool]:
    key, operator = str(expression.get("key", "")), expression.get("operator")
    values = frozenset(expression.get("values") or ())
    match operator:
        case "In":
            return _membership(key, values, inside=True)
        case "NotIn":
            return _membership(key, values, inside=False)
        case "Exists":
            return lambda found: key in found
        case "DoesNotExist":
            return lambda found: key not in found
        case _:
            raise bad_request(f"{operator!r} is not a valid label selector operator")


_FIELDS: dict[str, frozenset[str]] = {
    "pods": frozenset(
        {
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.podIPs",
            "status.nominatedNodeName",
        }
    ),
    "events": frozenset(
        {
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        }
    ),
    "nodes": frozenset({"spec.unschedulable"}),
    "secrets": frozenset({"type"}),
    "services": frozenset({"spec.clusterIP", "spec.type"}),
    "namespaces": frozenset({"status.phase"}),
    "jobs.batch": frozenset({"status.successful"}),
}
_ALWAYS = frozenset({"metadata.name", "metadata.namespace"})
_ELSEWHERE = {"source": "source.component", "status.successful": "status.succeeded"}
_FIELD = re.compile(
    r"\s*(?P<path>[^=!,\s]+)\s*(?P<operator>==|!=|=)\s*(?P<value>.*?)\s*\Z", re.DOTALL
)
_UNESCAPED_COMMA = re.compile(r"(?<!\\),")


def fields(kind: Kind, selector: str) -> Matcher:
    """
    Return what `fieldSelector=...` selects.

    Raises ApiError 400 for a field that the real server cannot select this kind by.
    """
    if not selector.strip():
        return everything
    return _fields(group_resource(kind), selector)


@lru_cache(maxsize=512)
def _fields(resource: str, selector: str) -> Matcher:
    tests: list[tuple[tuple[str, ...], str, bool]] = []
    for part in _UNESCAPED_COMMA.split(selector):
        parsed = _FIELD.match(part)
        if parsed is None:
            raise bad_request(f"invalid selector: '{selector}'; can't understand '{part}'")
        path = parsed["path"]
        if path not in _ALWAYS and path not in _FIELDS.get(resource, ()):
            raise bad_request(_unknown_field(resource, path))
        wanted = parsed["value"].replace("\\,", ",").replace("\\=", "=").replace("\\\\", "\\")
        steps = tuple(_ELSEWHERE.get(path, path).split("."))
        tests.append((steps, wanted, parsed["operator"] != "!="))

    def matches(obj: Object) -> bool:
        return all((_value(obj, steps) == wanted) is equal for steps, wanted, equal in tests)

    return matches


def _unknown_field(resource: str, path: str) -> str:
    """Return the real server's words, which differ for kinds that have only what all have."""
    if resource in _FIELDS:
        return f"field label not supported: {path}"
    return f'"{path}" is not a known field selector: only "metadata.name", "metadata.namespace"'


def _value(obj: Object, steps: Iterable[str]) -> str:
    found: Any = obj
    for step in steps:
        found = found.get(step) if isinstance(found, dict) else None
    if isinstance(found, bool):
        return "true" if found else "false"
    if found is None:
        return "false" if steps in (("spec", "unschedulable"), ("spec", "hostNetwork")) else ""
    return str(found)
