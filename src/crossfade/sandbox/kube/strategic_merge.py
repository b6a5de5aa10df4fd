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
from crossfade.sandbox.kube.values import Json, clone

_PATCH, _RETAIN = "$patch", "$retainKeys"
_DELETE, _ORDER = "$deleteFromPrimitiveList/", "$setElementOrder/"


def apply(kind: Kind, target: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """
    Return `target` with the patch applied; neither argument is changed.

    Kinds without a table get a JSON merge patch, as its merge keys are not known.  Raises ApiError
    400 for a patch that cannot be applied.
    """
    structure = fields.structure(f"{fields.package(kind.group, kind.version)}.{kind.kind}")
    result = _merge(structure, target, patch)
    if result is None:
        raise _wrong("the whole object cannot be deleted by a patch")
    return result


def _wrong(why: str) -> ApiError:
    return ApiError(400, "BadRequest", f"invalid strategic merge patch: {why}")


def _merge(
    structure: Structure | None, target: dict[str, Any], patch: dict[str, Any]
) -> dict[str, Any] | None:
    """Return the merged object, None when the patch deletes it."""
    match patch.get(_PATCH):
        case None | "merge":
            pass
        case "replace":
            return clone({key: value for key, value in patch.items() if key != _PATCH})
        case "delete":
            return None
        case other:
            raise _wrong(f"unknown directive {_PATCH}: {other!r}")
    result = dict(target)
    if (kept := patch.get(_RETAIN)) is not None:
        names = set(_list(kept, _RETAIN))
        result = {key: value for key, value in result.items() if key in names}
    known = structure.by_name if structure else {}
    for key, value in patch.items():
        if not key.startswith("$"):
            _merge_field(result, known.get(key), key, value)
    _apply_directives(result, known, patch)
    return result


def _merge_field(result: dict[str, Any], field: Field | None, key: str, value: Json) -> None:
    if value is None:
        result.pop(key, None)
        return
    before = result.get(key)
    if isinstance(value, dict):
        inner = field.structure if field and not field.container else None
        if field and field.container == "%":
            merged = _merge_map(field, before if isinstance(before, dict) else {}, value)
        else:
            merged = _merge(inner, before if isinstance(before, dict) else {}, value)
        if merged is None:
            result.pop(key, None)
        else:
            result[key] = merged
    elif isinstance(value, list) and field and "m" in field.notes:
        result[key] = _merge_list(field, before if isinstance(before, list) else [], value)
    else:
        result[key] = clone(value)


def _merge_map(
    field: Field, target: dict[str, Any], patch: dict[str, Any]
) -> dict[str, Any] | None:
    """Merge a map from names: its values are of the field's type."""
    if _PATCH in patch or not field.structure:
        return _merge(None, target, patch)
    result = dict(target)
    for key, value in patch.items():
        _merge_field(result, field._replace(container=""), key, value)
    return result


def _merge_list(field: Field, target: list[Any], patch: list[Any]) -> list[Any]:
    key = field.notes["m"]
    if not key:
        result = list(target)
        result += [item for item in patch if item not in result]
        return result
    items = [item for item in patch if not _is_directive(item)]
    if any(_is_directive(item) and item[_PATCH] == "replace" for item in patch):
        return [
            {name: value for name, value in item.items() if name != _PATCH} for item in clone(items)
        ]
    result = list(target)
    for item in items:
        if not isinstance(item, dict) or key not in item:
            raise _wrong(f"an item of {field.name} has no {key}")
        places = [
            place
            for place, old in enumerate(result)
            if isinstance(old, dict) and old.get(key) == item[key]
        ]
        old = result[places[0]] if places else {}
        merged = _merge(field.structure, old, item)
        if merged is None:
            result = [one for place, one in enumerate(result) if place not in places]
        elif places:
            result[places[0]] = merged
        else:
            result.append(merged)
    return result


def _is_directive(item: Json) -> bool:
    """Tell whether an item is there for the list itself: only `$patch`, no key."""
    return isinstance(item, dict) and set(item) == {_PATCH}


def _apply_directives(
    result: dict[str, Any], known: dict[str, Field], patch: dict[str, Any]
) -> None:
    """Apply what the patch says about lists beside their items."""
    for directive, value in patch.items():
        if directive.startswith(_DELETE):
            name = directive.removeprefix(_DELETE)
            gone = _list(value, directive)
            if isinstance(result.get(name), list):
                result[name] = [item for item in result[name] if item not in gone]
    for directive, value in patch.items():
        if directive.startswith(_ORDER):
            name = directive.removeprefix(_ORDER)
            if isinstance(result.get(name), list):
                field = known.get(name)
                key = field.notes.get("m", "") if field else ""
                result[name] = _ordered(result[name], _list(value, directive), key)


def _ordered(items: list[Any], order: Sequence[Any], key: str) -> list[Any]:
    """
    Return the items in the wanted order.

    An item that the order does not name (another writer's) stays behind the one that it followed.
    """

    def identity(item: Json) -> Json:
        return item.get(key) if key and isinstance(item, dict) else item

    wanted = [identity(item) for item in order]
    places = {}
    last = -1
    ranked = []
    for place, item in enumerate(items):
        name = identity(item)
        if name in wanted:
            places[place] = last = wanted.index(name)
            ranked.append(((last, 0, place), item))
        else:
            ranked.append(((last, 1, place), item))
    return [item for _, item in sorted(ranked, key=lambda pair: pair[0])]


def _list(value: Json, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise _wrong(f"{name} is not a list")
    return value
