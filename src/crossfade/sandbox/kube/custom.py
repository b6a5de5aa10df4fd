"""
What the schema of a CRD says of an object: what is pruned, what is filled in, what is wrong.

The structural part of OpenAPI v3 as Kubernetes uses it; rules in CEL are not evaluated.
"""

import re
from collections.abc import Iterator

from crossfade.sandbox.kube.client import Object
from crossfade.sandbox.kube.values import Json, clone

_ROOT = frozenset({"apiVersion", "kind", "metadata"})
_PRESERVE = "x-kubernetes-preserve-unknown-fields"
_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
}


def unknown(schema: Object, obj: Object) -> list[str]:
    """Return the paths of the fields that the schema does not have."""
    return list(_unknown(schema, obj, "", _ROOT))


def _unknown(schema: Object, value: Json, path: str, kept: frozenset[str]) -> Iterator[str]:
    if isinstance(value, list):
        items = schema.get("items") or {}
        for index, item in enumerate(value):
            yield from _unknown(items, item, f"{path}[{index}]", frozenset())
    if not isinstance(value, dict):
        return
    for name, item in value.items():
        where = f"{path}.{name}" if path else name
        inner = _inside(schema, name)
        if name in kept:
            continue
        if inner is None:
            yield where
        else:
            yield from _unknown(inner, item, where, _embedded(inner))


def _embedded(schema: Object) -> frozenset[str]:
    return _ROOT if schema.get("x-kubernetes-embedded-resource") else frozenset()


def _inside(schema: Object, name: str) -> Object | None:
    """Return the schema of a field; {} where anything may be, None where nothing may."""
    properties = schema.get("properties") or {}
    if name in properties:
        found: Object = properties[name] or {}
        return found
    more = schema.get("additionalProperties")
    if isinstance(more, dict):
        return more
    if more or schema.get(_PRESERVE) or not (schema.get("type") or properties):
        return {_PRESERVE: True}
    return None


def prune(schema: Object, obj: Object) -> Object:
    """Return the object without the fields that the schema does not have."""
    result: Object = _prune(schema, obj, _ROOT)
    return result


def _prune(schema: Object, value: Json, kept: frozenset[str]) -> Json:
    if isinstance(value, list):
        items = schema.get("items") or {}
        return [_prune(items, item, _embedded(items)) for item in value]
    if not isinstance(value, dict):
        return value
    result = {}
    for name, item in value.items():
        if name in kept:
            result[name] = item
        elif (inner := _inside(schema, name)) is not None:
            if item is None and not inner.get("nullable") and "default" in inner:
                continue
            result[name] = _prune(inner, item, _embedded(inner))
    return result


def fill(schema: Object, value: Json) -> None:
    """Set in place the defaults of fields that are absent."""
    if isinstance(value, list):
        for item in value:
            fill(schema.get("items") or {}, item)
    if not isinstance(value, dict):
        return
    for name, inner in (schema.get("properties") or {}).items():
        if name not in value and isinstance(inner, dict) and "default" in inner:
            value[name] = clone(inner["default"])
        if name in value:
            fill(inner, value[name])
    more = schema.get("additionalProperties")
    if isinstance(more, dict):
        for item in value.values():
            fill(more, item)


def problems(schema: Object, obj: Object) -> list[tuple[str, str]]:
    """Return (field, message) for everything that the schema does not allow."""
    needed = schema.get("required") or ()
    found = [(name, "Required value") for name in needed if name not in obj]
    for name, inner in (schema.get("properties") or {}).items():
        if name in obj and name not in _ROOT:
            found += _problems(inner, obj[name], name)
    return found


