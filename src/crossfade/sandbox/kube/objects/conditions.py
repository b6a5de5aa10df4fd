"""The `status.conditions` of an object."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from crossfade.sandbox.kube.client import Object
from crossfade.sandbox.kube.objects.timestamps import stamp


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition as wanted; when it changed last is found by comparing with the old one."""

    type: str
    status: bool | None
    """None is `Unknown`."""
    reason: str = ""
    message: str = ""


def find(obj: Object, kind: str) -> dict[str, Any] | None:
    """Return the condition of this type, or None."""
    for condition in obj.get("status", {}).get("conditions") or ():
        if condition.get("type") == kind:
            found: dict[str, Any] = condition
            return found
    return None


def is_true(obj: Object, kind: str) -> bool:
    """Return whether the condition is present and `True`."""
    condition = find(obj, kind)
    return condition is not None and condition.get("status") == "True"


def merged(
    old: Iterable[dict[str, Any]], wanted: Iterable[Condition], now: float, *, updates: bool = False
) -> list[dict[str, Any]]:
    """
    Return the list with the wanted conditions in it; those of other types stay as they are.

    `lastTransitionTime` moves only when the status changes. `updates` keeps `lastUpdateTime` too,
    which moves with any change.
    """
    result = {str(condition.get("type")): condition for condition in old}
    for want in wanted:
        result[want.type] = _moved(result.get(want.type), want, stamp(now), updates)
    return list(result.values())


def _moved(before: dict[str, Any] | None, want: Condition, now: str, updates: bool) -> Object:
    status = "Unknown" if want.status is None else str(want.status)
    fresh: Object = {"type": want.type, "status": status, "lastTransitionTime": now}
    if want.reason:
        fresh["reason"] = want.reason
    if want.message:
        fresh["message"] = want.message
    if updates:
        fresh["lastUpdateTime"] = now
    if before is None:
        return fresh
    if before.get("status") == status:
        fresh["lastTransitionTime"] = before.get("lastTransitionTime") or now
        same = all(before.get(key) == fresh.get(key) for key in ("reason", "message"))
        if updates and same:
            fresh["lastUpdateTime"] = before.get("lastUpdateTime") or now
    return {**before, **fresh} if "lastProbeTime" in before else fresh
