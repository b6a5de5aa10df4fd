"""Server-side apply: merge what one manager wants into the object, unless others want otherwise."""

from typing import NamedTuple

from crossfade.sandbox.kube.client import ApiError, Object
from crossfade.sandbox.kube.ownership.difference import compare
from crossfade.sandbox.kube.ownership.managers import APPLY, UPDATE, Account, Holding, Manager
from crossfade.sandbox.kube.ownership.paths import (
    NO_PATHS,
    Path,
    Paths,
    shown,
    step_of,
    steps,
)
from crossfade.sandbox.kube.ownership.shapes import Shape, Sharing
from crossfade.sandbox.kube.values import Json, clone


class Wish(NamedTuple):
    """What one manager applies."""

    manager: Manager
    config: Object
    paths: Paths
    """What of it the manager will own."""
    force: bool
    time: str


def applied(live: Object, account: Account, wish: Wish, shape: Shape) -> tuple[Object, Account]:
    """
    Return the object and the account after an apply.

    Fields that the manager applied before and no longer does are removed, if nobody else owns
    them. Raises ApiError 409 where another manager owns a field that changes, without `force`.
    """
    before = account.get(wish.manager, Holding(NO_PATHS, "")).paths
    others = {manager: held for manager, held in account.items() if manager != wish.manager}
    merged = merge(live, wish.config, shape)
    owned = frozenset[Path]().union(*(held.paths for held in others.values()))
    merged = _without(merged, before - wish.paths - owned, shape, wish.paths | owned)
    difference = compare(live, merged, shape)
    conflicts = {
        manager: held.paths & difference.changed & wish.paths for manager, held in others.items()
    }
    conflicts = {manager: paths for manager, paths in conflicts.items() if paths}
    if conflicts and not wish.force:
        raise _conflict(conflicts, account)
    result: Account = {}
    for manager, held in others.items():
        kept = held.paths - conflicts.get(manager, NO_PATHS) - difference.removed
        if kept:
            result[manager] = Holding(kept, held.time)
    if wish.paths:
        same = account.get(wish.manager)
        since = same.time if same and same.paths == wish.paths else wish.time
        result[wish.manager] = Holding(wish.paths, since)
    return merged, result


def merge(live: Json, config: Json, shape: Shape) -> Json:
    """Return `live` with everything that `config` says."""
    if isinstance(live, dict) and isinstance(config, dict) and shape.sharing is Sharing.GRANULAR:
        result = dict(live)
        for name, value in config.items():
            if value is None:
                result.pop(name, None)
            else:
                result[name] = merge(live.get(name), value, shape.child(name))
        return result
    if isinstance(live, list) and isinstance(config, list):
        if shape.sharing is Sharing.MAP:
            return _merge_list(live, config, shape)
        if shape.sharing is Sharing.SET:
            return [*live, *(item for item in config if item not in live)]
    return clone(config)


def _merge_list(live: list[Json], config: list[Json], shape: Shape) -> list[Json]:
    """Return the items of both; those of `config` in its order, the others where they were."""
    wanted = dict(steps(config, shape))
    present = dict(steps(live, shape))
    merged = {
        step: merge(present[step], item, shape.item()) if step in present else clone(item)
        for step, item in wanted.items()
    }
    queue = list(wanted)
    result: list[Json] = []
    for step, item in present.items():
        if step not in wanted:
            result.append(item)
            continue
        while step in queue:
            result.append(merged[queue.pop(0)])
    return result + [merged[step] for step in queue]


def _without(obj: Object, gone: Paths, shape: Shape, kept: Paths) -> Object:
    """Return the object less the given paths; what somebody keeps a part of stays."""
    if not gone:
        return obj
    prefixes = {path[:length] for path in kept for length in range(1, len(path) + 1)}
    through = {path[:length] for path in gone for length in range(1, len(path) + 1)}

    def visit(value: Json, here: Shape, at: Path) -> Json:
        if isinstance(value, dict) and here.sharing is Sharing.GRANULAR:
            result = {}
            for name, item in value.items():
                step = (*at, f"f:{name}")
                if step in gone and step not in prefixes:
                    continue
                inside = visit(item, here.child(name), step) if step in through else item
                if inside == {} and item != {} and step not in prefixes:
                    continue  # nothing is left of what only this manager had put there
                result[name] = inside
            return result
        if isinstance(value, list) and here.sharing in (Sharing.MAP, Sharing.SET):
            kept_items = []
            for item in value:
                step = (*at, step_of(item, here))
                if step in gone and step not in prefixes:
                    continue
                kept_items.append(visit(item, here.item(), step) if step in through else item)
            return kept_items
        return value

    result: Object = visit(obj, shape, ())
    return result


def _conflict(conflicts: dict[Manager, Paths], account: Account) -> ApiError:
    found = [
        (_described(manager, account[manager]), shown(path))
        for manager in sorted(conflicts)
        for path in sorted(conflicts[manager])
    ]
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {who}", "field": field}
        for who, field in found
    ]
    if len(found) == 1:
        who, field = found[0]
        text = f"Apply failed with 1 conflict: conflict with {who}: {field}"
    else:
        lines = []
        for name in dict.fromkeys(who for who, _ in found):
            lines.append(f"conflicts with {name}:")
            lines += [f"- {field}" for who, field in found if who == name]
        text = f"Apply failed with {len(found)} conflicts: " + "\n".join(lines)
    return ApiError(409, "Conflict", text, {"causes": causes})


def _described(manager: Manager, held: Holding) -> str:
    text = f'"{manager.name}"'
    if manager.subresource:
        text += f' with subresource "{manager.subresource}"'
    if manager.operation == UPDATE:
        text += f" using {manager.api_version}"
        if held.time:
            text += f" at {held.time}"
    return text


__all__ = ["APPLY", "Wish", "applied", "merge"]