def _problems(schema: Object, value: Json, path: str) -> Iterator[tuple[str, str]]:
    if value is None and schema.get("nullable"):
        return
    wanted = "integer,string" if schema.get("x-kubernetes-int-or-string") else schema.get("type")
    if wanted and not _is(value, wanted):
        yield path, _wrong_type(path, wanted, value)
        return
    choices = schema.get("enum")
    if choices and value not in choices:
        listed = ", ".join(_shown(choice) for choice in choices)
        yield path, f"Unsupported value: {_shown(value)}: supported values: {listed}"
    match value:
        case dict():
            yield from _object_problems(schema, value, path)
        case list():
            yield from _list_problems(schema, value, path)
        case str():
            yield from _text_problems(schema, value, path)
        case bool():
            return
        case int() | float():
            yield from _number_problems(schema, value, path)
        case _:
            return


def _is(value: Json, wanted: str) -> bool:
    if isinstance(value, bool):
        return wanted == "boolean"
    if wanted == "integer" and isinstance(value, float):
        return value.is_integer()
    if wanted == "integer,string":
        return isinstance(value, int | str)
    return isinstance(value, _TYPES.get(wanted, object))


def _shown(value: Json) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def _wrong_type(path: str, wanted: str, value: Json) -> str:
    names = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer"}
    given = names.get(type(value), "null" if value is None else "number")
    return f'Invalid value: "{given}": {path} in body must be of type {wanted}: "{given}"'


def _object_problems(schema: Object, value: Object, path: str) -> Iterator[tuple[str, str]]:
    for name in schema.get("required") or ():
        if name not in value:
            yield f"{path}.{name}", "Required value"
    properties = schema.get("properties") or {}
    more = schema.get("additionalProperties")
    for name, item in value.items():
        inner = properties.get(name, more if isinstance(more, dict) else None)
        if inner:
            yield from _problems(inner, item, f"{path}.{name}")
    yield from _size_problems(schema, "Properties", len(value), path)


def _list_problems(schema: Object, value: list[Json], path: str) -> Iterator[tuple[str, str]]:
    yield from _size_problems(schema, "Items", len(value), path)
    items = schema.get("items") or {}
    keys = schema.get("x-kubernetes-list-map-keys") or ()
    seen = []
    for index, item in enumerate(value):
        where = f"{path}[{index}]"
        yield from _problems(items, item, where)
        if keys and isinstance(item, dict):
            identity = {key: item.get(key) for key in keys}
            if identity in seen:
                yield where, f"Duplicate value: {identity}"
            seen.append(identity)


def _size_problems(schema: Object, what: str, size: int, path: str) -> Iterator[tuple[str, str]]:
    most, least = schema.get(f"max{what}"), schema.get(f"min{what}")
    if most is not None and size > most:
        yield path, f"Too many: {size}: must have at most {most} items"
    if least is not None and size < least:
        yield path, f"Invalid value: {size}: {path} in body should have at least {least} items"


def _text_problems(schema: Object, value: str, path: str) -> Iterator[tuple[str, str]]:
    most, least = schema.get("maxLength"), schema.get("minLength")
    if most is not None and len(value) > most:
        yield path, f"Too long: may not be more than {most} bytes"
    if least is not None and len(value) < least:
        yield (
            path,
            f'Invalid value: "{value}": {path} in body should be at least {least} chars long',
        )
    pattern = schema.get("pattern")
    if pattern and not _matches(pattern, value):
        yield path, f"Invalid value: \"{value}\": {path} in body should match '{pattern}'"


def _matches(pattern: str, value: str) -> bool:
    try:
        return re.search(pattern, value) is not None
    except re.error:
        return True  # an RE2 pattern that Python does not know


def _number_problems(schema: Object, value: float, path: str) -> Iterator[tuple[str, str]]:
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and value < least:
        why = f"{path} in body should be greater than or equal to {least}"
        yield path, f"Invalid value: {value}: {why}"
    if most is not None and value > most:
        yield path, f"Invalid value: {value}: {path} in body should be less than or equal to {most}"
    step = schema.get("multipleOf")
    if step and value % step:
        yield path, f"Invalid value: {value}: {path} in body should be a multiple of {step}"
