"""
The fields of the Kubernetes structures: names, types, wire numbers and merge rules.

One text file per group, one line per structure, read when first asked for.  A line is the name
(with `~` when server-side apply owns the structure as a whole) and its fields:
`name:number:type:notes`.  The name is the JSON name, or `.` for a structure whose fields appear
among its owner's; the number is that of the protobuf message, 0 when it is not there.

Types: `s` text, `b` boolean, `i` and `l` integers of 32 and 64 bits, `d` number, `y` bytes, `Q`
quantity, `T` and `M` time in seconds and microseconds, `D` duration, `I` integer or text, `F` set
of fields, `R` any object, `J` any JSON, `P`, `O`, `X` a schema or a list of schemas, a boolean, a
list of texts; `V` list of texts in a message; otherwise a structure, of this group or of another
as in `core/v1.PodSpec`.  `*` before a type makes a list, `%` a map from texts.

Notes, joined by `;`: `!` required, `e` never left out of JSON, `p` a zero value differs from
absence, `m` strategic merge (`m=name`: of objects by that key), `r` retain keys, `k=a,b` keys of an
associative list in server-side apply, `S` set, `A` map owned as a whole.
"""

from functools import cache
from pathlib import Path
from typing import NamedTuple


class Field(NamedTuple):
    """One field of a structure."""

    name: str
    number: int
    container: str
    """`*` list, `%` map from texts, "" neither."""
    type: str
    """One letter, or a structure as in `core/v1.PodSpec`."""
    notes: dict[str, str]

    @property
    def structure(self) -> "Structure | None":
        """The structure that this field (or each of its items) holds."""
        return structure(self.type) if len(self.type) > 1 else None

    def keys(self, note: str) -> tuple[str, ...]:
        """Return the names that a note such as `k=port,protocol` lists."""
        text = self.notes.get(note, "")
        return tuple(text.split(",")) if text else ()


class Structure(NamedTuple):
    """One structure."""

    name: str
    """As in `core/v1.PodSpec`."""
    atomic: bool
    fields: tuple[Field, ...]
    """As on the wire: embedded structures are fields named `.`."""

    @property
    def by_name(self) -> dict[str, Field]:
        """The fields as JSON has them, embedded ones included."""
        return _by_name(self.name)

    @property
    def by_number(self) -> dict[int, Field]:
        """The fields of the protobuf message."""
        return _by_number(self.name)


@cache
def structure(name: str) -> Structure | None:
    """Return the structure of that name, as `core/v1.PodSpec`; None when there is none."""
    package, _, short = name.rpartition(".")
    line = _lines(package).get(short)
    if line is None:
        return None
    head, *rest = line.split(" ")
    return Structure(name, head.endswith("~"), tuple(_field(text, package) for text in rest))


def package(group: str, version: str) -> str:
    """Return the name of the table for a group: `rbac.authorization.k8s.io` is in `rbac/v1`."""
    return f"{group.partition('.')[0] or 'core'}/{version}"


def names(of: str) -> tuple[str, ...]:
    """Return the short names of all structures of a package such as `apps/v1`."""
    return tuple(_lines(of))


@cache
def _lines(of: str) -> dict[str, str]:
    path = Path(__file__).with_name(f"{of.replace('/', '.')}.txt")
    if not path.is_file():
        return {}
    lines = path.read_text(encoding="utf-8").splitlines()
    return {line.partition(" ")[0].rstrip("~"): line for line in lines}


def _field(text: str, of: str) -> Field:
    # Names never hold a colon; the notes are absent for most fields.
    name, number, kind, *rest = text.split(":")
    container = kind[0] if kind[0] in "*%" else ""
    bare = kind[len(container) :]
    if len(bare) > 1 and "." not in bare:
        bare = f"{of}.{bare}"
    notes = {}
    for note in rest[0].split(";") if rest else ():
        mark, _, value = note.partition("=")
        notes[mark] = value
    return Field(name, int(number), container, bare, notes)


@cache
def _by_name(name: str) -> dict[str, Field]:
    found: dict[str, Field] = {}
    of = structure(name)
    for field in of.fields if of else ():
        if field.name != ".":
            found[field.name] = field
        elif inner := field.structure:
            found.update(inner.by_name)
    return found


@cache
def _by_number(name: str) -> dict[int, Field]:
    of = structure(name)
    return {field.number: field for field in of.fields if field.number} if of else {}
