"""A value that would be another, for people who look before they change anything."""

from dataclasses import dataclass

from crossfade.base.json_value import Json


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that would be another."""

    path: str
    """Its key, as `spec.route.port` in a file."""
    before: Json
    """null: it is not there."""
    after: Json
