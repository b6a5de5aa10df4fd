"""Checked trees to pipelines."""

import math
import re
from collections.abc import Mapping
from dataclasses import replace

from crossfade.base.json_value import Json
from crossfade.core.pipeline.common_shapes import NOTED
from crossfade.core.pipeline.document import (
    Approval,
    Block,
    Condition,
    Criteria,
    Hook,
    Mode,
    Pipeline,
    Plugin,
    Retry,
    Settings,
    Step,
    Wanted,
    When,
)
from crossfade.core.pipeline.expression.numbers import read
from crossfade.core.pipeline.step_shapes import KNOWN_TYPES
from crossfade.core.pipeline.steps import (
    APPROVAL,
    PARALLEL,
    Placed,
    children,
    lifted,
    type_of,
    version_of,
)
from crossfade.core.pipeline.tree import Entry, Mark, Node, grown, opened, plain
from crossfade.core.pipeline.typed import Definition, Definitions, find

LONGEST_TIMEOUT_SECONDS = 2147483.647
"""What is longer than this many seconds is cut to it, as there."""
_TIMEOUT = re.compile(r"(\d*\.?\d*)([smh])", re.ASCII)
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_OLD_NAMES = {
    "fail-fast": "fail_fast",
    "working-directory": "working_directory",
    "image-name": "image_name",
    "build-arguments": "build_arguments",
    "tag-policy": "tag_policy",
    "composition-candidates": "composition_candidates",
    "composition-variables": "composition_variables",
}
_COMMON = (
    "type",
    "title",
    "stage",
    "when",
    "fail_fast",
    "strict_fail_fast",
    "retry",
    "hooks",
    "steps",
    "success_criteria",
    "mode",
)


def pipeline_of(root: Node) -> Pipeline:
    """Return the pipeline of a tree that has been checked and expanded."""
    version = _text(root["build_version"])
    block = Block(
        _steps(root["steps"]),
        _mode(root["mode"]),
        _json(root["fail_fast"]),
        _json(root["strict_fail_fast"]),
    )
    services = root["services"]
    return Pipeline(
        block,
        stages=_texts(root["stages"]),
        criteria=_criteria(root["success_criteria"]),
        hooks=_hooks(root["hooks"]),
        services=_json(services),
        services_line=services.at.line if services is not None else 0,
        build_version=version or "v2",
    )


def with_definitions(pipeline: Pipeline, definitions: Definitions) -> Pipeline:
    """Return the pipeline with the steps that its typed steps are made of."""

    def whole(block: Block) -> Block:
        return replace(block, steps=tuple(one(step) for step in block.steps))

    def one(step: Step) -> Step:
        hooks = {hook: whole(block) for hook, block in step.hooks.items()}
        definition = _definition(step, definitions)
        if definition is None:
            inner = whole(step.block) if step.block is not None else None
            return replace(step, block=inner, hooks=hooks)
        return replace(_plugin(step, definition), hooks=hooks)

    hooks = {hook: whole(block) for hook, block in pipeline.hooks.items()}
    return replace(pipeline, block=whole(pipeline.block), hooks=hooks)


def _definition(step: Step, definitions: Definitions) -> Definition | None:
    if step.block is not None or step.type in KNOWN_TYPES:
        return None
    kind = f"{step.type}:{step.version}" if step.version else step.type
    found = find(definitions, kind)
    return found if found is not None and found.steps else None


def _plugin(step: Step, definition: Definition) -> Step:
    defaults = {name: each.default for name, each in definition.arguments.items()}
    given = {name: value for name, value in defaults.items() if value is not None}
    arguments = {**given, **step.settings}
    made_of = grown(definition.steps, Mark(step.line, 1))
    block = Block(_steps(made_of, step.timeout_seconds))
    plugin = Plugin(arguments, definition.returns)
    return replace(step, block=block, plugin=plugin, timeout_seconds=None)


def _json(node: Node | None) -> Json:
    return None if node is None else plain(node)


def _text(node: Node | None) -> str:
    return "" if node is None or node.text is None else node.text


def _texts(node: Node | None) -> tuple[str, ...]:
    items = () if node is None else opened(node, list).items
    return tuple(item.text for item in items if item.text is not None)


def _mode(node: Node | None) -> Mode:
    return Mode.PARALLEL if _text(node) == Mode.PARALLEL else Mode.SEQUENTIAL


