"""
Objects that Helm did not name after the release, renamed together with what refers to them.

References in fields that Kubernetes defines follow the new name.  Text that a program reads (an
environment value, an argument, a file in a ConfigMap) cannot be changed safely: `mentions` finds
the old name there, so that the chart is refused instead of broken.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias

from crossfade.core.release.kinds import Node, Object, is_hook, mapping, mappings, name_of

Names: TypeAlias = Mapping[tuple[str, str], str]
"""New names by kind and old name."""

LONGEST_NAME = 63

_SCALARS = {
    "claimName": "PersistentVolumeClaim",
    "configMapName": "ConfigMap",
    "priorityClassName": "PriorityClass",
    "secretName": "Secret",
    "serviceAccount": "ServiceAccount",
    "serviceAccountName": "ServiceAccount",
    "serviceName": "Service",
}
"""Keys whose value is the name of another object."""

_NAMED = {
    "configMap": "ConfigMap",
    "configMapKeyRef": "ConfigMap",
    "configMapRef": "ConfigMap",
    "secret": "Secret",
    "service": "Service",
}
"""Keys whose value has the name of another object under `name`."""

_LISTED = {"imagePullSecrets": "Secret", "secrets": "Secret"}
"""Keys whose value lists objects with the name under `name`."""

_ANNOTATED = {
    "kubernetes.io/service-account.name": "ServiceAccount",
    "kubernetes.io/service-name": "Service",
}
"""Labels and annotations whose value is the name of another object."""

_DATA = frozenset({"data", "stringData", "binaryData", "status"})
"""What programs put in an object themselves: a key in it means nothing to Kubernetes."""

_TEXT = frozenset(
    {"annotations", "args", "command", "data", "externalName", "host", "stringData", "value"}
)
"""Keys whose value is text that a program reads."""

_LOOKED_UP = frozenset(
    {"ConfigMap", "PersistentVolumeClaim", "Secret", "Service", "ServiceAccount", "StatefulSet"}
)
"""Kinds that a program may look up by name while it runs."""


def new_names(objects: Sequence[Object], release: str) -> dict[tuple[str, str], str]:
    """Return a new name for each object, but hooks, whose name lacks the release's name."""
    own = [thing for thing in objects if not is_hook(thing)]
    taken = {(str(thing["kind"]), name_of(thing)) for thing in own}
    names = {}
    for kind, name in sorted(taken):
        if release not in name:
            new = f"{release}-{name}"
            free = len(new) <= LONGEST_NAME and (kind, new) not in taken
            names[(kind, name)] = new if free else _hashed(release, name)
    return names


def _hashed(release: str, name: str) -> str:
    """Return a name that is short enough and that nothing else has."""
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    head = name[: max(LONGEST_NAME - len(release) - len(digest) - 2, 0)].strip("-.")
    return f"{release}-{head}-{digest}" if head else f"{release}-{digest}"


def rename(thing: Object, names: Names) -> None:
    """Give the object its new name, and every reference in it that of what it refers to."""
    new = names.get((str(thing["kind"]), name_of(thing)))
    for key, value in thing.items():
        if key == "metadata":
            _rename_annotated(value, names)
        elif key not in _DATA:
            _rename_below({key: value}, names)
    if str(thing["kind"]) in ("Role", "ClusterRole"):
        _rename_rules(thing.get("rules"), names)
    if new:
        thing["metadata"]["name"] = new


def _rename_annotated(metadata: Object, names: Names) -> None:
    for group in ("labels", "annotations"):
        for key, kind in _ANNOTATED.items():
            _rename_at(mapping(metadata.get(group)), key, kind, names)


def _rename_below(node: Node, names: Names) -> None:
    if isinstance(node, list):
        for value in node:
            _rename_below(value, names)
    if not isinstance(node, dict):
        return
    if isinstance(node.get("kind"), str):
        _rename_at(node, "name", node["kind"], names)
    for key, value in node.items():
        if key in _SCALARS:
            _rename_at(node, key, _SCALARS[key], names)
        elif kind := _kind_named(key):
            _rename_at(value, "name", kind, names)
        if key in _LISTED:
            for item in mappings(value):
                _rename_at(item, "name", _LISTED[key], names)
        _rename_below(value, names)


