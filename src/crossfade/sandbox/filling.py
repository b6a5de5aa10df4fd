"""A cloud whose node is full: somebody else's pod asks for all that is left."""

from crossfade.base.quantities import add, thousandths
from crossfade.sandbox.kube.client import ApiError, KubeClient, Object
from crossfade.sandbox.kube.controllers.scheduler import requests_of
from crossfade.sandbox.kube.kinds import NODE, POD
from crossfade.sandbox.kube.objects import pod_state

NAMESPACE, NAME = "infra", "filler"


async def fill(client: KubeClient, node_name: str) -> None:
    """Leave no CPU and no memory on the node for further pods; those that are there stay."""
    node = await client.get(NODE, None, node_name)
    allocatable = node["status"]["allocatable"]
    placed = await client.list(POD, None, "", f"spec.nodeName={node_name}")
    used = add(requests_of(pod) for pod in placed if not pod_state.is_finished(pod))
    free = {
        name: max(thousandths(allocatable[name]) - used.get(name, 0), 0)
        for name in ("cpu", "memory")
    }
    requests = {"cpu": f"{free['cpu']}m", "memory": str(free["memory"] // 1000)}
    container: Object = {
        "name": "filler",
        "image": "host",
        "command": ["sleep", "infinity"],
        "resources": {"requests": requests},
    }
    spec = {"nodeName": node_name, "terminationGracePeriodSeconds": 0, "containers": [container]}
    body: Object = {"metadata": {"name": NAME, "namespace": NAMESPACE}, "spec": spec}
    try:
        await client.create(POD, body)
    except ApiError as error:
        if error.code != 409:  # it is full already
            raise


async def empty(client: KubeClient) -> None:
    """Give back what `fill` has taken."""
    try:
        await client.delete(POD, NAMESPACE, NAME, 0)
    except ApiError as error:
        if error.code != 404:
            raise
