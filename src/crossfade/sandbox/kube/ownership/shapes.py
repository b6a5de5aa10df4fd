"""How the parts of an object are shared between managers: field by field, item by item, whole."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from crossfade.sandbox.kube import fields
from crossfade.sandbox.kube.fields import Field, Structure
from crossfade.sandbox.kube.registry import Served
from crossfade.sandbox.kube.strict import structure_of
from crossfade.sandbox.kube.values import Json

__all__ = ["Shape", "Sharing", "shape_of"]


class Sharing(StrEnum):
    """How a value is owned."""

    GRANULAR = "granular"
    """An object, field by field; any other value as a whole."""
    ATOMIC = "atomic"
    SET = "set"
    """A list of plain values, each by itself."""
    MAP = "map"
    """A list of objects, each known by some of its fields."""


class Shape(NamedTuple):
    """What is known about the value at one place of an object."""

    sharing: Sharing = Sharing.GRANULAR
    keys: tuple[str, ...] = ()
    structure: Structure | None = None
    """For built-in kinds: the fields of the object, or of the items."""
    schema: Mapping[str, Json] | None = None
    """For CRDs: the schema of the value."""
    field: Field | None = None
    metadata: Structure | None = None
    """For whole custom objects: what their metadata is, as everywhere."""

    def child(self, name: str) -> "Shape":
        """Return the shape of a field of an object here."""
        if self.metadata is not None and name == "metadata":
            return Shape(structure=self.metadata)
        if self.structure is not None:
            found = self.structure.by_name.get(name)
            return _of_field(found) if found else Shape()
        if self.field is not None and self.field.container == "%":
            inner = self.field.structure
            return Shape(structure=inner) if inner else Shape()
        if self.schema is not None:
            properties = self.schema.get("properties") or {}
            more = self.schema.get("additionalProperties")
            inner_schema = properties.get(name, more if isinstance(more, dict) else None)
            return _of_schema(inner_schema) if inner_schema else Shape()
        return Shape()

    def item(self) -> "Shape":
        """Return the shape of the items of a list here."""
        if self.schema is not None:
            items = self.schema.get("items") or {}
            return Shape(schema=items)
        return Shape(structure=self.structure)


def shape_of(served: Served) -> Shape:
    """Return the shape of whole objects of a kind."""
    if served.schema is None:
        return Shape(structure=structure_of(served.kind))
    return Shape(schema=served.schema, metadata=fields.structure("meta/v1.ObjectMeta"))


def _of_field(field: Field) -> Shape:
    structure = field.structure
    if field.container == "*":
        if "k" in field.notes:
            return Shape(Sharing.MAP, field.keys("k"), structure)
        return Shape(Sharing.SET if "S" in field.notes else Sharing.ATOMIC)
    if field.container == "%":
        return Shape(Sharing.ATOMIC) if "A" in field.notes else Shape(field=field)
    if structure is not None and structure.atomic:
        return Shape(Sharing.ATOMIC)
    return Shape(structure=structure)


def _of_schema(found: Mapping[str, Json]) -> Shape:
    if found.get("type") == "array":
        match found.get("x-kubernetes-list-type"):
            case "map":
                return Shape(
                    Sharing.MAP, tuple(found.get("x-kubernetes-list-map-keys") or ()), schema=found
                )
            case "set":
                return Shape(Sharing.SET, schema=found)
            case _:
                return Shape(Sharing.ATOMIC)
    if found.get("x-kubernetes-map-type") == "atomic":
        return Shape(Sharing.ATOMIC)
    return Shape(schema=found)
