"""Requests to a cluster: deadlines, renewed credentials, large lists, odd servers."""

import asyncio
import time

import pytest

from crossfade.adapters.kubernetes.client import KubeApi
from crossfade.base.errors import Conflict, Denied, InputError, NotFound, Unavailable

MAPS = "/api/v1/namespaces/default/configmaps"


def config_map(name, **data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


@pytest.fixture
async def api(sandbox_cloud):
    opened = KubeApi(sandbox_cloud.cluster, seconds=2.0)
    yield opened
    await opened.close()


@pytest.fixture
async def odd_server():
    """A server that answers every request with the same bytes."""
    servers = []

    async def start(answer):
        async def serve(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        servers.append(server)
        return server.sockets[0].getsockname()[1]

    yield start
    for server in servers:
        server.close()


async def test_objects_are_made_read_applied_and_deleted(api):
    await api.create(MAPS, config_map("a", x="1"))
    await api.apply(f"{MAPS}/a", config_map("a", x="2"))
    assert (await api.get(f"{MAPS}/a"))["data"] == {"x": "2"}
    await api.delete(f"{MAPS}/a")
    await api.delete(f"{MAPS}/a")
    assert await api.find(f"{MAPS}/a") is None


async def test_refusals_are_told_apart(api):
    await api.create(MAPS, config_map("a"))
    with pytest.raises(Conflict):
        await api.create(MAPS, config_map("a"))
    with pytest.raises(NotFound):
        await api.get(f"{MAPS}/b")
    with pytest.raises(InputError):
        await api.create(MAPS, config_map("Not A Name"))


async def test_an_object_with_a_field_that_the_cluster_does_not_know_is_not_made_without_it(api):
    with pytest.raises(InputError, match="colour"):
        await api.create(MAPS, {**config_map("new"), "colour": "red"})
    assert await api.find(f"{MAPS}/new") is None


async def test_a_list_longer_than_a_page_is_whole(api, monkeypatch):
    monkeypatch.setattr("crossfade.adapters.kubernetes.client._PAGE", 3)
    for number in range(8):
        await api.create(MAPS, config_map(f"a{number}"))
    found, version = await api.list(MAPS)
    names = {each["metadata"]["name"] for each in found}
    assert {f"a{number}" for number in range(8)} <= names
    assert int(version) > 0


async def test_a_frozen_cluster_costs_no_more_than_the_deadline(api, sandbox_cloud):
    await api.get("/version")
    sandbox_cloud.gate.set(0, api_partition=True)
    start = time.monotonic()
    with pytest.raises(Unavailable) as raised:
        await api.get(MAPS)
    assert time.monotonic() - start < 5
    assert "no answer in 2 s" in raised.value.what


async def test_renewed_credentials_are_taken_up_without_a_restart(api, sandbox_cloud):
    sandbox_cloud.write_kubeconfig(token="expired")
    with pytest.raises(Denied):
        await api.get(MAPS)
    sandbox_cloud.write_kubeconfig()
    await api.get(MAPS)


async def test_a_cluster_that_was_away_is_asked_again(api, sandbox_cloud):
    sandbox_cloud.write_kubeconfig(port=1)
    with pytest.raises(Unavailable):
        await api.get(MAPS)
    sandbox_cloud.write_kubeconfig()
    await api.get(MAPS)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{}",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nlocation: /login\r\ncontent-length: 0\r\n\r\n",
    ],
)
async def test_something_else_at_the_address_is_no_crash(odd_server, tmp_path, answer):
    from crossfade.core.fleet.cluster import Cluster

    file = tmp_path / "kubeconfig"
    file.write_text(
        "clusters: [{name: c, cluster: {server: "
        f'"http://127.0.0.1:{await odd_server(answer)}"}}}}]\n'
        "users: [{name: u, user: {token: x}}]\n"
        "contexts: [{name: test, context: {cluster: c, user: u}}]\n"
    )
    api = KubeApi(Cluster("aws", "test", str(file)), seconds=2)
    with pytest.raises(Unavailable):
        await api.get("/version")
    await api.close()
