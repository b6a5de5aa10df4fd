"""What is not the same in two objects, as paths."""

from typing import NamedTuple

from crossfade.sandbox.kube.client import Object
from crossfade.sandbox.kube.ownership.paths import Path, Paths, steps, walk
from crossfade.sandbox.kube.ownership.shapes import Shape, Sharing
from crossfade.sandbox.kube.values import Json


class Difference(NamedTuple):
    """What is not the same in two values."""

    added: Paths
    modified: Paths
    removed: Paths

    @property
    def changed(self) -> Paths:
        """Paths whose value is new."""
        return self.added | self.modified


def compare(old: Object, new: Object, shape: Shape) -> Difference:
    """Return the paths at which two objects differ."""
    found = _Comparison()
    found.visit(old, new, shape, ())
    return Difference(frozenset(found.added), frozenset(found.modified), frozenset(found.removed))


class _Comparison:
    def __init__(self) -> None:
        self.added: set[Path] = set()
        self.modified: set[Path] = set()
        self.removed: set[Path] = set()

    def visit(self, before: Json, after: Json, here: Shape, at: Path) -> None:
        if before == after:
            return
        both = (type(before), type(after))
        if both == (dict, dict) and here.sharing is Sharing.GRANULAR:
            self._fields(before, after, here, at)
        elif both == (list, list) and here.sharing in (Sharing.MAP, Sharing.SET):
            self._lists(before, after, here, at)
        else:
            self.modified.add(at)

    def _fields(self, before: Object, after: Object, here: Shape, at: Path) -> None:
        for name in {*before, *after}:
            self._each(before, after, (name, here.child(name)), (*at, f"f:{name}"))

    def _lists(self, before: list[Json], after: list[Json], here: Shape, at: Path) -> None:
        first, second = dict(steps(before, here)), dict(steps(after, here))
        inner = here.item() if here.sharing is Sharing.MAP else Shape(Sharing.ATOMIC)
        for step in first.keys() | second.keys():
            if step not in second:
                self.removed.add((*at, step))
            elif step not in first:
                self.added.add((*at, step))
            self._each(first, second, (step, inner), (*at, step))

    def _each(self, before: Object, after: Object, what: tuple[str, Shape], at: Path) -> None:
        name, inner = what
        if name not in before:
            self.added.update(walk(after[name], inner, at))
        elif name not in after:
            self.removed.update(walk(before[name], inner, at))
        else:
            self.visit(before[name], after[name], inner, at)
