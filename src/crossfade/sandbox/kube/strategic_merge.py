"""
Strategic merge patches: lists of objects are merged by key, where the kind says so.

The directives: `$patch: delete | replace | merge` in an object, `{$patch: replace}` as an item of
a list, `$deleteFromPrimitiveList/<list>`, `$setElementOrder/<list>` and `$retainKeys`.
"""

from collections.abc import Sequence
from typing import Any

from crossfade.sandbox.kube import fields
from crossfade.sandbox.kube.client import ApiError
from crossfade.sandbox.kube.fields import Field, Structure
from crossfade.sandbox.kube.kinds import Kind
from crossfade.sandbox.kube.values import Json

_PATCH, _RETAIN = "$patch", "$retainKeys"
_DELETE, _ORDER = "$deleteFromPrimitiveList", "$setElementOrder"


def apply(kind: Kind, target: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """
    Return `target` with the patch applied; neither argument is changed.

    Kinds without a table get a JSON merge patch, as its merge keys are not known.  Raises ApiError
    400 for a patch that cannot be applied.
    """
    structure = fields.structure(f"{fields.package(kind.group, kind.version)}.{kind.kind}")
    return _merge(structure, target, patch)


def _wrong(why: str) -> ApiError:
    return ApiError(400, "BadRequest", f"invalid strategic merge patch: {why}")


def _merge(
    structure: Structure | None, target: dict[str, Any], patch: dict[str, Any]
) -> dict[str, Any]:
    if (directive := patch.get(_PATCH, "merge")) != "merge":
        return _replace(directive, patch)
    result = dict(target)
    if (kept := patch.get(_RETAIN)) is not None:
        names = set(_list(kept, _RETAIN))
        result = {key: value for key, value in result.items() if key in names}
    known = structure.by_name if structure else {}
    for key, value in patch.items():
        if not key.startswith("$"):
            _merge_field(result, known.get(key), key, value)
    for directive, value in patch.items():
        command, slash, name = directive.partition("/")
        if slash and command in (_DELETE, _ORDER) and isinstance(result.get(name), list):
            if command == _DELETE:
                gone = _list(value, directive)
                result[name] = [item for item in result[name] if item not in gone]
            else:
                before = _list(target.get(name) or [], name)
                merge_key = known[name].notes.get("m", "") if name in known else ""
                result[name] = _ordered(result[name], _list(value, directive), before, merge_key)
    return result


def _replace(directive: Json, patch: dict[str, Any]) -> dict[str, Any]:
    if directive == "delete":
        return {}
    if directive == "replace":
        return _bare({key: value for key, value in patch.items() if key != _PATCH}) or {}
    raise _wrong(f"unknown directive {_PATCH}: {directive!r}")


def _merge_field(result: dict[str, Any], field: Field | None, key: str, value: Json) -> None:
    before = result.get(key)
    if value is None:
        result.pop(key, None)
    elif isinstance(value, dict) and isinstance(before, dict):
        if field and field.container == "%" and field.structure and _PATCH not in value:
            result[key] = _merge_map(field, before, value)
        else:
            inner = field.structure if field and not field.container else None
            result[key] = _merge(inner, before, value)
    elif isinstance(value, list) and field and "m" in field.notes:
        result[key] = _merge_list(field, before if isinstance(before, list) else [], value)
    elif (bare := _bare(value)) is not None:
        result[key] = bare


def _merge_map(field: Field, target: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """Merge a map from names: its values are of the field's type."""
    result = dict(target)
    for key, value in patch.items():
        _merge_field(result, field._replace(container=""), key, value)
    return result


def _merge_list(field: Field, target: list[Any], patch: list[Any]) -> list[Any]:
    key = field.notes["m"]
    if not key:
        added = [item for item in patch if item not in target]
        return _ordered([*target, *added], patch, target, "")
    if any(not isinstance(item, dict) for item in patch):
        raise _wrong(f"an item of {field.name} is not an object")
    directives = {item.get(_PATCH) for item in patch}
    if "replace" in directives:
        # One such item speaks for the whole list, and is not part of it.
        kept = (item for item in patch if _PATCH not in item)
        return [bare for item in kept if (bare := _bare(item)) is not None]
    result = list(target)
    for item in patch:
        if key not in item:
            if item == {_PATCH: "merge"}:
                continue
            raise _wrong(f"an item of {field.name} has no {key}")
        places = [place for place, old in enumerate(result) if _identity(old, key) == item[key]]
        if item.get(_PATCH) == "delete":
            result = [one for place, one in enumerate(result) if place not in places]
        elif places:
            result[places[0]] = _merge(field.structure, result[places[0]], item)
        elif (bare := _bare(item)) is not None:
            result.append(bare)
    return _ordered(result, patch, target, key)


def _identity(item: Json, key: str) -> Json:
    return item.get(key) if key and isinstance(item, dict) else item


def _ordered(items: list[Any], order: Sequence[Any], before: Sequence[Any], key: str) -> list[Any]:
    """
    Return the items in the order of the patch.

    Items that the order does not name (another writer's) keep their order among themselves; each
    stands before a named one only if it did so in the list as it was `before`.
    """
    wanted = [_identity(item, key) for item in order]
    known = [_identity(item, key) for item in before]
    named = [item for item in items if _identity(item, key) in wanted]
    named.sort(key=lambda item: wanted.index(_identity(item, key)))
    others = [item for item in items if _identity(item, key) not in wanted]
    result: list[Any] = []
    while named and others:
        one, two = (_identity(group[0], key) for group in (others, named))
        first = one in known and two in known and known.index(one) < known.index(two)
        result.append((others if first else named).pop(0))
    return [*result, *named, *others]


def _bare(value: Json) -> Json:
    """Return a value that is new to its object without directives; None when one deletes it."""
    if isinstance(value, dict):
        if _PATCH in value:
            return None
        pairs = ((key, _bare(item)) for key, item in value.items() if not key.startswith("$"))
        return {key: item for key, item in pairs if item is not None}
    if isinstance(value, list):
        return [bare for item in value if (bare := _bare(item)) is not None]
    return value


def _list(value: Json, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise _wrong(f"{name} is not a list")
    return value