def number(node: Node | None, default: float) -> float:
    """Return the number that stands there, also in quotes; the default when none does."""
    value = None if node is None else node.value
    if isinstance(value, str):
        value = read(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return default
    return float(value)


def _steps(steps: Node | None, inherited: float | None = None) -> tuple[Step, ...]:
    return tuple(_step(each, inherited) for each in children(steps, ""))


def _step(placed: Placed, inherited: float | None) -> Step:
    """Return a step; children of a group that have no timeout inherit that of the group."""
    node = lifted(placed.node)
    name, version = version_of(type_of(node))
    settings = _settings(node)
    timeout = _timeout(name, node, inherited)
    group = name == PARALLEL
    return Step(
        placed.name,
        type=PARALLEL if group else name,
        version=version,
        title=_text(node["title"]),
        stage=_text(node["stage"]),
        settings=settings,
        when=_when(node["when"]),
        fail_fast=_json(node["fail_fast"] or node["fail-fast"]),
        strict=_json(node["strict_fail_fast"]),
        retry=_retry(node["retry"]),
        timeout_seconds=None if group else timeout,
        approval=_approval(node["timeout"]) if name == APPROVAL else None,
        block=_group(node, timeout) if group else None,
        criteria=_criteria(node["success_criteria"]),
        hooks=_hooks(node["hooks"]),
        line=placed.entry.at.line,
    )


def _group(node: Node, timeout: float | None) -> Block:
    # Children of a group run side by side, whatever the mode of the pipeline is.
    return Block(_steps(node["steps"], timeout), Mode.PARALLEL)


def _settings(node: Node) -> Settings:
    named = {_OLD_NAMES.get(key, key): plain(entry.node) for key, entry in node.entries.items()}
    return {key: value for key, value in named.items() if key not in _COMMON}


def _timeout(kind: str, node: Node, inherited: float | None) -> float | None:
    """Return seconds, None for no limit; what cannot be read is ignored."""
    written = node["timeout"]
    if kind == APPROVAL:
        return None
    if kind == "deploy":
        seconds = number(written, 120.0)
        return seconds if seconds > 0 else None
    if written is None:
        return inherited
    if written.value is None:
        return None
    found = _TIMEOUT.fullmatch(written.text or "")
    if not found or found[1] in ("", "."):
        return inherited
    seconds = float(found[1]) * _SECONDS[found[2]]
    return min(seconds, LONGEST_TIMEOUT_SECONDS) if seconds > 0 else None


def _approval(node: Node | None) -> Approval:
    if node is None:
        return Approval()
    unit = 60.0 if _text(node["timeUnit"]) == "minutes" else 3600.0
    final = _text(node["finalState"]) or "terminated"
    return Approval(number(node["duration"], 168.0) * unit, final)


def _retry(node: Node | None) -> Retry:
    if node is None:
        return Retry()
    node = opened(node, dict)
    return Retry(
        max(1, int(min(number(node["maxAttempts"], 1), 1000))),
        number(node["delay"], 5.0),
        number(node["exponentialFactor"], 1.0),
    )


def _expressions(node: Node | None) -> Mapping[str, str]:
    entries = {} if node is None else opened(node, dict).entries
    return {key: entry.node.text or "" for key, entry in entries.items()}


def _condition(node: Node | None) -> Condition | None:
    if node is None:
        return None
    node = opened(node, dict)
    return Condition(_expressions(node["all"]), _expressions(node["any"]))


def _when(node: Node | None) -> When | None:
    if node is None:
        return None
    node = opened(node, dict)
    branch, steps = node["branch"], node["steps"]
    any_step = steps is not None and steps["any"] is not None
    listed = steps if steps is None or not steps.entries else steps["any"] or steps["all"]
    return When(
        _texts(branch["only"]) if branch else (),
        _texts(branch["ignore"]) if branch else (),
        tuple(_wanted(each) for each in opened(listed, list).items) if listed else (),
        any_step,
        _condition(node["condition"]),
    )


def _wanted(node: Node) -> Wanted:
    return Wanted(_text(node["name"]), _texts(node["on"]) or ("success",))


def _criteria(node: Node | None) -> Criteria | None:
    if node is None:
        return None
    node = opened(node, dict)
    steps = node["steps"]
    listed = _texts(steps) if steps else ()
    only = listed or (_texts(steps["only"]) if steps else ())
    ignore = _texts(steps["ignore"]) if steps else ()
    return Criteria(only, ignore, _condition(node["condition"]))


def _hooks(node: Node | None) -> Mapping[Hook, Block]:
    if node is None:
        return {}
    return {hook: _hook(hook, inner) for hook in Hook if (inner := node[hook]) is not None}


def _hook(hook: Hook, node: Node) -> Block:
    """Return the steps of a hook, in whichever of its forms it is written."""
    run = node["exec"]
    holder = run if run is not None and run.truth else node
    notes = {key: plain(each) for key in NOTED if (each := node[key]) is not None}
    if holder.items:
        commands: Settings = {"image": "alpine", "commands": plain(holder)}
        return Block((Step(hook.value, settings=commands, line=node.at.line),), notes=notes)
    several = holder["steps"]
    fail_fast, strict = _json(holder["fail_fast"]), _json(holder["strict_fail_fast"])
    if several is not None and several.truth:
        return Block(_steps(several), _mode(holder["mode"]), fail_fast, strict, notes)
    own = {k: e for k, e in holder.entries.items() if k != "name" and k not in NOTED}
    if not own:
        return Block((), notes=notes)
    name = _text(holder["name"]) or hook.value
    placed = Placed(name, Entry(holder.at, Node(own, holder.at)), "")
    return Block((_step(placed, None),), Mode.SEQUENTIAL, fail_fast, strict, notes)
