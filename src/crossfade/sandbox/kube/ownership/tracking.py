"""The account that each plain write keeps of who owns what."""

from typing import NamedTuple

from crossfade.sandbox.kube.client import Object
from crossfade.sandbox.kube.ownership import managers
from crossfade.sandbox.kube.ownership.difference import compare
from crossfade.sandbox.kube.ownership.managers import UPDATE, Account, Manager
from crossfade.sandbox.kube.ownership.shapes import shape_of
from crossfade.sandbox.kube.registry import Served


class Writer(NamedTuple):
    """Who writes, and when."""

    manager: str
    api_version: str
    subresource: str
    time: str


def track(served: Served, old: Object | None, new: Object, writer: Writer) -> None:
    """Set in place `metadata.managedFields` of what is about to be stored."""
    account = _base(old, new)
    difference = compare(old or {}, new, shape_of(served))
    has_status = "status" in served.kind.subresources
    able = managers.ownable(difference.changed, writer.subresource, has_status=has_status)
    manager = Manager(writer.manager, UPDATE, writer.api_version, writer.subresource)
    account = managers.after_write(account, manager, difference, writer.time, able)
    if account:
        new["metadata"]["managedFields"] = managers.write(account)
    else:
        new["metadata"].pop("managedFields", None)


def _base(old: Object | None, new: Object) -> Account:
    """Return the account to start from; a client can reset it by writing one empty entry."""
    given = new["metadata"].get("managedFields")
    if given == [{}]:
        return {}
    found = managers.read(new)
    return found if found or old is None else managers.read(old)
