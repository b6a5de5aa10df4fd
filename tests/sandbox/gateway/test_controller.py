"""The gateway with a real Envoy: what users and writers of HTTPRoutes see."""

import asyncio
import http.client
import os
import signal
import socket
import time
from collections import Counter

import pytest

from crossfade.base.clock import SteadyClock
from crossfade.sandbox.gateway.controller import Gateway
from crossfade.sandbox.gateway.envoy import Place
from crossfade.sandbox.kube.kinds import GATEWAY, SERVICE


def backends(**weights: int) -> dict:
    refs = [{"name": name, "port": 80, "weight": weight} for name, weight in weights.items()]
    return {"rules": [{"backendRefs": refs}]}


async def test_users_reach_the_service_that_the_route_names(cloud):
    await cloud.service("blue", await cloud.upstream("blue"))
    await cloud.route(backends(blue=1))
    await cloud.programmed()
    status, body, headers = await cloud.get("/x")
    assert (status, body.split()[0]) == (200, "blue")
    assert not {name for name in headers if name.lower().startswith("x-")}, "answers stay untouched"


async def test_a_weight_change_is_in_force_when_the_status_says_so_and_fast(cloud):
    await cloud.service("blue", await cloud.upstream("blue"))
    await cloud.service("red", await cloud.upstream("red"))
    await cloud.route(backends(blue=100, red=0))
    await cloud.programmed()
    times = []
    for blue, red, wanted in [(0, 100, "red"), (100, 0, "blue")] * 3:
        start = time.monotonic()
        await cloud.change(backends(blue=blue, red=red))
        await cloud.programmed()
        times.append(time.monotonic() - start)
        answers = {(await cloud.get())[1].split()[0] for _ in range(5)}
        assert answers == {wanted}
    assert sorted(times)[2] < 0.1, times


async def test_weights_split_users_in_proportion(cloud):
    await cloud.service("blue", await cloud.upstream("blue"))
    await cloud.service("red", await cloud.upstream("red"))
    await cloud.route(backends(blue=75, red=25))
    await cloud.programmed()
    answers = Counter([(await cloud.get())[1].split()[0] for _ in range(200)])
    assert 25 <= answers["red"] <= 80, answers


async def test_unknown_hosts_get_404_and_services_without_pods_503(cloud):
    await cloud.service("empty")
    await cloud.route(backends(empty=1))
    await cloud.programmed()
    assert (await cloud.get(host="nobody.test"))[0] == 404
    assert (await cloud.get(host="colors.test:8080"))[0] == 503


async def test_a_missing_service_is_named_in_the_status_and_gets_its_share_500(cloud):
    await cloud.route(backends(ghost=1))
    await cloud.programmed()
    assert (await cloud.conditions())["ResolvedRefs"] == ("False", "BackendNotFound")
    assert (await cloud.get())[0] == 500
    await cloud.service("ghost", await cloud.upstream("ghost"))

    async def resolved() -> bool:
        return (await cloud.conditions())["ResolvedRefs"][0] == "True"

    await asyncio.wait_for(_until(resolved), 5)
    assert (await cloud.get())[0] == 200


async def test_requests_in_flight_to_a_leaving_pod_are_finished(cloud, until):
    slow, other = await cloud.upstream("old", delay=0.5), await cloud.upstream("new")
    await cloud.service("blue", slow)
    await cloud.route(backends(blue=1))
    await cloud.programmed()
    async with asyncio.TaskGroup() as group:
        waiting = [group.create_task(cloud.get()) for _ in range(5)]
        await asyncio.sleep(0.2)
        start = time.monotonic()
        await cloud.endpoints("blue", other)

        async def moved() -> bool:
            return (await cloud.get())[1].startswith("new")

        await until(moved)
        assert time.monotonic() - start < 0.6
    assert [task.result()[0] for task in waiting] == [200] * 5


async def test_a_configuration_that_envoy_refuses_never_replaces_the_good_one(cloud, until):
    await cloud.service("blue", await cloud.upstream("blue"))
    await cloud.route(backends(blue=1))
    await cloud.route(backends(blue=1), name="other")
    await cloud.programmed()
    bad = {"matches": [{"path": {"type": "RegularExpression", "value": "(?<no"}}]}
    await cloud.change({"rules": [{**bad, **backends(blue=1)["rules"][0]}]})

    async def refused() -> bool:
        return (await cloud.conditions()).get("Programmed", ("", ""))[0] == "False"

    await until(refused)
    assert (await cloud.conditions())["Accepted"] == ("False", "UnsupportedValue")
    assert (await cloud.get())[0] == 200, "the last good version goes on"
    await cloud.change({"hostnames": ["moved.test"]}, name="other")
    await cloud.programmed("other")
    assert (await cloud.get(host="moved.test"))[0] == 200, "others are not held up"
    await cloud.change(backends(blue=1))
    await cloud.programmed()


