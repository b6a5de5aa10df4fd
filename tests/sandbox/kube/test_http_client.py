"""The two clients keep one contract, and the kubelet serves as a node over HTTP."""

import asyncio
import json
import os
import subprocess
import sys
from contextlib import asynccontextmanager

import pytest

from crossfade.base.errors import InputError
from crossfade.sandbox.certificates import new_authority, write_server
from crossfade.sandbox.kube.api import open_api
from crossfade.sandbox.kube.client import ApiError, Change
from crossfade.sandbox.kube.controllers import run_controllers
from crossfade.sandbox.kube.direct_client import DirectClient
from crossfade.sandbox.kube.http_client import from_kubeconfig
from crossfade.sandbox.kube.kinds import CONFIG_MAP, DEPLOYMENT, NODE, POD
from crossfade.sandbox.kube.server.app import ApiServer
from crossfade.sandbox.kube.server.run import Listen, Listening

NOW = 1_800_000_000.0


def write_kubeconfig(path, server, **user):
    config = {
        "current-context": "cloud",
        "contexts": [{"name": "cloud", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": server, "certificate-authority": "ca"}}],
        "users": [{"name": "u", "user": user}],
    }
    path.write_text(json.dumps(config))
    return path


@asynccontextmanager
async def served(folder, api, port=0):
    """Serve the API over HTTPS and give the path of a kubeconfig for it."""
    authority = new_authority(NOW - 1e8)
    write_server(authority, "cloud", folder, NOW - 1e8)
    (folder / "ca").write_text(authority.pem)
    listen = Listen(port, folder / "server.crt", folder / "server.key")
    listening = Listening(ApiServer(api, "secret", None), listen)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(listening.run())
        await listening.started.wait()
        server = f"https://127.0.0.1:{listening.port}"
        yield write_kubeconfig(folder / "kubeconfig", server, token="secret")
        task.cancel()


@asynccontextmanager
async def client_of(kind, folder):
    api = open_api()
    if kind == "direct":
        yield DirectClient(api)
        return
    async with served(folder, api) as kubeconfig:
        client = from_kubeconfig(kubeconfig)
        yield client
        await client.close()


@pytest.fixture(params=["direct", "http"])
def client(request, tmp_path):
    return lambda: client_of(request.param, tmp_path)


def config_map(name="a", **data):
    return {"metadata": {"name": name, "namespace": "default"}, "data": data}


async def test_what_is_written_is_what_is_read(client):
    async with client() as kube:
        made = await kube.create(CONFIG_MAP, config_map(x="1"))
        assert (await kube.get(CONFIG_MAP, "default", "a"))["data"] == {"x": "1"}
        made = await kube.update(CONFIG_MAP, {**made, "data": {"x": "2"}})
        patched = await kube.patch(CONFIG_MAP, "default", "a", {"data": {"y": "3"}})
        assert patched["data"] == {"x": "2", "y": "3"}
        assert [one["metadata"]["name"] for one in await kube.list(CONFIG_MAP, "default")] == ["a"]
        await kube.delete(CONFIG_MAP, "default", "a")
        assert await kube.list(CONFIG_MAP, "default") == []


async def test_errors_carry_code_and_reason(client):
    async with client() as kube:
        with pytest.raises(ApiError) as missing:
            await kube.get(CONFIG_MAP, "default", "none")
        assert (missing.value.code, missing.value.reason) == (404, "NotFound")
        old = await kube.create(CONFIG_MAP, config_map())
        with pytest.raises(ApiError) as twice:
            await kube.create(CONFIG_MAP, config_map())
        assert (twice.value.code, twice.value.reason) == (409, "AlreadyExists")
        await kube.patch(CONFIG_MAP, "default", "a", {"data": {"x": "1"}})
        with pytest.raises(ApiError) as stale:
            await kube.update(CONFIG_MAP, {**old, "data": {"x": "2"}})
        assert (stale.value.code, stale.value.reason) == (409, "Conflict")


async def test_selectors_choose(client):
    async with client() as kube:
        for name in ("a", "b"):
            body = config_map(name)
            body["metadata"]["labels"] = {"side": name}
            await kube.create(CONFIG_MAP, body)
        found = await kube.list(CONFIG_MAP, None, "side=b")
        assert [one["metadata"]["name"] for one in found] == ["b"]
        found = await kube.list(CONFIG_MAP, "default", "", "metadata.name=a")
        assert [one["metadata"]["name"] for one in found] == ["a"]


async def next_of(watch):
    async with asyncio.timeout(10):
        return await anext(watch)


async def test_a_watch_lists_syncs_and_follows(client):
    async with client() as kube:
        await kube.create(CONFIG_MAP, config_map())
        watch = kube.watch(CONFIG_MAP, "metadata.name=a")
        seen = [(await next_of(watch)).change, (await next_of(watch)).change]
        assert seen == [Change.ADDED, Change.SYNC]
        await kube.create(CONFIG_MAP, config_map("other"))
        await kube.patch(CONFIG_MAP, "default", "a", {"data": {"x": "1"}})
        event = await next_of(watch)
        assert (event.change, event.object["data"]) == (Change.MODIFIED, {"x": "1"})
        await kube.delete(CONFIG_MAP, "default", "a")
        assert (await next_of(watch)).change is Change.DELETED
        await watch.aclose()


async def test_a_pod_with_grace_gets_a_deletion_time_first(client, make):
    async with client() as kube:
        await kube.create(POD, make.pod("web", ["true"], nodeName="n0"))
        await kube.delete(POD, "default", "web", 7)
        pod = await kube.get(POD, "default", "web")
        assert pod["metadata"]["deletionGracePeriodSeconds"] == 7
        await kube.delete(POD, "default", "web", 0)
        with pytest.raises(ApiError):
            await kube.get(POD, "default", "web")


async def test_a_watch_survives_a_restart_of_the_server(tmp_path):
    api = open_api()
    async with served(tmp_path, api) as kubeconfig:
        kube = from_kubeconfig(kubeconfig)
        port = kube._client.base_url.port
        watch = kube.watch(CONFIG_MAP, "metadata.namespace=default")
        assert (await next_of(watch)).change is Change.SYNC
    with pytest.raises(ApiError) as away:
        await kube.get(CONFIG_MAP, "default", "a")
    assert away.value.code == 503
    await DirectClient(api).create(CONFIG_MAP, config_map())
    authority = (tmp_path / "ca").read_text()
    async with served(tmp_path, api, port):
        kube._client = from_kubeconfig(tmp_path / "kubeconfig")._client
        assert authority != (tmp_path / "ca").read_text()
        event = await next_of(watch)
        assert (event.change, event.object["metadata"]["name"]) == (Change.ADDED, "a")
        await watch.aclose()
        await kube.close()


async def test_our_kubelet_serves_as_the_node_of_an_api_over_https(tmp_path, make, until):
    api = open_api()
    direct = DirectClient(api)
    async with served(tmp_path, api) as kubeconfig, asyncio.TaskGroup() as group:
        controllers = group.create_task(run_controllers(direct))
        command = [sys.executable, "-m", "crossfade.sandbox.kube.kubelet"]
        command += ["--kubeconfig", str(kubeconfig), "--node", "n0", "--root", str(tmp_path / "n")]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        node = subprocess.Popen(command, env=environment)
        try:
            await direct.create(DEPLOYMENT, make.deployment("web", 2))

            async def available():
                found = await direct.get(DEPLOYMENT, "default", "web")
                return found.get("status", {}).get("availableReplicas") == 2

            await until(available)
            kubelet = await direct.get(NODE, None, "n0")
            assert kubelet["status"]["daemonEndpoints"]["kubeletEndpoint"]["Port"] > 0
            for pod in await direct.list(POD):
                await direct.delete(POD, "default", pod["metadata"]["name"])
            await until(available)
        finally:
            node.terminate()
            await asyncio.to_thread(node.wait, 10)
        controllers.cancel()


@pytest.mark.parametrize(
    ("text", "context", "said"),
    [
        pytest.param("{", "", "cannot be used as a kubeconfig", id="no-yaml"),
        pytest.param("{}", "", "cannot be used as a kubeconfig", id="nothing-in-it"),
        pytest.param(None, "prod", "'prod'", id="no-such-context"),
    ],
)
def test_a_kubeconfig_that_cannot_be_used_is_refused_with_a_hint(tmp_path, text, context, said):
    path = tmp_path / "kubeconfig"
    if text is None:
        write_kubeconfig(path, "http://127.0.0.1:1", token="t")
    else:
        path.write_text(text)
    with pytest.raises(InputError) as refused:
        from_kubeconfig(path, context)
    assert said in str(refused.value)
    assert refused.value.hint


def test_a_login_by_a_command_is_refused(tmp_path):
    path = write_kubeconfig(tmp_path / "kubeconfig", "http://127.0.0.1:1", exec={"command": "aws"})
    with pytest.raises(InputError):
        from_kubeconfig(path)
