"""EndpointSlices: traffic goes to ready Pods only, at the ports they really have."""

import pytest

from crossfade.sandbox.kube.controllers.endpoints import ENDPOINTS, host_port, target_ports
from crossfade.sandbox.kube.kinds import DEPLOYMENT, ENDPOINT_SLICE, POD, SERVICE


def service(name="web", **port):
    ports = [{"name": "http", "port": 80, "targetPort": "http", **port}]
    return {
        "metadata": {"name": name, "namespace": "default", "uid": "s"},
        "spec": {"selector": {"app": "web"}, "ports": ports},
    }


def pod_with(annotation=None):
    ports = [{"name": "http", "containerPort": 8080}]
    notes = {"sandbox.crossfade.dev/ports": annotation} if annotation else {}
    return {
        "metadata": {"name": "p", "namespace": "default", "annotations": notes},
        "spec": {"containers": [{"name": "main", "ports": ports}]},
    }


@pytest.mark.parametrize(
    ("annotation", "target", "port"),
    [
        pytest.param('{"8080": 23456}', "http", 23456, id="by-name"),
        pytest.param('{"8080": 23456}', 8080, 23456, id="by-number"),
        pytest.param('{"8080": 23456}', 9999, 9999, id="undeclared-ports-are-the-process's-own"),
        pytest.param(None, "http", 8080, id="not-mapped-yet"),
        pytest.param('{"8080": 23456}', "grpc", None, id="no-such-name"),
        pytest.param("no json", 8080, 8080, id="broken-annotation"),
    ],
)
def test_the_port_behind_a_target_port(annotation, target, port):
    assert host_port(pod_with(annotation), target) == port


def test_a_service_port_without_a_matching_name_is_left_out():
    assert target_ports(service(targetPort="grpc"), pod_with()) == []


async def slices(here):
    return await here.client.list(ENDPOINT_SLICE, "default", "kubernetes.io/service-name=web")


async def conditions(here):
    return [one["endpoints"][0]["conditions"] for one in await slices(here)]


async def test_only_ready_pods_are_ready_endpoints(cloud, make, until):
    async with cloud(node="pretended") as here:
        await here.client.create(SERVICE, service(targetPort=80))
        await here.client.create(DEPLOYMENT, make.deployment("web", 2))
        sick = {"labels": {"app": "web"}, "annotations": {"never-ready": ""}}
        await here.client.create(POD, make.pod("sick", ["sleep", "1"], metadata=sick))

        async def three():
            return len(await slices(here)) == 3

        await until(three)

        async def two_are_ready():
            return sorted(one["ready"] for one in await conditions(here)) == [False, True, True]

        await until(two_are_ready)
        found = await here.get(ENDPOINTS, "web")
        ready = [subset for subset in found["subsets"] if "addresses" in subset]
        assert len(ready) == 2


async def test_a_leaving_pod_is_out_before_it_has_ended(cloud, make, until):
    async with cloud(node="pretended") as here:
        await here.client.create(SERVICE, service(targetPort=80))
        held = {"labels": {"app": "web"}, "annotations": {"hold": ""}}
        await here.client.create(POD, make.pod("p", ["sleep", "1"], metadata=held))

        async def serving():
            return [one for one in await conditions(here) if one["ready"]]

        await until(serving)
        await here.client.delete(POD, "default", "p")

        async def leaving():
            wanted = {"ready": False, "serving": True, "terminating": True}
            return await conditions(here) == [wanted]

        await until(leaving)


async def test_a_deleted_service_leaves_no_endpoints(cloud, make, until):
    async with cloud(node="pretended") as here:
        await here.client.create(SERVICE, service(targetPort=80))
        await here.client.create(DEPLOYMENT, make.deployment("web", 1))

        async def some():
            return await slices(here)

        await until(some)
        await here.client.delete(SERVICE, "default", "web")

        async def none():
            return not await slices(here) and await here.get(ENDPOINTS, "web") is None

        await until(none)


async def test_a_service_without_a_selector_is_left_to_its_owner(cloud, until):
    async with cloud(node="pretended") as here:
        body = service()
        del body["spec"]["selector"]
        await here.client.create(SERVICE, body)
        mine = {
            "metadata": {
                "name": "web-mine",
                "namespace": "default",
                "labels": {"kubernetes.io/service-name": "web"},
            },
            "addressType": "IPv4",
            "endpoints": [{"addresses": ["10.1.2.3"]}],
            "ports": [],
        }
        await here.client.create(ENDPOINT_SLICE, mine)
        other = service("other", targetPort=80)
        await here.client.create(SERVICE, other)

        async def other_is_done():
            return await here.get(ENDPOINTS, "other")

        await until(other_is_done)
        assert [one["metadata"]["name"] for one in await slices(here)] == ["web-mine"]


async def test_a_load_balancer_gets_an_address_to_wait_for(cloud):
    async with cloud(node="none") as here:
        body = service(targetPort=80)
        body["spec"]["type"] = "LoadBalancer"
        await here.client.create(SERVICE, body)
        await here.object_when(
            SERVICE, "web", lambda one: one["status"]["loadBalancer"].get("ingress")
        )
