"""A sandbox cloud in the process of the test: API, controllers, and a Node, real or pretended."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from crossfade.sandbox.kube.api import Api, Options, open_api
from crossfade.sandbox.kube.client import ApiError
from crossfade.sandbox.kube.controllers import run_controllers
from crossfade.sandbox.kube.direct_client import DirectClient
from crossfade.sandbox.kube.kinds import EVENT, NODE, POD
from crossfade.sandbox.kube.kubelet import Capacity, Kubelet, KubeletOptions
from crossfade.sandbox.kube.patch import merge_patch


async def until(condition, seconds=15.0):
    """Return the first true answer of `condition` (plain or awaitable); fail after a deadline."""
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if isinstance(answer, Awaitable):
            answer = await answer
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {condition.__name__}")
        await asyncio.sleep(0.01)


@dataclass
class Here:
    """What a test works with."""

    api: Api
    client: DirectClient
    kubelet: Kubelet | None
    root: Path

    async def get(self, kind, name, namespace="default"):
        """Return the object, or None."""
        try:
            return await self.client.get(kind, namespace, name)
        except ApiError as error:
            if error.code == 404:
                return None
            raise

    async def apply(self, kind, name, merge):
        """Change an object as a user does, who is not trusted to fill in the defaults."""
        change = lambda found: merge_patch(found, merge)  # noqa: E731
        return self.api.change(kind, ("default", name), change, "", Options(validation="Strict"))

    async def pods(self):
        """Return all Pods."""
        return await self.client.list(POD)

    async def pod_when(self, name, condition, seconds=15.0):
        """Wait until the Pod is as wanted and return it."""

        async def as_wanted():
            pod = await self.get(POD, name)
            return pod if pod is not None and condition(pod) else None

        return await until(as_wanted, seconds)

    async def object_when(self, kind, name, condition, seconds=15.0):
        """Wait until the object is as wanted and return it."""

        async def as_wanted():
            found = await self.get(kind, name)
            return found if found is not None and condition(found) else None

        return await until(as_wanted, seconds)

    async def gone(self, kind, name, seconds=15.0):
        """Wait until there is no such object."""

        async def is_gone():
            return await self.get(kind, name) is None

        await until(is_gone, seconds)

    async def events(self, reason):
        """Return the messages of all events with this reason."""
        found = await self.client.list(EVENT)
        return [event["message"] for event in found if event["reason"] == reason]


@asynccontextmanager
async def _cloud(root, *, controllers=True, node="kubelet", options=None, capacity=None):
    api = open_api()
    client = DirectClient(api)
    kubelet = None
    async with asyncio.TaskGroup() as group:
        tasks = []
        if controllers:
            tasks.append(group.create_task(run_controllers(client)))
        if node == "kubelet":
            options = options or KubeletOptions(first_back_off_seconds=0.2)
            kubelet = Kubelet(client, "n0", capacity or Capacity(), root, options)
            tasks.append(group.create_task(kubelet.run()))
            await kubelet.ready.wait()
        elif node == "pretended":
            await client.create(NODE, pretended_node("n0"))
            tasks.append(group.create_task(pretend(client)))
        yield Here(api, client, kubelet, root)
        for task in tasks:
            task.cancel()


@pytest.fixture
def cloud(tmp_path) -> Callable[..., AsyncIterator[Here]]:
    """Return a context manager of a cloud; everything in it has ended after the `with`."""
    return lambda **settings: _cloud(tmp_path / "kubelet", **settings)


@pytest.fixture(name="until")
def until_fixture():
    """Return the function that waits for a condition."""
    return until


def pretended_node(name, cpu="8", memory="16Gi", pods="110"):
    """Return a Node that is ready for ever."""
    room = {"cpu": cpu, "memory": memory, "pods": pods}
    return {
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
        "spec": {},
        "status": {
            "capacity": room,
            "allocatable": room,
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }


async def pretend(client):
    """Be a kubelet without processes: Pods are ready at once, unless annotated `never-ready`."""
    async for event in client.watch(POD):
        pod = event.object
        if not pod or event.change == "DELETED" or not pod["spec"].get("nodeName"):
            continue
        meta = pod["metadata"]
        if "deletionTimestamp" in meta:
            if "hold" not in (meta.get("annotations") or {}):
                await _quietly(client.delete(POD, meta["namespace"], meta["name"], 0))
            continue
        if pod["status"].get("podIP") or pod["status"].get("phase") in ("Succeeded", "Failed"):
            continue
        ready = str("never-ready" not in (meta.get("annotations") or {}))
        status = {
            "phase": "Running",
            "podIP": "127.0.0.1",
            "conditions": [
                {"type": "Ready", "status": ready, "lastTransitionTime": "2020-01-01T00:00:00Z"}
            ],
        }
        merge = {"status": status}
        await _quietly(client.patch(POD, meta["namespace"], meta["name"], merge, "status"))


async def _quietly(call):
    try:
        await call
    except ApiError as error:
        if error.code not in (404, 409):
            raise


def pod(name, command, **spec):
    """Return a Pod with one container `main`; `container` holds more fields of it."""
    container = {"name": "main", "image": "host", "command": command, **spec.pop("container", {})}
    meta = {"name": name, "namespace": "default", **spec.pop("metadata", {})}
    return {
        "metadata": meta,
        "spec": {"terminationGracePeriodSeconds": 5, "containers": [container], **spec},
    }


def deployment(name, replicas=3, *, annotations=None, strategy=None, **spec):
    """Return a Deployment whose Pods only sleep."""
    template = {
        "metadata": {"labels": {"app": name}, "annotations": annotations or {}},
        "spec": {"containers": [{"name": "main", "image": "host", "command": ["sleep", "1000"]}]},
    }
    body = {
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": template,
            **spec,
        },
    }
    if strategy:
        body["spec"]["strategy"] = strategy
    return body


SERVER = """
import http.server, json, os, signal, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        code = 503 if os.path.exists("/tmp/broken") else 200
        body = json.dumps({"path": self.path, "pid": os.getpid()}).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *parts):
        pass
signal.signal(signal.SIGTERM, lambda *_: (print("asked to end", flush=True), sys.exit(0)))
server = http.server.ThreadingHTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Handler)
print("serving", flush=True)
server.serve_forever()
"""


@pytest.fixture(name="make")
def make_fixture():
    """Return the builders of objects."""

    class Make:
        pass

    made = Make()
    made.pod, made.deployment, made.node = pod, deployment, pretended_node
    made.server = ["python3", "-S", "-c", SERVER]
    return made


def is_ready(found):
    """Return whether a Pod is ready."""
    conditions = found["status"].get("conditions") or ()
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


@pytest.fixture(name="ready")
def ready_fixture():
    """Return the question whether a Pod is ready."""
    return is_ready


@pytest.fixture(name="host_port")
def host_port_fixture():
    """Return the question which port of the host stands behind a container port."""

    def ask(found, container_port):
        text = found["metadata"]["annotations"]["sandbox.crossfade.dev/ports"]
        return json.loads(text)[str(container_port)]

    return ask
