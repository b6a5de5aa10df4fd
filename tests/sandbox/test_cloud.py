"""A cloud as a whole: pods behind its gateway, under load, through all that happens to it."""

import asyncio
import json
import os
import signal
import ssl
import time
import urllib.request

from crossfade.sandbox import control, processes
from crossfade.sandbox.load import Load, target_of

APP = """
import asyncio, os, signal
BODY = b'{"version": "%s", "cloud": "%s"}' % (os.environb[b"VERSION"], os.environb[b"CLOUD"])
ANSWER = b"HTTP/1.1 200 OK\\r\\ncontent-length: %d\\r\\n\\r\\n" % len(BODY) + BODY
async def serve(reader, writer):
    try:
        while head := await reader.readuntil(b"\\r\\n\\r\\n"):
            await asyncio.sleep(0.02)
            writer.write(ANSWER)
            if b"close" in head:
                break
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    writer.close()
async def main():
    end = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, end.set)
    await asyncio.start_server(serve, "127.0.0.1", int(os.environ["PORT"]))
    await end.wait()
    await asyncio.sleep(0.2)
asyncio.run(main())
"""


def deployment(version: str, replicas: int) -> dict:
    container = {
        "name": "app",
        "image": "host",
        "command": ["python3", "-c", APP],
        "env": [{"name": "VERSION", "value": version}, {"name": "CLOUD", "value": "aws"}],
        "ports": [{"containerPort": 8080}],
        "readinessProbe": {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [container]},
            },
        },
    }


SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web", "namespace": "default"},
    "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]},
}
ROUTE = {
    "apiVersion": "gateway.networking.k8s.io/v1",
    "kind": "HTTPRoute",
    "metadata": {"name": "web", "namespace": "default"},
    "spec": {
        "parentRefs": [{"namespace": "infra", "name": "public"}],
        "hostnames": ["web.test"],
        "rules": [{"backendRefs": [{"name": "web", "port": 80}]}],
    },
}
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"


class Api:
    """One cloud's API, over the wire."""

    def __init__(self, layout, cloud: str):
        self._base = f"https://127.0.0.1:{layout.ports(cloud).api}"
        self._token = (layout.folder(cloud) / "token").read_text()
        self._trust = ssl.create_default_context(cafile=str(layout.directory / "ca.crt"))

    def call(self, method: str, path: str, body: object = None):
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        request = urllib.request.Request(
            self._base + path,
            json.dumps(body).encode() if body else None,
            {"authorization": f"Bearer {self._token}", "content-type": kind},
            method=method,
        )
        with urllib.request.urlopen(request, context=self._trust, timeout=5) as answer:
            return json.loads(answer.read())

    def settled(self, version: str, replicas: int) -> bool:
        found = self.call("GET", f"{DEPLOYMENTS}/web")
        status, meta = found.get("status", {}), found["metadata"]
        env = found["spec"]["template"]["spec"]["containers"][0]["env"]
        return (
            env[0]["value"] == version
            and status.get("observedGeneration") == meta["generation"]
            and status.get("readyReplicas") == status.get("updatedReplicas") == replicas
            and status.get("replicas") == replicas
        )


def until(condition, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


async def until_async(condition, seconds: float = 20.0) -> None:
    await asyncio.to_thread(until, condition, seconds)


async def test_users_lose_nothing_through_scaling_and_a_new_version(sandbox):
    api = Api(sandbox, "aws")
    api.call("POST", DEPLOYMENTS, deployment("1", 2))
    api.call("POST", "/api/v1/namespaces/default/services", SERVICE)
    api.call("POST", "/apis/gateway.networking.k8s.io/v1/namespaces/default/httproutes", ROUTE)
    await until_async(lambda: api.settled("1", 2))
    url = f"http://127.0.0.1:{sandbox.ports('aws').gateway}/"
    load = Load(target_of(url, "web.test"), 100)
    async with asyncio.TaskGroup() as group:
        users = group.create_task(load.run())
        for version, replicas in (("1", 4), ("1", 1), ("2", 2)):
            await asyncio.to_thread(
                api.call, "PATCH", f"{DEPLOYMENTS}/web", deployment(version, replicas)
            )
            await until_async(lambda v=version, r=replicas: api.settled(v, r))
        since = load.now()
        await asyncio.sleep(0.5)
        load.stop()
    figures = users.result()
    assert figures.failed == 0, figures.failures
    assert set(figures.statuses) == {200}
    assert set(figures.shares(since + 0.3).versions) == {"2"}


def test_pods_die_with_their_cloud_and_serve_again_after_it_is_restored(sandbox, request_status):
    port = sandbox.ports("aws").gateway
    assert request_status(port, host="web.test") == 200
    pods = [one for one in processes.find(sandbox.directory, "aws") if one.role == "pod"]
    assert pods
    control.act(sandbox.directory, "kill", "aws")
    assert processes.find(sandbox.directory, "aws") == ()
    control.act(sandbox.directory, "restore", "aws")
    until(lambda: request_status(port, host="web.test") == 200)
    until(lambda: Api(sandbox, "aws").settled("2", 2))


def test_a_cloud_that_is_asked_to_end_does_so_in_time_with_all_of_its_pods(sandbox):
    main = next(one for one in processes.find(sandbox.directory, "aws") if one.role == "cloud")
    began = time.monotonic()
    os.kill(main.pid, signal.SIGTERM)
    until(lambda: processes.find(sandbox.directory, "aws") == ())
    assert time.monotonic() - began < 3
    control.act(sandbox.directory, "restore", "aws")


def test_every_cloud_has_a_gateway_that_says_where_it_is_and_what_it_counts(sandbox):
    path = "/apis/gateway.networking.k8s.io/v1/namespaces/infra/gateways/public"
    gateway = Api(sandbox, "gcp").call("GET", path)
    assert gateway["status"]["addresses"] == [{"type": "IPAddress", "value": "127.0.0.1"}]
    assert gateway["spec"]["listeners"][0]["port"] == sandbox.ports("gcp").gateway
    url = gateway["metadata"]["annotations"]["crossfade.dev/metrics-url"]
    with urllib.request.urlopen(url, timeout=5) as page:
        assert b"envoy_server_live" in page.read()


def test_the_log_of_a_cloud_has_no_traceback(sandbox):
    text = (sandbox.folder("aws") / "cloud.log").read_text()
    assert "Traceback" not in text, text
