"""Which kinds a cluster serves, and where."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from crossfade.adapters.kubernetes.client import KubeApi, Object
from crossfade.core.release.kinds import mapping, mappings

_AGGREGATED = ",".join(
    [
        "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
        "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList",
        "application/json",
    ]
)
_SIDE_BY_SIDE = 8


@dataclass(frozen=True, slots=True)
class Served:
    """Where the objects of a kind are."""

    version: str
    """`v1`, `apps/v1`."""
    plural: str
    namespaced: bool

    def path(self, namespace: str, name: str = "") -> str:
        """Return the path of an object, or of the collection without a name."""
        root = f"/apis/{self.version}" if "/" in self.version else f"/api/{self.version}"
        scope = f"/namespaces/{namespace}" if self.namespaced else ""
        return f"{root}{scope}/{self.plural}" + (f"/{name}" if name else "")


Kinds = Mapping[tuple[str, str], Served]
"""By apiVersion and kind."""


async def discover(api: KubeApi) -> Kinds:
    """
    Return all kinds that the cluster serves.

    Two requests since Kubernetes 1.26, one for each group and version before.  Raises Unavailable.
    """
    found: dict[tuple[str, str], Served] = {}
    for path in ("/api", "/apis"):
        document = await api.get(path, accept=_AGGREGATED)
        if document.get("kind") == "APIGroupDiscoveryList":
            found.update(_aggregated(document))
        else:
            found.update(await _plain(api, path, document))
    return found


def _aggregated(document: Object) -> Iterator[tuple[tuple[str, str], Served]]:
    for group in mappings(document.get("items")):
        name = mapping(group.get("metadata")).get("name")
        for each in mappings(group.get("versions")):
            version = f"{name}/{each['version']}" if name else str(each["version"])
            for resource in mappings(each.get("resources")):
                kind = mapping(resource.get("responseKind")).get("kind")
                namespaced = resource.get("scope") == "Namespaced"
                yield (version, str(kind)), Served(version, resource["resource"], namespaced)


async def _plain(
    api: KubeApi, path: str, document: Object
) -> Iterator[tuple[tuple[str, str], Served]]:
    versions = [str(each) for each in document.get("versions") or ()]
    for group in mappings(document.get("groups")):
        versions += [str(each.get("groupVersion")) for each in mappings(group.get("versions"))]
    room = asyncio.Semaphore(_SIDE_BY_SIDE)

    async def resources(version: str) -> list[Object]:
        async with room:
            # An aggregated API whose server is away answers 503: it has no kinds for now.
            found = await api.find(f"{path}/{version}")
        return mappings((found or {}).get("resources"))

    async with asyncio.TaskGroup() as tasks:
        asked = {version: tasks.create_task(resources(version)) for version in versions}
    return iter(
        [
            ((version, str(each.get("kind"))), Served(version, each["name"], each["namespaced"]))
            for version, task in asked.items()
            for each in task.result()
            if "/" not in each["name"]
        ]
    )
