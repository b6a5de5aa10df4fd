"""What a cloud that comes back must not believe of its own storage: that its pods still run."""

from crossfade.sandbox.kube.client import KubeClient, Object
from crossfade.sandbox.kube.kinds import ENDPOINT_SLICE, POD

_READY = frozenset({"Ready", "ContainersReady"})


async def forget_readiness(client: KubeClient) -> int:
    """
    Mark all pods and endpoints as not ready; return how many pods were.

    Their processes died with the cloud, and by now others may listen on their ports.  The
    gateway would send users there until the kubelet has looked at every pod.
    """
    forgotten = 0
    for pod in await client.list(POD):
        conditions = (pod.get("status") or {}).get("conditions") or []
        if any(one["type"] in _READY and one["status"] == "True" for one in conditions):
            forgotten += 1
            status = {"conditions": [_not_ready(one) for one in conditions]}
            await client.patch(POD, *_key(pod), {"status": status}, "status")
    for one in await client.list(ENDPOINT_SLICE):
        endpoints = [
            {**endpoint, "conditions": {**(endpoint.get("conditions") or {}), "ready": False}}
            for endpoint in one.get("endpoints") or []
        ]
        if endpoints:
            await client.patch(ENDPOINT_SLICE, *_key(one), {"endpoints": endpoints})
    return forgotten


def _key(thing: Object) -> tuple[str, str]:
    return thing["metadata"]["namespace"], thing["metadata"]["name"]


def _not_ready(condition: Object) -> Object:
    if condition["type"] not in _READY:
        return condition
    return {**condition, "status": "False", "reason": "NodeRestarted"}
