"""
OpenAPI v3 documents: what `kubectl explain`, `apply` and `diff` and helm read of an API.

One document per group and version, whole in itself.  They are made when asked for, from the tables
of `fields`, and not kept: clients cache them by the hash in the index.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from crossfade.sandbox.kube import builtin, fields
from crossfade.sandbox.kube.fields import Field, Structure
from crossfade.sandbox.kube.kinds import Kind
from crossfade.sandbox.kube.strict import structure_of

Document = dict[str, Any]
Schemas = Mapping[Kind, Document]
"""The `openAPIV3Schema` of each kind that comes from a CRD."""

_FORM = "1"
"""Changes when documents get another form, so that clients drop what they have cached."""
_GVK = "x-kubernetes-group-version-kind"
_QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
_INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
_HOMES = {
    "meta/v1": "io.k8s.apimachinery.pkg.apis.meta.v1",
    "apiextensions/v1": "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1",
    "gateway/v1": "io.k8s.networking.gateway.v1",
}
_SCALARS: dict[str, Document] = {
    "s": {"type": "string"},
    "b": {"type": "boolean"},
    "i": {"type": "integer", "format": "int32"},
    "l": {"type": "integer", "format": "int64"},
    "d": {"type": "number", "format": "double"},
    "y": {"type": "string", "format": "byte"},
    "T": {"type": "string", "format": "date-time"},
    "M": {"type": "string", "format": "date-time"},
    "D": {"type": "string"},
    "V": {"type": "array", "items": {"type": "string"}},
    "F": {"type": "object"},
    "R": {"type": "object"},
    "P": {},
    "O": {},
    "X": {},
    "J": {},
    "Q": {"$ref": f"#/components/schemas/{_QUANTITY}"},
    "I": {"$ref": f"#/components/schemas/{_INT_OR_STRING}"},
}
_SHARED: Document = {
    _QUANTITY: {"oneOf": [{"type": "string"}, {"type": "number"}]},
    _INT_OR_STRING: {
        "format": "int-or-string",
        "oneOf": [{"type": "integer"}, {"type": "string"}],
    },
}
_PATCHES = (
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
)


def index(kinds: Sequence[Kind], schemas: Schemas | None = None) -> Document:
    """Return the answer to `/openapi/v3`: where the documents are, with their hashes."""
    paths = {}
    for root in dict.fromkeys(_root(kind) for kind in kinds):
        served = [kind for kind in kinds if _root(kind) == root]
        digest = _digest(served, schemas or {})
        paths[root] = {"serverRelativeURL": f"/openapi/v3/{root}?hash={digest}"}
    return {"paths": paths}


def _digest(kinds: Sequence[Kind], schemas: Schemas) -> str:
    facts = [_FORM, [(k.kind, k.plural, k.namespaced, schemas.get(k)) for k in kinds]]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest().upper()


def document(root: str, kinds: Sequence[Kind], schemas: Schemas | None = None) -> Document | None:
    """Return the document at `/openapi/v3/<root>` (`api/v1`, `apis/apps/v1`), None if absent."""
    served = [kind for kind in kinds if _root(kind) == root.strip("/")]
    if not served:
        return None
    components: Document = {}
    needed = [structure for kind in served if (structure := structure_of(kind))]
    for structure in _reachable(needed):
        components[_title(structure.name)] = _schema(structure)
    components |= _SHARED
    paths: Document = {}
    for kind in served:
        name = _component(kind)
        own = components.get(name) or _custom(kind, (schemas or {}).get(kind))
        components[name] = own | {_GVK: [_gvk(kind)]}
        paths |= _paths(kind, f"#/components/schemas/{name}")
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "v1.32.0"},
        "paths": paths,
        "components": {"schemas": components},
    }


def _root(kind: Kind) -> str:
    return kind.path().strip("/").rpartition("/")[0]


def _gvk(kind: Kind) -> Document:
    return {"group": kind.group, "version": kind.version, "kind": kind.kind}


def _title(name: str) -> str:
    """Return the name of a component for a structure such as `core/v1.PodSpec`."""
    package, _, short = name.rpartition(".")
    home = _HOMES.get(package) or "io.k8s.api." + package.replace("/", ".")
    return f"{home}.{short}"


def _component(kind: Kind) -> str:
    structure = structure_of(kind)
    if structure is not None:
        return _title(structure.name)
    return ".".join([*reversed(kind.group.split(".")), kind.version, kind.kind])


def _reachable(roots: list[Structure]) -> Iterator[Structure]:
    """Yield each structure once, with all that its fields lead to."""
    seen = {structure.name for structure in roots}
    waiting = list(roots)
    while waiting:
        structure = waiting.pop()
        yield structure
        for field in structure.by_name.values():
            inner = field.structure
            if inner is not None and inner.name not in seen:
                seen.add(inner.name)
                waiting.append(inner)


def _schema(structure: Structure) -> Document:
    known = structure.by_name
    found: Document = {"type": "object"}
    if known:
        found["properties"] = {name: _property(field) for name, field in known.items()}
    if required := [name for name, field in known.items() if "!" in field.notes]:
        found["required"] = required
    if structure.atomic:
        found["x-kubernetes-map-type"] = "atomic"
    return found


def _property(field: Field) -> Document:
    inner = field.structure
    if inner is not None:
        # A reference stands alone in OpenAPI 3.0, so anything beside it needs `allOf`.
        item: Document = {"allOf": [{"$ref": f"#/components/schemas/{_title(inner.name)}"}]}
        item["default"] = {}
    else:
        item = dict(_SCALARS.get(field.type, {}))
    found = item
    if field.container == "*":
        found = {"type": "array", "items": item} | _list_type(field)
    elif field.container == "%":
        found = {"type": "object", "additionalProperties": item}
        if "A" in field.notes:
            found["x-kubernetes-map-type"] = "atomic"
    elif inner is not None:
        found = {"allOf": item["allOf"]}
    strategies = [
        name for name, note in (("retainKeys", "r"), ("merge", "m")) if note in field.notes
    ]
    if strategies:
        found["x-kubernetes-patch-strategy"] = ",".join(strategies[::-1])
    if key := field.notes.get("m"):
        found["x-kubernetes-patch-merge-key"] = key
    return found


def _list_type(field: Field) -> Document:
    if keys := field.keys("k"):
        return {"x-kubernetes-list-map-keys": list(keys), "x-kubernetes-list-type": "map"}
    return {"x-kubernetes-list-type": "set" if "S" in field.notes else "atomic"}


def _custom(kind: Kind, schema: Document | None) -> Document:
    """Return the schema of a kind from a CRD, with the fields that every object has."""
    open_one: Document = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    found = dict(schema or open_one)
    metadata = fields.structure("meta/v1.ObjectMeta")
    found["properties"] = dict(found.get("properties") or {}) | {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": _schema(metadata) if metadata else {"type": "object"},
    }
    return found


def _paths(kind: Kind, reference: str) -> Document:
    """Return the operations on a kind, with what clients look up in them."""
    scope = "/namespaces/{namespace}" if kind.namespaced else ""
    collection = f"/{_root(kind)}{scope}/{kind.plural}"
    content = {"application/json": {"schema": {"$ref": reference}}}
    answer = {"200": {"description": "OK", "content": content}}
    mark = {_GVK: _gvk(kind), "responses": answer}
    write = {"parameters": _queries("dryRun", "fieldManager", "fieldValidation")}
    body = {"requestBody": {"content": {"*/*": {"schema": {"$ref": reference}}}}}
    patches = _PATCHES if structure_of(kind) and kind.group not in _CUSTOM else _PATCHES[:2]
    patch: Document = {"requestBody": {"content": {media: {"schema": {}} for media in patches}}}
    force = {"parameters": [*write["parameters"], *_queries("force")]}
    can = builtin.verbs(kind)
    every: Document = {"post": {"x-kubernetes-action": "post"} | mark | write | body}
    if "list" in can:
        every["get"] = {"x-kubernetes-action": "list"} | mark
    if "patch" not in can:
        return {collection: every}
    one: Document = {
        "get": {"x-kubernetes-action": "get"} | mark,
        "put": {"x-kubernetes-action": "put"} | mark | write | body,
        "patch": {"x-kubernetes-action": "patch"} | mark | force | patch,
        "delete": {"x-kubernetes-action": "delete"} | mark,
    }
    return {collection: every, f"{collection}/{{name}}": one}


_CUSTOM = ("gateway.networking.k8s.io",)
"""Groups with tables that a real cluster serves from CRDs: they have no strategic merge."""


def _queries(*names: str) -> list[Document]:
    return [{"name": name, "in": "query", "schema": {"type": "string"}} for name in names]
