"""Claims: charts that wait for their volumes do not wait for ever."""

from crossfade.sandbox.kube.controllers.claims import CLAIM


async def test_a_claim_is_bound_with_the_size_that_it_asks_for(cloud):
    body = {
        "metadata": {"name": "data", "namespace": "default"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    async with cloud(node="none") as here:
        await here.client.create(CLAIM, body)
        found = await here.object_when(
            CLAIM, "data", lambda claim: (claim.get("status") or {}).get("phase") == "Bound"
        )
        assert found["status"]["capacity"] == {"storage": "1Gi"}
