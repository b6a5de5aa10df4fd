"""
What the server knows about the built-in kinds: which there are, their fields, defaults and rules.

One door for the API server; the parts live in `builtin`, `strict`, `defaults`, `validation`.
Kinds without a table (those of CRDs) have no unknown fields, no defaults and no rules here: see
`custom` for what their own schemas say.
"""

from collections.abc import Sequence
from typing import Literal

from crossfade.sandbox.kube.builtin import builtin_kinds, verbs
from crossfade.sandbox.kube.defaults import apply_defaults
from crossfade.sandbox.kube.fields import Field
from crossfade.sandbox.kube.kinds import Kind
from crossfade.sandbox.kube.strict import structure_of, tidy, type_error, unknown_fields
from crossfade.sandbox.kube.validation import validate, validate_change

__all__ = [
    "apply_defaults",
    "builtin_kinds",
    "list_map_keys",
    "merge_key",
    "ownership",
    "tidy",
    "type_error",
    "unknown_fields",
    "validate",
    "validate_change",
    "verbs",
]

Ownership = Literal["granular", "atomic", "set", "map"]


def field_at(kind: Kind, path: Sequence[str]) -> Field | None:
    """Return the field at a path of JSON names, without the indexes and keys of lists."""
    structure = structure_of(kind)
    field: Field | None = None
    names = iter(path)
    for name in names:
        if structure is None:
            return None
        field = structure.by_name.get(name)
        if field is None:
            return None
        structure = field.structure
        if field.container == "%" and next(names, None) is None:
            break
    return field


def list_map_keys(kind: Kind, path: Sequence[str]) -> tuple[str, ...]:
    """
    Return the keys of an associative list in server-side apply, () for any other field.

    `path` is made of JSON names: ("spec", "template", "spec", "containers", "ports").
    """
    field = field_at(kind, path)
    return field.keys("k") if field else ()


def merge_key(kind: Kind, path: Sequence[str]) -> str:
    """Return the key by which a strategic merge joins the list at `path`, "" if it replaces it."""
    field = field_at(kind, path)
    return field.notes.get("m", "") if field else ""


def ownership(kind: Kind, path: Sequence[str]) -> Ownership:
    """
    Return how server-side apply shares the value at `path` between managers.

    `map`: a list whose items are owned one by one, by their keys; `set`: a list of values owned
    one by one; `granular`: an object owned field by field; `atomic`: owned as a whole.
    """
    field = field_at(kind, path)
    if field is None:
        return "granular"
    if field.container == "*":
        return "map" if "k" in field.notes else "set" if "S" in field.notes else "atomic"
    if field.container == "%":
        return "atomic" if "A" in field.notes else "granular"
    inner = field.structure
    return "granular" if inner is not None and not inner.atomic else "atomic"
