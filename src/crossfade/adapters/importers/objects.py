"""Kubernetes objects of files, as they are imported."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias, cast

from crossfade.adapters.documents.problems import Mark, Problems
from crossfade.adapters.documents.tree import BROKEN, Located, read_tree
from crossfade.base.json_value import Json

Content: TypeAlias = dict[str, Json]

_REFERENCE = "export objects with `kubectl get KIND NAME -o yaml`"


@dataclass(frozen=True, slots=True)
class KubernetesObject:
    """One object."""

    kind: str
    group: str
    """API group without version, "" for the core."""
    name: str
    namespace: str
    content: Content

    @property
    def title(self) -> str:
        """Kind and name, for messages."""
        return f"{self.kind}/{self.name}"

    @property
    def spec(self) -> Content:
        """Its spec, {} without one."""
        return mapping(self.content.get("spec"))


def mapping(value: Json) -> Content:
    """Return the value if it is a mapping, {} if it is something else."""
    return value if isinstance(value, dict) else {}


def items(value: Json) -> list[Json]:
    """Return the value if it is a list, [] if it is something else."""
    return value if isinstance(value, list) else []


def at(value: Json, *keys: str) -> Json:
    """Return what stands at keys below a value, None when there is nothing."""
    for key in keys:
        value = mapping(value).get(key)
    return value


def text(value: Json) -> str:
    """Return the value if it is text, "" if it is something else."""
    return value if isinstance(value, str) else ""


def parse_objects(written: str, file: str) -> tuple[KubernetesObject, ...]:
    """
    Return the objects of a file, those of lists too; `file` is its name in messages.

    Raises InputError that lists what is no object, each with line and column.
    """
    problems = Problems(file, _REFERENCE)
    trees = read_tree(written, problems)
    if not trees and not problems.found:
        problems.add(Mark(1, 1), "", "is empty; Kubernetes objects are wanted")
    found = [each for tree in trees for each in _objects(tree, problems)]
    problems.refuse_if_any()
    return tuple(found)


def _objects(tree: Located, problems: Problems) -> Iterable[KubernetesObject]:
    content = plain(tree)
    if not isinstance(content, dict):
        if tree.value is not BROKEN:
            problems.add(tree.at, "", "is no Kubernetes object: a mapping with `kind` is wanted")
        return
    if content.get("kind") == "List" and isinstance(tree.value, Mapping):
        inside = tree.value.get("items", (tree.at, Located((), tree.at)))[1]
        for item in inside.value if isinstance(inside.value, tuple) else ():
            yield from _objects(item, problems)
        return
    kind, metadata = content.get("kind"), mapping(content.get("metadata"))
    name = metadata.get("name")
    if not isinstance(kind, str) or not kind:
        problems.add(tree.at, "kind", "is missing: what kind of object is it?")
    elif not isinstance(name, str) or not name:
        problems.add(tree.at, "metadata.name", f"is missing: the {kind} needs a name")
    else:
        group = text(content.get("apiVersion")).rpartition("/")[0]
        yield KubernetesObject(kind, group, name, text(metadata.get("namespace")), content)


def plain(tree: Located) -> Json:
    """Return a value without the places it stands at."""
    match tree.value:
        case tuple() as found:
            return [plain(item) for item in found]
        case Mapping() as entries:
            return {key: plain(item) for key, (_, item) in entries.items()}
        case scalar:
            return None if scalar is BROKEN else cast(Json, scalar)
