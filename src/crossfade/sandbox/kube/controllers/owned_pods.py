"""The Pods of a workload: found by selector and owner, made from a template."""

import copy
from dataclasses import dataclass
from typing import Any

from crossfade.sandbox.kube import selectors
from crossfade.sandbox.kube.client import ApiError, KubeClient, Object
from crossfade.sandbox.kube.kinds import POD, Kind
from crossfade.sandbox.kube.objects import ownership, pod_state


@dataclass(frozen=True, slots=True)
class Owner:
    """A workload object and the `LabelSelector` of what belongs to it."""

    kind: Kind
    object: Object
    selector: dict[str, Any] | None


async def owned(client: KubeClient, owner: Owner, kind: Kind) -> list[Object]:
    """
    Return the objects that `owner` controls.

    Those that match its selector and have no controller are adopted; those that match no longer
    are let go.
    """
    selects = selectors.label_selector(owner.selector)
    reference = ownership.controller_reference(owner.kind, owner.object)
    going = pod_state.is_terminating(owner.object)
    found = []
    for obj in await client.list(kind, owner.object["metadata"]["namespace"]):
        matches = selects(obj["metadata"].get("labels") or {})
        if ownership.is_controlled_by(obj, owner.object):
            if matches or going:
                found.append(obj)
            else:
                await ownership.release(client, kind, obj, owner.object)
        elif matches and not going and _is_orphan(obj):
            found.append(await ownership.adopt(client, kind, obj, reference))
    return found


def _is_orphan(obj: Object) -> bool:
    return ownership.controller_of(obj) is None and not pod_state.is_terminating(obj)


async def owned_pods(client: KubeClient, owner: Owner) -> list[Object]:
    """Return the Pods that `owner` controls, adopting and letting go as needed."""
    try:
        return await owned(client, owner, POD)
    except ApiError as error:
        if error.code == 404:  # a Pod went away meanwhile: look again
            return await owned(client, owner, POD)
        raise


def pod_from(kind: Kind, owner: Object, template: Object, name: str = "") -> Object:
    """Return a Pod of this template, named `name` or by the server, controlled by `owner`."""
    meta = copy.deepcopy(template.get("metadata") or {})
    meta["namespace"] = owner["metadata"]["namespace"]
    meta["ownerReferences"] = [ownership.controller_reference(kind, owner)]
    if name:
        meta["name"] = name
    else:
        meta["generateName"] = owner["metadata"]["name"] + "-"
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": template["spec"]}
