"""Whether Codefresh would accept a document, and if not, everything that is wrong with it."""

import re
from collections.abc import Mapping

from crossfade.core.pipeline.common_shapes import HOOK_EXEC, HOOK_NOTES, HOOK_STEPS, NOTED, ROOT
from crossfade.core.pipeline.deploying import ROLLOUT
from crossfade.core.pipeline.findings import Finding, Findings, under
from crossfade.core.pipeline.shapes import MapOf, Record, Shape, Text, fits, refuse
from crossfade.core.pipeline.step_shapes import (
    GCB,
    IN_HOOK,
    KNOWN_TYPES,
    NO_PLATFORM,
    NO_SERVICE,
    step_shapes,
)
from crossfade.core.pipeline.steps import (
    APPROVAL,
    FREESTYLE,
    PARALLEL,
    Placed,
    children,
    every,
    is_semantic,
    lifted,
    type_of,
    version_of,
)
from crossfade.core.pipeline.tree import Entry, Mark, Node

LONGEST_NAME = 150
_OWN_TIMEOUT = (APPROVAL, "deploy")
_VARIABLE = re.compile(r"\$\{\{.+?\}\}")
_BAD_IN_NAMES = re.compile(r"[.#$\[\]]")
_TABS = re.compile(r"\t\s|[^\S\t]\t")
_OLD_HOOKS = ("on_success", "on_fail", "on_finish")


def check(root: Node, found: Findings) -> None:
    """Add what is wrong with a document whose `scale` and `matrix` have been expanded."""
    if not isinstance(root.value, Mapping):
        refuse(root, "", "a mapping with `version` and `steps`", found)
        return
    _version(root, found)
    _names(root, found)
    ROOT.check(root, "", found)
    _Steps(root, found).check()


def check_text(text: str, found: Findings) -> None:
    """Add what is wrong with the text as such."""
    for number, line in enumerate(text.split("\n"), 1):
        tab = _TABS.search(line)
        if tab:
            at = Mark(number, tab.start() + 1)
            found.error(at, "", "mixes tabs and spaces: replace all tabs by spaces")


def _version(root: Node, found: Findings) -> None:
    version = root["version"]
    if version is None or not version.truth or isinstance(version.value, bool):
        return
    if version.value not in (1, "1", "1.0") and fits(ROOT.fields["version"], version):
        refuse(version, "version", "'1.0', the only version there is", found)


def _names(root: Node, found: Findings) -> None:
    steps = tuple(every(root["steps"], "steps"))
    first: dict[str, Mark] = {}
    for step in steps:
        at = step.entry.at
        if step.name in first:
            found.error(
                at, step.path, f"a step has this name already, in line {first[step.name].line}"
            )
        first.setdefault(step.name, at)
        if _BAD_IN_NAMES.search(step.name):
            found.error(at, step.path, "the name of a step cannot contain any of . # $ [ ]")
    longest = max(steps, key=lambda step: len(step.name), default=None)
    if longest is not None and len(longest.name) > LONGEST_NAME:
        message = f"the name has {len(longest.name)} characters, {LONGEST_NAME} are allowed"
        found.error(longest.entry.at, longest.path, message)


