"""Which kinds a cloud serves right now: the built-in ones and those of its CRDs."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from crossfade.sandbox.kube.client import Object
from crossfade.sandbox.kube.kinds import Kind
from crossfade.sandbox.kube.status import group_resource

_BUILT_IN_GROUPS = frozenset({"", "apps", "batch", "autoscaling", "policy"})
_GATEWAY_API = "gateway.networking.k8s.io"


def is_custom(kind: Kind) -> bool:
    """Say whether the real API server would serve this kind from a CRD."""
    if kind.group in _BUILT_IN_GROUPS:
        return False
    return kind.group == _GATEWAY_API or not kind.group.endswith(".k8s.io")


@dataclass(frozen=True, slots=True)
class Served:
    """One kind at one version, with what its CRD says of it."""

    kind: Kind
    schema: dict[str, Any] | None = field(default=None, compare=False)
    """`openAPIV3Schema` of a CRD's version; None for built-in kinds."""
    scale: dict[str, str] | None = field(default=None, compare=False)
    columns: tuple[dict[str, Any], ...] = field(default=(), compare=False)
    """`additionalPrinterColumns` of a CRD's version."""


class Registry:
    """The served kinds, found by path or by what an object says of itself."""

    def __init__(self, built_in: Iterable[Kind], presets: Iterable[Object] = ()) -> None:
        """`presets` are CustomResourceDefinitions that hold as long as nobody makes them anew."""
        self._built_in = tuple(Served(kind) for kind in built_in)
        self._presets = {crd["metadata"]["name"]: tuple(_served(crd)) for crd in presets}
        self._custom: dict[str, tuple[Served, ...]] = {}
        self.generation = 0
        """Grows with each change, so that discovery documents can be cached."""
        self._rebuild()

    def _rebuild(self) -> None:
        self._by_path: dict[tuple[str, str, str], Served] = {}
        self._by_kind: dict[tuple[str, str], Served] = {}
        everything = list(self._built_in)
        for served in {**self._presets, **self._custom}.values():
            everything += served
        for one in everything:
            kind = one.kind
            self._by_path.setdefault((kind.group, kind.version, kind.plural), one)
            self._by_kind.setdefault((kind.api_version, kind.kind), one)
        self._all = tuple(one.kind for one in self._by_path.values())
        self._collections: dict[str, Kind] = {}
        for kind in self._all:
            self._collections.setdefault(group_resource(kind), kind)
        self.generation += 1

    def kinds(self) -> tuple[Kind, ...]:
        """Return every served kind, built-in ones first."""
        return self._all

    def schemas(self) -> dict[Kind, dict[str, Any]]:
        """Return the schemas of the kinds that come from CRDs."""
        return {kind: one.schema for kind in self._all if (one := self.of(kind)).schema is not None}

    def at(self, group: str, version: str, plural: str) -> Served | None:
        """Return what is served at a path, or None."""
        return self._by_path.get((group, version, plural))

    def named(self, api_version: str, kind: str) -> Served | None:
        """Return what serves `apiVersion` and `kind` of an object, or None."""
        return self._by_kind.get((api_version, kind))

    def of(self, kind: Kind) -> Served:
        """Return what is known of a kind; a kind that is not served is served as it stands."""
        return self._by_path.get((kind.group, kind.version, kind.plural)) or Served(kind)

    def collection(self, name: str) -> Kind | None:
        """Return the first kind that is stored in the collection, or None."""
        return self._collections.get(name)

    def define(self, crd: Object) -> None:
        """Serve what a CustomResourceDefinition says, or says now."""
        self._custom[crd["metadata"]["name"]] = tuple(_served(crd))
        self._rebuild()

    def forget(self, crd_name: str) -> None:
        """Serve the kind of a removed CustomResourceDefinition no more."""
        if self._custom.pop(crd_name, None) is not None:
            self._rebuild()


def _served(crd: Object) -> Iterable[Served]:
    spec = crd["spec"]
    names = spec["names"]
    for version in spec.get("versions") or ():
        if not version.get("served"):
            continue
        subresources = version.get("subresources") or {}
        kind = Kind(
            spec["group"],
            version["name"],
            names["kind"],
            names["plural"],
            namespaced=spec.get("scope") != "Cluster",
            singular=names.get("singular") or names["kind"].lower(),
            short_names=tuple(names.get("shortNames") or ()),
            subresources=tuple(name for name in ("status", "scale") if name in subresources),
            categories=tuple(names.get("categories") or ()),
        )
        yield Served(
            kind,
            schema=(version.get("schema") or {}).get("openAPIV3Schema") or {},
            scale=subresources.get("scale"),
            columns=tuple(version.get("additionalPrinterColumns") or ()),
        )