def _kind_named(key: str) -> str | None:
    """Return the kind that `{key: {name: ...}}` refers to: `secretKeyRef`, `tlsSecretRef`, ..."""
    if re.search(r"secret(Key)?Ref$", key, re.IGNORECASE):
        return "Secret"
    return _NAMED.get(key)


def _rename_at(node: Node, key: str, kind: str, names: Names) -> None:
    if isinstance(node, dict) and isinstance(node.get(key), str):
        node[key] = names.get((kind, node[key]), node[key])


def _rename_rules(rules: Node, names: Names) -> None:
    """Follow `resourceNames`, which name objects of the kinds that the rule's `resources` are."""
    for rule in mappings(rules):
        resources, allowed = rule.get("resources"), rule.get("resourceNames")
        if isinstance(resources, list) and isinstance(allowed, list):
            plurals = {str(resource).split("/")[0] for resource in resources}
            follow = {old: new for (kind, old), new in names.items() if _plural(kind) in plurals}
            rule["resourceNames"] = [follow.get(str(name), name) for name in allowed]


def _plural(kind: str) -> str:
    word = kind.lower()
    if word.endswith("y"):
        return word[:-1] + "ies"
    return word + ("es" if word.endswith("s") else "s")


def mentions(thing: Object, names: Names) -> Iterator[tuple[str, str, str]]:
    """Yield (where, kind, old name) for each text in the object that names a renamed object."""
    searches = [
        (kind, old, _search(kind, old)) for (kind, old) in names if kind in _LOOKED_UP and old
    ]
    if searches:
        for where, text in _texts(thing, ""):
            for kind, old, found in searches:
                if found(text):
                    yield where, kind, old


def _search(kind: str, old: str) -> Callable[[str], bool]:
    """Return the test for text that would find the object of that name while a program runs."""
    name = re.escape(old)
    if kind == "Service":
        return _host_search(name, old.upper().replace("-", "_"))
    if kind == "StatefulSet":  # its pods have host names of their own, below that of a Service
        return lambda text: bool(re.search(rf"(?<![\w.-]){name}-\d+\.", text))
    # As a whole value or the value of a flag; as a part of a path it is a folder's name.
    return lambda text: bool(re.search(rf"(?:^|=){name}$", text))


def _host_search(name: str, variable: str) -> Callable[[str], bool]:
    """Return the test for a Service's name used as a host, or in what Kubernetes calls its port."""
    anywhere = re.compile(
        rf"(?://|@){name}(?![\w-])"
        rf"|(?<![\w./-]){name}(?::\d|\.[a-z0-9-]+\.svc\b)"
        rf"|[:=]\s*[\"']?{name}[\"']?\s*(?:[,;]|$)"
        rf"|\b{variable}_(?:SERVICE_HOST|SERVICE_PORT|PORT_\d)",
        re.MULTILINE,
    )
    # A text of several words may hold the name as a word; a single one is likely to be a host.
    token = re.compile(rf"(?:^|[=,;]){name}(?=$|[:/.,;])")
    return lambda text: bool(
        anywhere.search(text) or (not re.search(r"\s", text) and token.search(text))
    )


def _texts(node: Node, where: str, inside: bool = False) -> Iterator[tuple[str, str]]:
    if isinstance(node, dict):
        for key, value in node.items():
            path = f"{where}.{key}" if where else str(key)
            if path != "metadata.name":
                yield from _texts(value, path, inside or key in _TEXT)
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _texts(value, f"{where}[{index}]", inside)
    elif isinstance(node, str) and inside:
        yield where, node
        if where.startswith("data."):
            yield from ((where, text) for text in _decoded(node))


def _decoded(text: str) -> Iterator[str]:
    """Yield what a Secret's value says, if it is text."""
    try:
        yield base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        return
