"""
The Kubernetes API of one cloud, without the HTTP: every verb on every kind.

All methods are synchronous, so each is atomic. Objects that come out are those of the store: copy
before changing one. Objects that go in are given up by the caller.
"""

import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from crossfade.base.clock import Clock, SteadyClock
from crossfade.sandbox.kube import conformance, deletion, rules, selectors, versions
from crossfade.sandbox.kube.builtin import builtin_kinds
from crossfade.sandbox.kube.client import Change, Object
from crossfade.sandbox.kube.deletion import DeleteOptions
from crossfade.sandbox.kube.kinds import CUSTOM_RESOURCE_DEFINITION, NAMESPACE, SERVICE, Kind
from crossfade.sandbox.kube.ownership import tracking
from crossfade.sandbox.kube.ownership.tracking import Writer
from crossfade.sandbox.kube.preset import preset_definitions
from crossfade.sandbox.kube.registry import Registry, Served
from crossfade.sandbox.kube.status import (
    already_exists,
    bad_request,
    conflict,
    forbidden,
    group_resource,
    invalid,
    not_found,
)
from crossfade.sandbox.kube.store import Event, Store
from crossfade.sandbox.kube.values import timestamp, without_version

_SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789"


@dataclass(frozen=True, slots=True)
class Options:
    """How to write."""

    dry_run: bool = False
    manager: str = ""
    """Who owns the fields that change; empty: nobody keeps account."""
    validation: str = ""
    """`Strict`, `Warn` or `Ignore` for unknown fields; empty: the writer is trusted."""
    warnings: list[str] = field(default_factory=list)


TRUSTED = Options()


