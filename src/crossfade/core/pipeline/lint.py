"""
What Codefresh accepts and nobody means: conditions that are never true, steps that are not there,
names with a slip of the pen, keys whose documentation differs from what they do.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from crossfade.base.words import nearest, shown
from crossfade.core.pipeline.build import number
from crossfade.core.pipeline.document import MAIN_CLONE, Retry
from crossfade.core.pipeline.findings import Findings, under
from crossfade.core.pipeline.lint_expressions import doubts, missing_steps
from crossfade.core.pipeline.shapes import Record
from crossfade.core.pipeline.step_shapes import step_shapes
from crossfade.core.pipeline.steps import PARALLEL, Placed, children, every, lifted, type_of
from crossfade.core.pipeline.tree import Mark, Node, opened, texts
from crossfade.core.pipeline.variables import references

_PASSED_ON = ("scale", "matrix", "steps", "mode", "success_criteria", "name")
"""Keys that are right on an open step without being in its shape."""
_SHAPES = step_shapes(())


@dataclass(frozen=True, slots=True)
class _Wait:
    """One entry of `when.steps`."""

    step: Placed
    path: str
    name: str
    at: Mark


def lint(root: Node, found: Findings, declared: Mapping[str, Mark] | None = None) -> None:
    """
    Add warnings about an expanded document that has no errors.

    `declared` are variables that the document sets itself, with their places.
    """
    steps = tuple(every(root["steps"], "steps"))
    for step in steps:
        node = lifted(step.node)
        for rule in _RULES:
            rule(Placed(step.name, step.entry._replace(node=node), step.path), found)
    names = {step.name for step in steps} | {MAIN_CLONE}
    for path, node in _conditions(root):
        for message in doubts(node.text or ""):
            found.warning(node.at, path, message)
        for name in missing_steps(node.text or "", names):
            near = nearest(name, names)
            hint = f'; did you mean "{near}"?' if near is not None else ""
            found.warning(node.at, path, f"there is no step {shown(name)}{hint}")
    _lint_waits(root, steps, found)
    _lint_unused(root, declared or {}, found)
    _lint_criteria(root, steps, found)


def _lint_slips(step: Placed, found: Findings) -> None:
    """Warn of keys on open steps that were probably meant otherwise."""
    shape: Record | None = _SHAPES.get(type_of(step.node))
    if shape is None or not shape.open:
        return
    known = (*shape.fields, *shape.old_names, *_PASSED_ON)
    for key, entry in step.node.entries.items():
        if key in known or key == "type":
            continue
        near = nearest(key, shape.fields, alike=0.8)
        if near is not None and near not in step.node.entries:
            message = f'is passed on as it is, though nothing reads it; did you mean "{near}"?'
            found.warning(entry.at, under(step.path, key), message)


def _lint_image_name(step: Placed, found: Findings) -> None:
    name = step.node["image_name"] or step.node["image-name"]
    if type_of(step.node) != "build" or name is None or name.text is None:
        return
    plain = re.sub(r"\$\{\{.*\}\}", "", name.text)
    if plain != plain.lower():
        path = under(step.path, "image_name")
        found.warning(name.at, path, "should be in lower case, as registries ask for")


def _lint_volumes(step: Placed, found: Findings) -> None:
    volumes = step.node["volumes"]
    for index, each in enumerate(volumes.items if volumes is not None else ()):
        text = each.text or ""
        inside = text.startswith(("./", "/codefresh/volume", "${{")) or not text.startswith("/")
        if not inside:
            path = f"{step.path}.volumes[{index}]"
            message = f"{shown(text)} is outside of /codefresh/volume, so the step will fail"
            found.warning(each.at, path, message)


def _lint_retry(step: Placed, found: Findings) -> None:
    retry = step.node["retry"]
    if retry is None:
        return
    limits = (("maxAttempts", 1, 10), ("delay", 5, 60), ("exponentialFactor", 1, 5))
    for key, low, high in limits:
        node = opened(retry, dict)[key]
        if node is not None and not low <= number(node, low) <= high:
            path = f"{step.path}.retry.{key}"
            found.warning(node.at, path, f"is documented to be from {low} to {high}")
    tried = Retry(1, number(retry["delay"], 5), number(retry["exponentialFactor"], 1))
    if tried.exponent > 1 and tried.wait_seconds(1) > 3600:
        power = f"{tried.exponent:g}"
        message = f"the wait before each attempt is the one before to the power of {power}"
        found.warning(retry.at, f"{step.path}.retry", message)


def _lint_group(step: Placed, found: Findings) -> None:
    hooks = step.node["hooks"]
    if type_of(step.node) == PARALLEL and hooks is not None:
        message = "hooks of parallel steps do not run on Codefresh; here they do"
        found.warning(hooks.at, under(step.path, "hooks"), message)


def _lint_role(step: Placed, found: Findings) -> None:
    role = step.node["role_arn"]
    if type_of(step.node) == "freestyle" and role and not step.node["registry_context"]:
        found.warning(role.at, under(step.path, "role_arn"), "needs `registry_context`")


def _lint_commands(step: Placed, found: Findings) -> None:
    """Warn of exports that are read in the step that makes them."""
    commands = step.node["commands"]
    made: set[str] = set()
    for index, each in enumerate(commands.items if commands is not None else ()):
        text = each.text or ""
        for name in made:
            if re.search(rf"\$\{{\{{\s*{name}\s*\}}\}}", text):
                path = f"{step.path}.commands[{index}]"
                message = f"{name} is exported in this step, and is only seen by later ones"
                found.warning(each.at, path, message)
        made |= set(re.findall(r"\bcf_export\s+([A-Za-z_]\w*)=", text))


_RULES: tuple[Callable[[Placed, Findings], None], ...] = (
    _lint_slips,
    _lint_image_name,
    _lint_volumes,
    _lint_retry,
    _lint_group,
    _lint_role,
    _lint_commands,
)


def _conditions(root: Node) -> Iterator[tuple[str, Node]]:
    """Yield every expression with its path."""
    for path, node in texts(root):
        if re.search(r"\.condition\.(all|any)\.[^.\[]+\Z", path) or path.endswith(".evaluate"):
            yield path, node


def _waits(steps: tuple[Placed, ...]) -> Iterator[_Wait]:
    for step in steps:
        when = lifted(step.node)["when"]
        listed = when["steps"] if when is not None else None
        if listed is None:
            continue
        for key in ("", "all", "any"):
            holder = listed if not key else listed[key]
            for index, item in enumerate(holder.items if holder is not None else ()):
                name = item["name"]
                if name is not None and name.text is not None:
                    dotted = f".{key}" if key else ""
                    path = f"{step.path}.when.steps{dotted}[{index}].name"
                    yield _Wait(step, path, name.text, name.at)


def _lint_waits(root: Node, steps: tuple[Placed, ...], found: Findings) -> None:
    """Warn of steps that are waited for and are not there, come later, or wait back."""
    order = {step.name: index for index, step in enumerate(steps)}
    top = {step.name: index for index, step in enumerate(children(root["steps"], ""))}
    mode = root["mode"]
    sequential = mode is None or mode.text != PARALLEL
    edges: dict[str, list[_Wait]] = {}
    for wait in _waits(steps):
        edges.setdefault(wait.step.name, []).append(wait)
        if wait.name not in order:
            if wait.name != MAIN_CLONE:
                near = nearest(wait.name, order)
                hint = f'; did you mean "{near}"?' if near is not None else ""
                message = f"there is no step {shown(wait.name)}, so this never holds{hint}"
                found.warning(wait.at, wait.path, message)
        elif sequential and top.get(wait.name, -1) > top.get(wait.step.name, len(order)):
            message = f"{wait.name} comes later in a sequential pipeline, so this never holds"
            found.warning(wait.at, wait.path, message)
    for wait in _circle(edges):
        message = f"{wait.step.name} and {wait.name} wait for each other, so neither runs"
        found.warning(wait.at, wait.path, message)


def _circle(edges: Mapping[str, list[_Wait]]) -> Iterator[_Wait]:
    """Yield one wait of each circle."""
    done: set[str] = set()
    for start in edges:
        trail: dict[str, None] = {}
        left: list[tuple[str, Iterator[_Wait]]] = []
        if start not in done:
            trail[start] = None
            left.append((start, iter(edges[start])))
        while left:
            name, waits = left[-1]
            wait = next(waits, None)
            if wait is None:
                left.pop()
                trail.pop(name)
                done.add(name)
            elif wait.name in trail:
                yield wait
            elif wait.name in edges and wait.name not in done:
                trail[wait.name] = None
                left.append((wait.name, iter(edges[wait.name])))


def _lint_unused(root: Node, declared: Mapping[str, Mark], found: Findings) -> None:
    """Warn of variables that the document sets and that nothing in it mentions."""
    if not declared:
        return
    written = [node.text or "" for _, node in texts(root)]
    used = {name for text in written for name in references(text)}
    words = {word for text in written for word in re.findall(r"\w+", text)}
    for name, at in declared.items():
        if name not in used and name not in words:
            found.warning(at, "spec.variables", f"{name} is set and never used")


def _lint_criteria(root: Node, steps: tuple[Placed, ...], found: Findings) -> None:
    holders = [("success_criteria", root), *((f"{s.path}.success_criteria", s.node) for s in steps)]
    for path, holder in holders:
        criteria = holder["success_criteria"]
        listed = criteria["steps"] if criteria is not None else None
        if listed is None:
            continue
        names = {step.name for step in children(holder["steps"], "")}
        for inner, node in texts(listed, f"{path}.steps"):
            if node.text not in names:
                message = f"there is no step {shown(node.text)} in this group"
                found.warning(node.at, inner, message)
