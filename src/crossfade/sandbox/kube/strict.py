"""
What of an object its kind does not have: unknown fields, values of a wrong type, empty ones.

Built-in kinds are read into structures by a real server, so all of this gets lost there; the
functions here say what would, by the tables of `fields`.
"""

from collections.abc import Iterator
from typing import Any

from crossfade.sandbox.kube import fields, quantity
from crossfade.sandbox.kube.fields import Field, Structure
from crossfade.sandbox.kube.kinds import Kind
from crossfade.sandbox.kube.values import Json

_OPEN = "RJPOXF"
"""Types that hold JSON of any form."""
_TEXTS = "syTMD"
_GO_TYPES = {"i": "int32", "l": "int64", "d": "float64", "b": "bool", "s": "string", "y": "[]uint8"}
_GO_TYPES |= {"T": "v1.Time", "M": "v1.MicroTime", "D": "v1.Duration"}


def structure_of(kind: Kind) -> Structure | None:
    """Return the structure of a built-in kind, None for kinds without a table."""
    return fields.structure(f"{fields.package(kind.group, kind.version)}.{kind.kind}")


def unknown_fields(kind: Kind, obj: dict[str, Any]) -> list[str]:
    """Return the paths of all fields that the kind does not have, as `spec.ports[0].portt`."""
    structure = structure_of(kind)
    return list(_unknown(structure, obj, "")) if structure else []


def _unknown(structure: Structure, obj: dict[str, Any], path: str) -> Iterator[str]:
    known = structure.by_name
    for name, value in obj.items():
        where = f"{path}.{name}" if path else name
        field = known.get(name)
        if field is None:
            yield where
            continue
        inner = field.structure
        if inner is None:
            continue
        for place, item in _items(field, value):
            if isinstance(item, dict):
                yield from _unknown(inner, item, where + place)


def _items(field: Field, value: Json) -> Iterator[tuple[str, Json]]:
    """Yield the path below a field and the value of each thing that it holds."""
    if field.container == "*":
        if isinstance(value, list):
            for index, item in enumerate(value):
                yield f"[{index}]", item
    elif field.container == "%":
        if isinstance(value, dict):
            for key, item in value.items():
                yield f".{key}", item
    else:
        yield "", value


def type_error(kind: Kind, obj: dict[str, Any]) -> str:
    """
    Return the message for the first value of a wrong type, "" when all fit.

    A real server answers it with 400 for built-in kinds.
    """
    structure = structure_of(kind)
    if structure is None:
        return ""
    found = next(_misfits(structure, obj, ""), None)
    if found is None:
        return ""
    start = f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}'
    return f"{start}: {found}"


def misfits(kind: Kind, obj: dict[str, Any]) -> list[str]:
    """Return a message for each value of a wrong type."""
    structure = structure_of(kind)
    return list(_misfits(structure, obj, "")) if structure else []


def _misfits(structure: Structure, obj: dict[str, Any], path: str) -> Iterator[str]:
    known = structure.by_name
    short = structure.name.rpartition(".")[2]
    for name, value in obj.items():
        field = known.get(name)
        if field is None or value is None:
            continue
        where = f"{path}.{name}" if path else name
        if field.container == "*" and not isinstance(value, list):
            yield _cannot(value, f"{short}.{where}", "[]" + _go_type(field))
        elif field.container == "%" and not isinstance(value, dict):
            yield _cannot(value, f"{short}.{where}", "map[string]" + _go_type(field))
        else:
            for _, item in _items(field, value):
                yield from _misfit(field, short, item, where)


def _misfit(field: Field, owner: str, value: Json, where: str) -> Iterator[str]:
    inner = field.structure
    if inner is not None:
        if isinstance(value, dict):
            yield from _misfits(inner, value, where)
        elif value is not None:
            yield _cannot(value, f"{owner}.{where}", _go_type(field))
    elif field.type == "Q" and isinstance(value, str | int | float):
        if quantity.amount(value) is None:
            yield "quantities must match the regular expression " + (
                "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
            )
    elif not _fits(field.type, value):
        yield _cannot(value, f"{owner}.{where}", _go_type(field))


def _fits(kind: str, value: Json) -> bool:
    if value is None or kind in _OPEN:
        return True
    if kind == "b":
        return isinstance(value, bool)
    if kind in _TEXTS:
        return isinstance(value, str)
    if kind == "V":
        return isinstance(value, list)
    if isinstance(value, bool):
        return False
    if kind == "I":
        return isinstance(value, int | str)
    if kind == "d":
        return isinstance(value, int | float)
    if kind in "il":
        return isinstance(value, int) and abs(value) < 2 ** (31 if kind == "i" else 63)
    return False


def _cannot(value: Json, where: str, go_type: str) -> str:
    match value:
        case bool():
            what = "bool"
        case int() | float():
            what = (
                "number" if isinstance(value, int) and "int" not in go_type else f"number {value}"
            )
        case str():
            what = "string"
        case list():
            what = "array"
        case _:
            what = "object"
    return f"json: cannot unmarshal {what} into Go struct field {where} of type {go_type}"


def _go_type(field: Field) -> str:
    if len(field.type) == 1:
        return _GO_TYPES.get(field.type, "intstr.IntOrString")
    package, _, name = field.type.rpartition(".")
    return f"{package.rpartition('/')[2]}.{name}"


def tidy(kind: Kind, obj: dict[str, Any]) -> dict[str, Any]:
    """
    Return the object as a server keeps it: without unknown fields, nulls and empty values.

    Gateway API objects are custom resources: what is in them stays, empty or not.
    Quantities get their canonical form, as `500m` for 0.5.  Kinds without a table are returned as
    they are.
    """
    structure = structure_of(kind)
    return _tidy(structure, obj) if structure else obj


def _tidy(structure: Structure, obj: dict[str, Any]) -> dict[str, Any]:
    known = structure.by_name
    result: dict[str, Any] = {}
    for name, value in obj.items():
        field = known.get(name)
        if field is None or value is None:
            continue
        kept = _kept(field, value)
        # A structure stays even when it is empty: `emptyDir: {}` says something.
        nothing = kept in ("", 0, [], {}) if field.container or len(field.type) == 1 else False
        # A custom resource (no protobuf) keeps a weight of 0, which is no weight left out.
        nothing = nothing and not structure.name.startswith("gateway/")
        if nothing and not field.notes.keys() & {"p", "e"} and field.type not in "IQRJPOXF":
            continue
        result[name] = kept
    return result


def _kept(field: Field, value: Json) -> Json:
    inner = field.structure
    if inner is None and field.type != "Q":
        return value
    if field.container == "*" and isinstance(value, list):
        return [_kept_one(inner, item) for item in value]
    if field.container == "%" and isinstance(value, dict):
        return {key: _kept_one(inner, item) for key, item in value.items()}
    return _kept_one(inner, value)


def _kept_one(inner: Structure | None, value: Json) -> Json:
    if inner is None:
        return quantity.canonical(value) if isinstance(value, str | int | float) else value
    return _tidy(inner, value) if isinstance(value, dict) else value