class Api:
    """Reads and writes of one cloud's objects by the rules of a Kubernetes API server."""

    def __init__(self, store: Store, registry: Registry, clock: Clock) -> None:
        self.store, self.registry, self.clock = store, registry, clock
        for crd in store.objects(group_resource(CUSTOM_RESOURCE_DEFINITION)):
            registry.define(crd)
        store.observers.append(self._follow_definitions)

    def _follow_definitions(self, event: Event) -> None:
        if event.collection != "customresourcedefinitions.apiextensions.k8s.io":
            return
        if event.change is Change.DELETED:
            self.registry.forget(event.object["metadata"]["name"])
        else:
            self.registry.define(event.object)

    def collection(self, kind: Kind) -> str:
        """Return the name of the collection that objects of this kind are stored in."""
        return versions.collection(kind)

    def versioned(self, kind: Kind, obj: Object) -> Object:
        """Return a stored object as it looks at the version of `kind`."""
        return versions.shown(kind, obj)

    def get(self, kind: Kind, namespace: str | None, name: str) -> Object:
        """Return one object as the store has it; raises ApiError 404."""
        space = (namespace or "") if kind.namespaced else ""
        found = self.store.get(self.collection(kind), space, name)
        if found is None:
            raise not_found(kind, name)
        return found

    def select(
        self, kind: Kind, namespace: str | None = None, labels: str = "", fields: str = ""
    ) -> list[Object]:
        """Return the objects of a namespace (of all when None) that match both selectors."""
        by_label, by_field = selectors.labels(labels), selectors.fields(kind, fields)
        found = self.store.objects(self.collection(kind), namespace if kind.namespaced else None)
        if not labels and not fields:
            return found
        return [obj for obj in found if by_label(obj) and by_field(obj)]

    def create(self, kind: Kind, body: Object, options: Options = TRUSTED) -> Object:
        """Store a new object and return it; raises ApiError 404, 409, 422, 403."""
        served = self.registry.of(kind)
        kind = served.kind
        now = self.clock.now()
        obj: Object = {"apiVersion": kind.api_version, "kind": kind.kind} | body
        obj["metadata"] = metadata = dict(body.get("metadata") or {})
        self._check_new(kind, metadata)
        obj = _admitted(served, obj, options)
        rules.prepare_create(kind, obj, now)
        # Before the defaults: the selector of a Job is made of its uid.
        obj["metadata"] |= {"uid": str(uuid.uuid4()), "creationTimestamp": timestamp(now)}
        obj = _finished(served, None, obj)
        if options.manager:
            writer = Writer(options.manager, kind.api_version, "", timestamp(now))
            tracking.track(served, None, obj, writer)
        metadata = obj["metadata"]
        space = metadata.get("namespace", "")
        if self.store.get(self.collection(kind), space, metadata["name"]) is not None:
            raise already_exists(kind, metadata["name"])
        if options.dry_run:
            return obj
        return self.store.put(self.collection(kind), versions.stored(kind, obj))

    def _check_new(self, kind: Kind, metadata: Object) -> None:
        if metadata.pop("resourceVersion", None):
            raise bad_request("resourceVersion should not be set on objects to be created")
        if not metadata.get("name"):
            prefix = metadata.get("generateName")
            if not prefix:
                raise invalid(
                    kind,
                    "",
                    [("metadata.name", "Required value: name or generateName is required")],
                )
            letters = random.choices(_SUFFIX_LETTERS, k=5)  # noqa: S311 - a name, not a secret
            metadata["name"] = prefix[:58] + "".join(letters)
        if not kind.namespaced:
            metadata.pop("namespace", None)
            return
        space = metadata.setdefault("namespace", "default")
        home = self.store.get("namespaces", "", space)
        if home is None:
            raise not_found(NAMESPACE, space)
        if "deletionTimestamp" in home["metadata"]:
            why = (
                f"unable to create new content in namespace {space} because it is being terminated"
            )
            causes = [
                {
                    "reason": "NamespaceTerminating",
                    "message": f"namespace {space} is being terminated",
                    "field": "metadata.namespace",
                }
            ]
            raise forbidden(kind, metadata["name"], why, causes=causes)

    def update(
        self, kind: Kind, body: Object, subresource: str = "", options: Options = TRUSTED
    ) -> Object:
        """Replace an object, or its status; raises ApiError 404, 409, 422."""
        served = self.registry.of(kind)
        metadata = body.get("metadata") or {}
        name = metadata.get("name", "")
        old = self.get(served.kind, metadata.get("namespace"), name)
        version = metadata.get("resourceVersion")
        if not version and not subresource and rules.needs_version(kind):
            message = "Invalid value: 0: must be specified for an update"
            raise invalid(kind, name, [("metadata.resourceVersion", message)])
        if version and version != old["metadata"]["resourceVersion"]:
            raise conflict(kind, name)
        uid = metadata.get("uid")
        if uid and uid != old["metadata"]["uid"]:
            found = old["metadata"]["uid"]
            why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {found}"
            raise conflict(kind, name, why)
        return self._replace(served, old, body, subresource, options)

    def _replace(
        self, served: Served, old: Object, body: Object, subresource: str, options: Options
    ) -> Object:
        kind = served.kind
        named: Object = {"apiVersion": kind.api_version, "kind": kind.kind} | body
        named["metadata"] = dict(body.get("metadata") or {})
        named = _admitted(served, named, options)
        rules.check_finalizers(kind, old, named)
        old = versions.shown(kind, old)
        new = rules.prepare_update(kind, old, named, subresource)
        if options.validation:  # our own controllers change objects that are complete
            new = _finished(served, old, new)
        rules.count_generation(kind, old, new)
        if options.manager:
            now = timestamp(self.clock.now())
            writer = Writer(options.manager, kind.api_version, subresource, now)
            tracking.track(served, old, new, writer)
        if without_version(new) == without_version(old):
            return old
        new = versions.stored(kind, new)
        new["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"]
        if options.dry_run:
            return new
        if deletion.complete(kind, new):
            return self.store.remove(self.collection(kind), new)
        return self.store.put(self.collection(kind), new)

    def change(
        self,
        kind: Kind,
        key: tuple[str | None, str],
        change: Callable[[Object], Object],
        subresource: str = "",
        options: Options = TRUSTED,
    ) -> Object:
        """
        Replace the object (namespace, name) by `change(object)`, as a patch does.

        `change` must return a new value. When it sets another resourceVersion or uid than the
        stored one, that is a 409, as with an update.
        """
        namespace, name = key
        old = self.get(self.registry.of(kind).kind, namespace, name)
        new = change(versions.shown(kind, old))
        metadata = new.get("metadata") or {}
        if metadata.get("name", name) != name:
            raise bad_request(
                f"the name of the object ({metadata['name']}) does not match the name on the URL "
                f"({name})"
            )
        given = metadata.get("resourceVersion")
        merged = {**metadata, "name": name}
        merged["resourceVersion"] = given or old["metadata"]["resourceVersion"]
        if "namespace" in old["metadata"]:
            merged["namespace"] = old["metadata"]["namespace"]
        return self.update(kind, {**new, "metadata": merged}, subresource, options)

    def delete(
        self, kind: Kind, namespace: str | None, name: str, options: DeleteOptions | None = None
    ) -> tuple[Object, bool]:
        """Delete and return the last state, and whether the object is gone already."""
        kind = self.registry.of(kind).kind
        options = options or DeleteOptions(propagation="Background")
        obj = self.get(kind, namespace, name)
        deletion.check_preconditions(kind, obj, options)
        if kind == NAMESPACE and name in ("default", "kube-system", "kube-public"):
            raise forbidden(kind, name, "this namespace may not be deleted")
        marked = deletion.begin(kind, obj, options, self.clock.now())
        if options.dry_run:
            return marked or obj, marked is None
        if marked is None:
            return self.store.remove(self.collection(kind), obj), True
        if without_version(marked) == without_version(obj):
            return obj, False
        return self.store.put(self.collection(kind), marked), False


def _admitted(served: Served, obj: Object, options: Options) -> Object:
    """Return an object from outside as the server reads it: fields of its kind, right types."""
    if not options.validation:
        return obj
    admitted, warnings = conformance.admit(served, obj, options.validation)
    options.warnings.extend(warnings)
    return admitted


def _finished(served: Served, old: Object | None, new: Object) -> Object:
    """Return an object with the defaults of its kind, checked."""
    new = conformance.complete(served, new)
    conformance.check(served, old, new)
    return new


def open_api(path: Path | None = None, clock: Clock | None = None) -> Api:
    """
    Return the API with the built-in kinds and the namespaces that every cluster has.

    It is kept in the journal at `path`, or only in memory when that is None.
    """
    api = Api(Store(path), Registry(builtin_kinds(), preset_definitions()), clock or SteadyClock())
    for name in ("default", "kube-node-lease", "kube-public", "kube-system"):
        if api.store.get("namespaces", "", name) is None:
            api.create(NAMESPACE, {"metadata": {"name": name}})
    if api.store.get("services", "default", "kubernetes") is None:
        api.create(SERVICE, _own_service())
    return api


def _own_service() -> Object:
    """Return the Service by which pods of a real cluster reach its API."""
    labels = {"component": "apiserver", "provider": "kubernetes"}
    ports = [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}]
    return {
        "metadata": {"name": "kubernetes", "namespace": "default", "labels": labels},
        "spec": {"clusterIP": "10.96.0.1", "ports": ports},
    }
