"""
What the API serves, as clients ask for it at `/api`, `/apis` and below.

Clients since Kubernetes 1.26 ask for one aggregated document per root; the plain ones, one for
each group and version, are for the others.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from crossfade.sandbox.kube.builtin import verbs
from crossfade.sandbox.kube.kinds import Kind

Document = dict[str, Any]

_JSON = "application/json"
_AGGREGATED = "application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList"
_EVERYWHERE = [{"clientCIDR": "0.0.0.0/0", "serverAddress": ""}]

_SUBRESOURCES = {
    "scale": ("autoscaling", "v1", "Scale", ("get", "patch", "update")),
    "eviction": ("policy", "v1", "Eviction", ("create",)),
    "binding": ("", "v1", "Binding", ("create",)),
    "log": ("", "v1", "Pod", ("get",)),
    "proxy": ("", "v1", "PodProxyOptions", ("get",)),
    "token": ("authentication.k8s.io", "v1", "TokenRequest", ("create",)),
}
"""Group, version and kind of what a subresource holds, when it is not the object itself."""


def answer(path: str, accept: str, kinds: Sequence[Kind]) -> tuple[str, Document] | None:
    """
    Return the content type and the document for a discovery path, None for any other path.

    `path` is as in the request, without a query; `accept` is the header's value.
    """
    steps = path.strip("/").split("/")
    if steps in (["api"], ["apis"]) and (version := _wanted(accept)):
        chosen = [kind for kind in kinds if bool(kind.group) == (steps == ["apis"])]
        return _AGGREGATED.format(version=version), _aggregated(chosen, version)
    document = _plain(steps, kinds)
    return (_JSON, document) if document else None


def _plain(steps: list[str], kinds: Sequence[Kind]) -> Document | None:
    match steps:
        case ["api"]:
            return {
                "kind": "APIVersions",
                "versions": ["v1"],
                "serverAddressByClientCIDRs": _EVERYWHERE,
            }
        case ["apis"]:
            groups = [_group(name, kinds) for name in _groups(kinds) if name]
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
        case ["apis", group] if group in _groups(kinds):
            return {"kind": "APIGroup", "apiVersion": "v1", **_group(group, kinds)}
        case ["api", version]:
            return _resources("", version, kinds)
        case ["apis", group, version]:
            return _resources(group, version, kinds)
        case _:
            return None


def documents(kinds: Sequence[Kind]) -> dict[str, Document]:
    """Return all plain documents by their paths."""
    paths = ["/api", "/apis", *(f"/apis/{name}" for name in _groups(kinds) if name)]
    paths += dict.fromkeys(kind.path().rpartition("/")[0] for kind in kinds)
    found = {path: _plain(path.strip("/").split("/"), kinds) for path in paths}
    return {path: document for path, document in found.items() if document}


def _wanted(accept: str) -> str:
    """Return the version of the aggregated form that the client prefers, "" for the plain one."""
    for choice in accept.split(","):
        media, *parameters = (part.strip() for part in choice.split(";"))
        given = {}
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            given[name] = value
        if media not in (_JSON, "application/*", "*/*"):
            continue
        if given.get("g") != "apidiscovery.k8s.io" or given.get("as") != "APIGroupDiscoveryList":
            if "as" in given:
                continue
            return ""
        if given.get("v") in ("v2", "v2beta1"):
            return given["v"]
    return ""


def _groups(kinds: Iterable[Kind]) -> list[str]:
    return list(dict.fromkeys(kind.group for kind in kinds))


def _versions(group: str, kinds: Iterable[Kind]) -> list[str]:
    return list(dict.fromkeys(kind.version for kind in kinds if kind.group == group))


def _group(name: str, kinds: Sequence[Kind]) -> Document:
    versions = [
        {"groupVersion": f"{name}/{version}", "version": version}
        for version in _versions(name, kinds)
    ]
    return {"name": name, "versions": versions, "preferredVersion": versions[0]}


def _resources(group: str, version: str, kinds: Sequence[Kind]) -> Document | None:
    resources: list[Document] = []
    for kind in kinds:
        if (kind.group, kind.version) == (group, version):
            resources.append(_resource(kind))
            resources += (_subresource(kind, name) for name in kind.subresources)
    if not resources:
        return None
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": f"{group}/{version}" if group else version,
        "resources": resources,
    }


def _resource(kind: Kind) -> Document:
    return {
        "name": kind.plural,
        "singularName": kind.singular,
        "namespaced": kind.namespaced,
        "kind": kind.kind,
        "verbs": list(verbs(kind)),
        **_names(kind),
    }


def _names(kind: Kind) -> Document:
    found: Document = {}
    if kind.short_names:
        found["shortNames"] = list(kind.short_names)
    if kind.categories:
        found["categories"] = list(kind.categories)
    return found


def _held(kind: Kind, name: str) -> tuple[str, str, str, tuple[str, ...]]:
    own = (kind.group, kind.version, kind.kind, ("get", "patch", "update"))
    return _SUBRESOURCES.get(name, own)


def _subresource(kind: Kind, name: str) -> Document:
    group, version, held, can = _held(kind, name)
    found: Document = {
        "name": f"{kind.plural}/{name}",
        "singularName": "",
        "namespaced": kind.namespaced,
        "kind": held,
        "verbs": list(can),
    }
    if (group, version) != (kind.group, kind.version):
        found |= {"group": group, "version": version}
    return found


def _aggregated(kinds: Sequence[Kind], version: str) -> Document:
    items = []
    for group in _groups(kinds):
        metadata: Document = {"creationTimestamp": None}
        if group:
            metadata["name"] = group
        versions = [
            {
                "version": served,
                "resources": [
                    _aggregated_resource(kind)
                    for kind in kinds
                    if (kind.group, kind.version) == (group, served)
                ],
                "freshness": "Current",
            }
            for served in _versions(group, kinds)
        ]
        items.append({"metadata": metadata, "versions": versions})
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": f"apidiscovery.k8s.io/{version}",
        "metadata": {},
        "items": items,
    }


def _aggregated_resource(kind: Kind) -> Document:
    found: Document = {
        "resource": kind.plural,
        "responseKind": {"group": kind.group, "version": kind.version, "kind": kind.kind},
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "singularResource": kind.singular,
        "verbs": list(verbs(kind)),
        **_names(kind),
    }
    if kind.subresources:
        found["subresources"] = []
        for name in kind.subresources:
            group, version, held, can = _held(kind, name)
            found["subresources"].append(
                {
                    "subresource": name,
                    "responseKind": {"group": group, "version": version, "kind": held},
                    "verbs": list(can),
                }
            )
    return found