class _Steps:
    """Checks the steps of one document, those of hooks included."""

    def __init__(self, root: Node, found: Findings) -> None:
        self._root, self._found = root, found
        stages, version = root["stages"], root["build_version"]
        names = tuple(each.text or "" for each in stages.items) if stages else ()
        old = version is not None and version.text == "v1"
        self._shapes = step_shapes(names, pushing=not old)

    def check(self) -> None:
        """Add what is wrong with all of them."""
        steps = self._root["steps"]
        for step in self._leaves(steps, "steps"):
            self._step(step)
        hooks = self._root["hooks"]
        if hooks is not None:
            self._hooks(hooks, "hooks")
        for step in children(steps, "steps"):
            hooks = step.node["hooks"]
            if hooks is not None and hooks.truth:
                self._hooks(hooks, f"{step.path}.hooks")
                self._old_hooks(step, hooks)

    def _leaves(self, steps: Node | None, path: str) -> list[Placed]:
        """Return the steps to check: groups are replaced by what is in them."""
        leaves: dict[str, Placed] = {}
        for step in children(steps, path):
            node = lifted(step.node)
            if type_of(node) != PARALLEL:
                leaves[step.name] = Placed(step.name, Entry(step.entry.at, node), step.path)
                continue
            inner = children(node["steps"], f"{step.path}.steps")
            if not inner:
                where = f"{step.path}.steps"
                self._found.error(node.at, where, "is missing; a parallel step has steps")
            for each in inner:
                leaves[each.name] = each
                if type_of(each.node) == APPROVAL:
                    message = f"{APPROVAL} cannot be part of a parallel step"
                    self._found.error(each.entry.at, under(each.path, "type"), message)
        return list(leaves.values())

    def _step(self, step: Placed, *, in_hook: bool = False) -> None:
        node, found = step.node, Findings()
        kind = node["type"]
        if not isinstance(node.value, Mapping):
            refuse(node, step.path, "a step: a mapping", self._found)
            return
        if kind is not None and kind.truth and kind.text is None:
            refuse(kind, under(step.path, "type"), Text().allowed, self._found)
            return
        name = type_of(node)
        self._type(step, name)
        shape = self._shapes.get(name)
        if shape is None:
            return
        if in_hook:
            fields = {**shape.fields, **IN_HOOK}
            shape = Record(fields, shape.required, shape.open, shape.old_names, shape.apart)
        shape.check(node, step.path, found)
        _dependent(name, node, step.path, found)
        for error in found.errors:
            self._add(error, step.path, name)

    def _add(self, error: Finding, path: str, kind: str) -> None:
        if error.path == f"{path}.timeout" and kind not in _OWN_TIMEOUT:
            message = f"{error.message}; it is ignored as it is"
            self._found.warning(error.at, error.path, message)
        else:
            self._found.errors.append(error)

    def _type(self, step: Placed, kind: str) -> None:
        name, version = version_of(kind)
        if _VARIABLE.search(kind) or name in KNOWN_TYPES or is_semantic(version):
            return
        if name == ROLLOUT and not version:
            return  # the one of this hub: there is no other
        written = step.node["type"]
        at = written.at if written is not None else step.entry.at
        path = under(step.path, "type")
        if version:
            message = f'"{version}" is no semantic version; write {name}:1.2.3'
        else:
            message = f"has no version, so the latest one is taken; write {name}:1.2.3"
        self._found.warning(at, path, message)

    def _hooks(self, hooks: Node, path: str) -> None:
        for key, entry in hooks.entries.items():
            self._hook(entry.node, under(path, key))

    def _hook(self, hook: Node, path: str) -> None:
        run, steps = hook["exec"], hook["steps"]
        notes = [key for key in NOTED if hook[key] is not None]
        if isinstance(hook.value, tuple):
            return
        if run is not None and isinstance(run.value, tuple) and not notes:
            return
        given_run, given_steps = run is not None and run.truth, steps is not None and steps.truth
        if notes and not given_run and not given_steps:
            self._shape(HOOK_NOTES, hook, path)
            return
        for step in self._hook_steps(hook, path):
            self._step(step, in_hook=True)
        if given_run and run is not None:
            inner = run["steps"]
            shape = HOOK_STEPS if inner is not None and inner.truth else HOOK_EXEC
            self._shape(Record({"exec": shape, **NOTED}), hook, path)
        else:
            self._shape(HOOK_STEPS if given_steps else MapOf(), hook, path)

    def _shape(self, shape: Shape, hook: Node, path: str) -> None:
        found = Findings()
        shape.check(hook, path, found)
        for error in found.errors:
            self._add(error, path, FREESTYLE)

    def _hook_steps(self, hook: Node, path: str) -> list[Placed]:
        run = hook["exec"]
        given = run is not None and run.truth
        holder, where = (run, f"{path}.exec") if given and run is not None else (hook, path)
        steps = holder["steps"]
        if steps is not None and steps.truth:
            return self._leaves(steps, f"{where}.steps")
        return [Placed("", Entry(holder.at, lifted(holder)), where)]

    def _old_hooks(self, step: Placed, hooks: Node) -> None:
        new = [key for key in _OLD_HOOKS if (node := hooks[key]) is not None and node.truth]
        for key in _OLD_HOOKS:
            old = step.node.entries.get(key)
            if new and old is not None:
                message = "cannot go with `hooks`: move it there"
                self._found.error(old.at, under(step.path, key), message)


def _dependent(kind: str, node: Node, path: str, found: Findings) -> None:
    """Add what is wrong with keys that depend on others."""
    if kind == "build":
        buildx, platform, provider = node["buildx"], node["platform"], node["provider"]
        off = buildx is None or str(buildx.value).lower() in ("none", "false", "no", "off", "0")
        if off and platform is not None:
            NO_PLATFORM.check(platform, under(path, "platform"), found)
        if provider is not None and (name := provider["type"]) is not None and name.text == "gcb":
            GCB.check(provider, under(path, "provider"), found)
    if kind == "deploy":
        file, service = node["file_path"], node["service"]
        by_file = file is not None and bool(file.text)
        if by_file and service is not None:
            NO_SERVICE.check(service, under(path, "service"), found)
        if not by_file and service is None:
            found.error(node.at, under(path, "service"), "is missing; allowed: a text")
