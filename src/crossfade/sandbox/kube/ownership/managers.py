"""The account of owners in `metadata.managedFields`, and how a plain write changes it."""

from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

from crossfade.sandbox.kube.client import Object
from crossfade.sandbox.kube.ownership.difference import Difference
from crossfade.sandbox.kube.ownership.paths import (
    NO_PATHS,
    Paths,
    below,
    from_fields,
    to_fields,
)
from crossfade.sandbox.kube.values import Json

APPLY, UPDATE = "Apply", "Update"
_SERVER_METADATA = (
    "name",
    "namespace",
    "uid",
    "generateName",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "selfLink",
    "managedFields",
)
_NOT_OWNED = (
    ("f:apiVersion",),
    ("f:kind",),
    *(("f:metadata", f"f:{name}") for name in _SERVER_METADATA),
)
LONGEST = 10
"""Entries of plain writers that are kept apart; older ones beyond it are put together."""


class Manager(NamedTuple):
    """Somebody who writes in one way; one entry of the account."""

    name: str
    operation: str
    api_version: str
    subresource: str = ""


class Holding(NamedTuple):
    """What a manager owns, and since when."""

    paths: Paths
    time: str


Account: TypeAlias = dict[Manager, Holding]


def ownable(paths: Iterable[tuple[str, ...]], subresource: str, *, has_status: bool) -> Paths:
    """Return the paths that a writer to this subresource can own."""
    found = frozenset(paths)
    found -= below(found, *_NOT_OWNED) | {("f:metadata",)}
    status = below(found, ("f:status",))
    if subresource == "status":
        return status | below(found, ("f:metadata",))
    if subresource == "scale":
        return below(found, ("f:spec",))
    return found - status if has_status else found


def read(obj: Object) -> Account:
    """Return the account of an object; what cannot be read is left out."""
    account: Account = {}
    for entry in obj["metadata"].get("managedFields") or ():
        manager = Manager(
            str(entry.get("manager", "")),
            str(entry.get("operation", UPDATE)),
            str(entry.get("apiVersion", "")),
            str(entry.get("subresource", "")),
        )
        paths = from_fields(entry.get("fieldsV1"))
        if manager.name and paths:
            account[manager] = Holding(paths, str(entry.get("time", "")))
    return account


def write(account: Account) -> list[Json]:
    """Return the account as `managedFields`."""
    entries = []
    by_time = sorted(
        account.items(), key=lambda item: (item[0].operation, item[1].time, item[0].name)
    )
    for manager, holding in by_time:
        entry: Object = {
            "manager": manager.name,
            "operation": manager.operation,
            "apiVersion": manager.api_version,
            "time": holding.time,
            "fieldsType": "FieldsV1",
            "fieldsV1": to_fields(holding.paths),
        }
        if manager.subresource:
            entry["subresource"] = manager.subresource
        entries.append(entry)
    return entries


def after_write(
    account: Account, manager: Manager, difference: Difference, time: str, able: Paths
) -> Account:
    """
    Return the account after a plain write, which always takes what it changes.

    `able` are the changed paths that the writer can own.
    """
    result: Account = {}
    for other, holding in account.items():
        kept = holding.paths - difference.removed
        if other != manager:
            kept -= difference.changed
        if kept:
            result[other] = Holding(kept, holding.time)
    before = result[manager].paths if manager in result else NO_PATHS
    now = before | able
    if now and now != (account[manager].paths if manager in account else NO_PATHS):
        result[manager] = Holding(now, time)
    return _bounded(result)


def _bounded(account: Account) -> Account:
    plain = sorted(
        (item for item in account.items() if item[0].operation == UPDATE),
        key=lambda item: item[1].time,
    )
    surplus = plain[: max(0, len(plain) - LONGEST)]
    if not surplus:
        return account
    for manager, _ in surplus:
        del account[manager]
    paths = frozenset[tuple[str, ...]]().union(*(holding.paths for _, holding in surplus))
    oldest = Manager("ancient-changes", UPDATE, surplus[-1][0].api_version)
    account[oldest] = Holding(paths, surplus[-1][1].time)
    return account
