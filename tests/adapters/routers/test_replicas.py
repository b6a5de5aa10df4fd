"""Shares by numbers of pods: one Service, whose pods are counted before and after."""

from dataclasses import replace

import pytest

from crossfade.adapters.routers.replicas import ReplicasRouter
from crossfade.base.errors import Conflict, InputError, NotFound, Unavailable
from crossfade.core.traffic.split import Mirror, Sticky
from crossfade.ports.router import RouteBackend, WantedRoute
from crossfade.sandbox.kube.kinds import DEPLOYMENT, SERVICE


@pytest.fixture
def router(api):
    return ReplicasRouter(api)


@pytest.fixture
def run(sandbox_cloud):
    """Run pods of a revision, with the Service that its chart makes."""

    async def started(revision, pods):
        labels = {"app": "colors", "release": revision, "crossfade.dev/application": "colors",
                  "crossfade.dev/revision": revision}  # fmt: skip
        name = f"colors-{revision}"
        command = ["sleep", "600"]
        template = {"metadata": {"labels": labels}, "spec": {
            "terminationGracePeriodSeconds": 0,
            "containers": [{"name": "c", "image": "host", "command": command}]}}  # fmt: skip
        meta = {"name": name, "namespace": "default", "labels": labels}
        spec = {"replicas": pods, "selector": {"matchLabels": labels}, "template": template}
        await sandbox_cloud.client.create(DEPLOYMENT, {"metadata": meta, "spec": spec})
        selector = {key: labels[key] for key in ("app", "release", "crossfade.dev/revision")}
        ports = [{"name": "http", "port": 80, "targetPort": 8080}]
        service = {"metadata": {"name": name, "namespace": "default"},
                   "spec": {"selector": selector, "ports": ports}}  # fmt: skip
        await sandbox_cloud.client.create(SERVICE, service)

    return started


def wanted(epoch=1, **percents):
    backends = tuple(RouteBackend(n, f"colors-{n}", each) for n, each in percents.items())
    return WantedRoute("colors", "default", "colors.test", "default/colors", 80, epoch, backends)


@pytest.fixture
def in_force(router, until):
    async def split(epoch):
        async def is_so():
            status = await router.read("colors", "default")
            return status.in_force and status.epoch == epoch

        await until(is_so)
        return dict((await router.read("colors", "default")).percents)

    return split


async def refusal(router, route):
    """Return why the route is refused, "" when it is taken."""
    try:
        await router.write(route)
    except (InputError, Unavailable) as error:
        return error.what
    return ""


async def test_a_release_goes_by_numbers_of_pods(router, run, in_force, sandbox_cloud, until):
    await run("r1", 3)
    await router.write(wanted(1, r1=100))
    assert await in_force(1) == {"r1": 100}
    await run("r2", 1)
    assert dict((await router.read("colors", "default")).percents) == {"r1": 100}, "no share yet"

    async def split():
        return not await refusal(router, wanted(2, r1=75, r2=25))

    await until(split)
    assert await in_force(2) == {"r1": 75, "r2": 25}
    await router.write(wanted(3, r2=100))
    assert await in_force(3) == {"r2": 100}
    service = await sandbox_cloud.client.get(SERVICE, "default", "colors")
    assert service["spec"]["ports"][0]["targetPort"] == 8080


async def test_a_new_revision_never_gets_more_users_than_it_was_given(router, run, until):
    await run("r1", 1)
    await run("r2", 1)

    async def refused():
        return "would give r2 50 %" in await refusal(router, wanted(1, r1=90, r2=10))

    await until(refused)


async def test_pods_of_a_revision_without_a_share_are_in_the_way(router, run, until):
    await run("r1", 1)
    await run("r2", 1)
    await run("r0", 1)

    async def refused():
        return "pods of r0 still run" in await refusal(router, wanted(1, r1=50, r2=50))

    await until(refused)


@pytest.mark.parametrize("change", [{"sticky": Sticky("v", 60)}, {"mirror": Mirror("r1")}])
async def test_what_numbers_of_pods_cannot_do_is_refused(router, change):
    with pytest.raises(InputError):
        await router.write(replace(wanted(r1=100), **change))


async def test_a_service_of_somebody_else_and_a_newer_route_stay(router, run, sandbox_cloud):
    await run("r1", 1)
    spec = {"ports": [{"port": 80}], "selector": {"a": "b"}}
    body = {"metadata": {"name": "colors", "namespace": "default"}, "spec": spec}
    await sandbox_cloud.client.create(SERVICE, body)
    with pytest.raises(Conflict, match="not made by Crossfade"):
        await router.write(wanted(r1=100))
    await router.remove("colors", "default")
    assert (await router.read("colors", "default")).epoch == 0
    await sandbox_cloud.client.delete(SERVICE, "default", "colors")
    await router.write(wanted(5, r1=100))
    with pytest.raises(Conflict, match="newer route"):
        await router.write(wanted(4, r1=100))


async def test_a_revision_that_is_not_there_yet_and_an_address_that_nobody_has(router):
    with pytest.raises(Unavailable, match="not there yet"):
        await router.write(wanted(r1=100))
    with pytest.raises(NotFound):
        await router.endpoint("default/colors")