async def test_the_gateway_comes_back_by_itself_with_its_routes(cloud, until):
    await cloud.service("blue", await cloud.upstream("blue"))
    await cloud.route(backends(blue=1))
    await cloud.programmed()
    os.kill(_envoy_pid(cloud), signal.SIGKILL)

    async def back() -> bool:
        try:
            return (await cloud.get())[0] == 200
        except OSError:
            return False

    await until(back)


async def test_a_delay_slows_every_request_until_it_is_ended(cloud):
    await cloud.service("blue", await cloud.upstream("blue"))
    await cloud.route(backends(blue=1))
    await cloud.programmed()
    await cloud.gateway.set_delay(200)
    start = time.monotonic()
    assert (await cloud.get())[0] == 200
    assert time.monotonic() - start >= 0.19
    await cloud.gateway.set_delay(0)
    start = time.monotonic()
    assert (await cloud.get())[0] == 200
    assert time.monotonic() - start < 0.19


async def test_counters_carry_namespace_service_and_port(cloud):
    await cloud.service("blue", await cloud.upstream("blue"))
    await cloud.route(backends(blue=1))
    await cloud.programmed()
    await cloud.get()
    page = await cloud.gateway._envoy.admin.get("/stats/prometheus?usedonly")
    assert 'envoy_cluster_name="shop/blue_80"' in page, page


async def test_the_gateway_says_its_address_and_how_many_routes_it_serves(cloud, until):
    await cloud.service("blue", await cloud.upstream("blue"))
    await cloud.route(backends(blue=1))

    async def counted() -> bool:
        status = (await cloud.client.get(GATEWAY, "infra", "public")).get("status", {})
        return [one["attachedRoutes"] for one in status.get("listeners", [])] == [1]

    await until(counted)
    status = (await cloud.client.get(GATEWAY, "infra", "public"))["status"]
    assert status["addresses"] == [{"type": "IPAddress", "value": "127.0.0.1"}]


async def test_counters_of_a_service_go_on_while_no_route_names_it(cloud, until):
    await cloud.service("blue", await cloud.upstream("blue"))
    await cloud.service("red", await cloud.upstream("red"))
    await cloud.route(backends(blue=1))
    await cloud.programmed()
    await cloud.get()
    await cloud.change(backends(red=1))
    await cloud.programmed()
    page = await cloud.gateway._envoy.admin.get("/stats?filter=upstream_rq_total&usedonly")
    assert "shop/blue" in page
    await cloud.client.delete(SERVICE, "shop", "blue")

    async def gone() -> bool:
        page = await cloud.gateway._envoy.admin.get("/stats?filter=upstream_rq_total&usedonly")
        return "shop/blue" not in page

    await until(gone)


async def test_a_starting_gateway_never_answers_404_for_a_route_that_exists(tmp_path, cloud):
    """As after the loss of a cloud: the routes are there before the gateway is."""
    await cloud.service("blue", await cloud.upstream("blue"))
    await cloud.route(backends(blue=1))
    await cloud.programmed()
    place = Place("again", tmp_path / "again", _free_port(), _free_port())
    listener = {**LISTENER, "port": place.port}
    await cloud.client.patch(GATEWAY, "infra", "public", {"spec": {"listeners": [listener]}})
    again = Gateway(cloud.client, place, SteadyClock(), {})
    statuses = Counter()
    async with asyncio.TaskGroup() as group:
        running = group.create_task(again.run())
        while statuses[200] < 20:
            try:
                statuses[(await asyncio.to_thread(_status, place.port))] += 1
            except OSError:
                statuses["refused"] += 1
                await asyncio.sleep(0.001)
        running.cancel()
    assert set(statuses) == {200, "refused"}


async def test_a_taken_port_ends_the_gateway_with_its_number(tmp_path, cloud):
    place = Place("second", tmp_path / "second", cloud.port, _free_port())
    with pytest.raises(ExceptionGroup) as ended:
        await asyncio.wait_for(Gateway(cloud.client, place, SteadyClock(), {}).run(), 10)
    assert str(cloud.port) in str(ended.value.exceptions[0])


LISTENER = {
    "name": "http",
    "protocol": "HTTP",
    "allowedRoutes": {"namespaces": {"from": "All"}},
}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _status(port: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/", headers={"host": "colors.test"})
        return connection.getresponse().status
    finally:
        connection.close()


def _envoy_pid(cloud) -> int:
    wanted = str(cloud.folder / "bootstrap.json")
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/cmdline") as file:
                    if wanted in file.read():
                        return int(entry)
            except OSError:
                continue
    raise AssertionError("no envoy")


async def _until(condition) -> None:
    while not await condition():
        await asyncio.sleep(0.01)
