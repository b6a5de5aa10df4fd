"""A server-side apply request on the API."""

from typing import NamedTuple

from crossfade.sandbox.kube import conformance
from crossfade.sandbox.kube.api import Api, Options
from crossfade.sandbox.kube.client import Object
from crossfade.sandbox.kube.kinds import Kind
from crossfade.sandbox.kube.ownership import managers
from crossfade.sandbox.kube.ownership.apply import Wish, applied
from crossfade.sandbox.kube.ownership.managers import APPLY, UPDATE, Account, Holding, Manager
from crossfade.sandbox.kube.ownership.paths import paths_in
from crossfade.sandbox.kube.ownership.shapes import Shape, shape_of
from crossfade.sandbox.kube.status import bad_request, not_found
from crossfade.sandbox.kube.values import clone, timestamp


class Where(NamedTuple):
    """The object, or the part of it, that is applied."""

    kind: Kind
    namespace: str | None
    name: str
    subresource: str


def apply(
    api: Api, where: Where, body: Object, options: Options, *, force: bool
) -> tuple[Object, bool]:
    """
    Merge what a manager wants into the object, or create it; return it, and whether it is new.

    Raises ApiError 409 for fields that others own, 400, 404, 422.
    """
    served = api.registry.of(where.kind)
    config = _config(where, body)
    # Whatever the client wants of unknown fields: nobody can own what no schema knows.
    conformance.admit(served, config, "Strict")
    quiet = Options(options.dry_run, "", "Ignore")
    shape, now = shape_of(served), timestamp(api.clock.now())
    manager = Manager(options.manager, APPLY, where.kind.api_version, where.subresource)
    has_status = "status" in served.kind.subresources
    paths = managers.ownable(paths_in(config, shape), where.subresource, has_status=has_status)
    space = (where.namespace or "") if served.kind.namespaced else ""
    live = api.store.get(api.collection(where.kind), space, where.name)
    live = api.versioned(where.kind, live) if live else None
    if live is None:
        if where.subresource:
            raise not_found(where.kind, where.name)
        fresh = clone(config)
        fresh["metadata"]["managedFields"] = managers.write({manager: Holding(paths, now)})
        return api.create(where.kind, fresh, quiet), True
    wish = Wish(manager, config, paths, force, now)
    merged, account = applied(live, _account(live, where, shape, has_status), wish, shape)
    merged["metadata"] = {**merged["metadata"], "managedFields": managers.write(account)}
    key = (where.namespace, where.name)
    return api.change(where.kind, key, lambda _: merged, where.subresource, quiet), False


def _config(where: Where, body: Object) -> Object:
    metadata = dict(body["metadata"])
    if metadata.pop("managedFields", None):
        raise bad_request("metadata.managedFields must be nil")
    metadata["name"] = where.name
    space = where.namespace
    if space is not None and metadata.setdefault("namespace", space) != space:
        raise bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    for name in ("creationTimestamp", "selfLink", "generation"):
        metadata.pop(name, None)
    return {**body, "metadata": metadata}


def _account(live: Object, where: Where, shape: Shape, has_status: bool) -> Account:
    found = managers.read(live)
    if found:
        return found
    paths = managers.ownable(paths_in(live, shape), "", has_status=has_status)
    first = Manager("before-first-apply", UPDATE, where.kind.api_version)
    return {first: Holding(paths, live["metadata"].get("creationTimestamp", ""))}
