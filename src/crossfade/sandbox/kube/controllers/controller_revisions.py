"""The templates that a StatefulSet has had: pods of an earlier one can be made again."""

from typing import Any

from crossfade.sandbox.kube.client import ApiError, KubeClient, Object
from crossfade.sandbox.kube.controllers.deployment import template_hash
from crossfade.sandbox.kube.kinds import CONTROLLER_REVISION, STATEFUL_SET
from crossfade.sandbox.kube.objects import ownership

HASH = "controller.kubernetes.io/hash"


class Revisions:
    """The kept templates of one StatefulSet, by their hash."""

    def __init__(self, client: KubeClient, owner: Object, kept: list[Object]) -> None:
        self._client, self._owner = client, owner
        self._kept = {one["metadata"]["labels"].get(HASH, ""): one for one in kept}

    @property
    def _prefix(self) -> str:
        return f"{self._owner['metadata']['name']}-"

    @property
    def update(self) -> str:
        """Hash of the wanted template."""
        return template_hash(self._owner["spec"]["template"])

    @property
    def current(self) -> str:
        """Hash of the template that pods below the partition have; the wanted one at first."""
        told = str((self._owner.get("status") or {}).get("currentRevision") or "")
        return told.removeprefix(self._prefix) or self.update

    def template(self, hash_: str) -> Object:
        """Return the template of that hash; the wanted one when it is no longer kept."""
        kept = self._kept.get(hash_)
        if kept is None:
            wanted: Object = self._owner["spec"]["template"]
            return wanted
        found: Object = kept["data"]["spec"]["template"]
        return found

    async def keep(self) -> None:
        """Keep the wanted template as the newest, and no more of the others than is asked for."""
        newest = max((one["revision"] for one in self._kept.values()), default=0)
        found = self._kept.get(self.update)
        if found is None:
            self._kept[self.update] = await self._create(newest + 1)
        elif found["revision"] < newest:
            merge = {"revision": newest + 1}
            self._kept[self.update] = await self._patch(found, merge)
        await self._forget()

    async def _create(self, number: int) -> Object:
        meta, spec = self._owner["metadata"], self._owner["spec"]
        labels = {**((spec.get("selector") or {}).get("matchLabels") or {}), HASH: self.update}
        body: dict[str, Any] = {
            "apiVersion": CONTROLLER_REVISION.api_version,
            "kind": CONTROLLER_REVISION.kind,
            "metadata": {
                "name": self._prefix + self.update,
                "namespace": meta["namespace"],
                "labels": labels,
                "ownerReferences": [ownership.controller_reference(STATEFUL_SET, self._owner)],
            },
            "data": {"spec": {"template": {**spec["template"], "$patch": "replace"}}},
            "revision": number,
        }
        return await self._client.create(CONTROLLER_REVISION, body)

    async def _patch(self, found: Object, merge: Object) -> Object:
        meta = found["metadata"]
        return await self._client.patch(CONTROLLER_REVISION, meta["namespace"], meta["name"], merge)

    async def _forget(self) -> None:
        limit = self._owner["spec"].get("revisionHistoryLimit", 10)
        in_use = {self.update, self.current}
        idle = sorted(
            (one for hash_, one in self._kept.items() if hash_ not in in_use),
            key=lambda one: int(one["revision"]),
        )
        for one in idle[: max(len(idle) - limit, 0)]:
            meta = one["metadata"]
            try:
                await self._client.delete(CONTROLLER_REVISION, meta["namespace"], meta["name"])
            except ApiError as error:
                if error.code != 404:
                    raise


async def revisions_of(client: KubeClient, owner: Object) -> Revisions:
    """Return the kept templates of a StatefulSet."""
    everything = await client.list(CONTROLLER_REVISION, owner["metadata"]["namespace"])
    ours = [one for one in everything if ownership.is_controlled_by(one, owner)]
    return Revisions(client, owner, ours)
