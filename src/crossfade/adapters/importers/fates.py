"""What becomes of each field of an imported object, so that nothing gets lost in silence."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from crossfade.base.json_value import Json


class Fate(StrEnum):
    """What becomes of a field."""

    KEPT = "kept"
    CHANGED = "changed"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class Note:
    """A fate and its reason; a field that is kept needs none."""

    fate: Fate
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A field of an object and what became of it."""

    object: str
    path: str
    """From the top of the object, as `spec.strategy.canary.steps[0].setWeight`."""
    fate: Fate
    reason: str


Rules: TypeAlias = Mapping[str, Note]
"""What becomes of fields, by their path with `[]` for any item; what is below follows."""

UNKNOWN = Note(Fate.UNSUPPORTED, "is not a field that Crossfade knows: look for a slip of the pen")


def kept(reason: str = "") -> Note:
    """Return the note of a field whose meaning stays."""
    return Note(Fate.KEPT, reason)


def changed(reason: str) -> Note:
    """Return the note of a field whose purpose is met in another way."""
    return Note(Fate.CHANGED, reason)


def unsupported(reason: str) -> Note:
    """Return the note of a field that has no effect any more."""
    return Note(Fate.UNSUPPORTED, reason)


def sorted_out(
    title: str,
    value: Json,
    rules: Rules,
    notes: Mapping[str, Note],
    path: str = "spec",
    above: Note = UNKNOWN,
) -> Iterator[Entry]:
    """
    Yield what becomes of everything below `value`, each field exactly once.

    Args:
        title: the object, for the entries.
        value: what stands at `path`.
        rules: what becomes of fields of this kind.
        notes: what became of single fields, by their very path; they win over rules.
        path: where `value` stands.
        above: what becomes of a field that has neither rule nor note.
    """
    pattern = _pattern(path)
    rule = rules.get(pattern)
    told_below = any(each.startswith((f"{path}.", f"{path}[")) for each in notes)
    if path in notes:
        yield _entry(title, path, notes[path])
        return
    if rule is not None and not told_below:
        yield _entry(title, path, rule)
        return
    above = rule or above
    if isinstance(value, dict) and value and (told_below or _below(f"{pattern}.", rules)):
        for key, item in value.items():
            yield from sorted_out(title, item, rules, notes, f"{path}.{key}", above)
    elif isinstance(value, list) and value and (told_below or _below(f"{pattern}[]", rules)):
        for index, item in enumerate(value):
            yield from sorted_out(title, item, rules, notes, f"{path}[{index}]", above)
    else:
        yield _entry(title, path, above)


def _pattern(path: str) -> str:
    parts = path.split("[")
    return parts[0] + "".join("[]" + part.partition("]")[2] for part in parts[1:])


def _below(prefix: str, rules: Rules) -> bool:
    return any(each.startswith(prefix) for each in rules)


def _entry(title: str, path: str, note: Note) -> Entry:
    return Entry(title, path, note.fate, note.reason)
