"""A cloud that comes back sends nobody to ports that its pods had before."""

from crossfade.sandbox.awakening import forget_readiness
from crossfade.sandbox.gateway.resources import ready_addresses
from crossfade.sandbox.kube.api import open_api
from crossfade.sandbox.kube.direct_client import DirectClient
from crossfade.sandbox.kube.kinds import ENDPOINT_SLICE, POD


async def test_no_pod_and_no_endpoint_is_ready_until_it_has_been_looked_at():
    client = DirectClient(open_api())
    pod = {
        "metadata": {"namespace": "default", "name": "web"},
        "spec": {"containers": [{"name": "c", "image": "host"}]},
    }
    stored = await client.create(POD, pod)
    ready = [
        {"type": "PodScheduled", "status": "True"},
        {"type": "Ready", "status": "True"},
    ]
    await client.update(POD, {**stored, "status": {"conditions": ready}}, "status")
    await client.create(
        ENDPOINT_SLICE,
        {
            "metadata": {"namespace": "default", "name": "web-1"},
            "addressType": "IPv4",
            "ports": [{"name": "", "port": 8080}],
            "endpoints": [{"addresses": ["127.0.0.1"], "conditions": {"ready": True}}],
        },
    )
    assert await forget_readiness(client) == 1
    found = (await client.get(POD, "default", "web"))["status"]["conditions"]
    assert {one["type"]: one["status"] for one in found} == {
        "PodScheduled": "True",
        "Ready": "False",
    }
    slices = await client.list(ENDPOINT_SLICE)
    assert ready_addresses(tuple(slices), "") == ()
    assert await forget_readiness(client) == 0
