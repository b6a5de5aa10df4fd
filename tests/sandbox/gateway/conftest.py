"""A gateway with its own small cluster in memory, and upstream servers to send requests to."""

import asyncio
import http.client
import socket
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from crossfade.base.clock import SteadyClock
from crossfade.sandbox.gateway.controller import Gateway
from crossfade.sandbox.gateway.envoy import Place
from crossfade.sandbox.kube.api import open_api
from crossfade.sandbox.kube.direct_client import DirectClient
from crossfade.sandbox.kube.kinds import (
    ENDPOINT_SLICE,
    GATEWAY,
    GATEWAY_CLASS,
    HTTP_ROUTE,
    NAMESPACE,
    SERVICE,
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Cloud:
    """What a test does with the cluster and its gateway."""

    client: DirectClient
    gateway: Gateway
    port: int
    admin_port: int
    folder: Path
    servers: list[asyncio.Server] = field(default_factory=list)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)
    heads: dict[str, list[str]] = field(default_factory=dict)
    """Heads of the requests that each upstream got, by its answer."""

    async def upstream(self, answer: str, delay: float = 0.0) -> int:
        """Start a server that answers every request with `answer` and the request's head."""

        heads = self.heads.setdefault(answer, [])

        async def serve(reader, writer):
            self.writers.append(writer)
            try:
                while head := await reader.readuntil(b"\r\n\r\n"):
                    heads.append(head.decode())
                    await asyncio.sleep(delay)
                    body = answer.encode() + b"\n" + head
                    writer.write(
                        b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body
                    )
            except (asyncio.IncompleteReadError, ConnectionError):
                writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        self.servers.append(server)
        return server.sockets[0].getsockname()[1]

    async def service(self, name: str, *ports: int, namespace: str = "shop") -> None:
        await self.client.create(
            SERVICE,
            {
                "metadata": {"name": name, "namespace": namespace},
                "spec": {"ports": [{"name": "http", "port": 80}], "selector": {"app": name}},
            },
        )
        await self.client.create(
            ENDPOINT_SLICE, {**slice_of(name, *ports), "metadata": slice_meta(name, namespace)}
        )

    async def endpoints(self, name: str, *ports: int) -> None:
        body = {**slice_of(name, *ports), "metadata": slice_meta(name, "shop")}
        await self.client.update(ENDPOINT_SLICE, body)

    async def route(self, spec: dict, name: str = "colors") -> dict:
        gateway = {"name": "public", "namespace": "infra"}
        body = {
            "metadata": {"name": name, "namespace": "shop"},
            "spec": {"parentRefs": [gateway], "hostnames": [f"{name}.test"], **spec},
        }
        return await self.client.create(HTTP_ROUTE, body)

    async def change(self, spec: dict, name: str = "colors") -> dict:
        return await self.client.patch(HTTP_ROUTE, "shop", name, {"spec": spec})

    async def get(self, path: str = "/", host: str = "colors.test", **headers: str):
        """Return status, body and headers of one request through the gateway."""
        return await asyncio.to_thread(_get, self.port, path, host, headers)

    async def conditions(self, name: str = "colors") -> dict[str, tuple[str, str]]:
        """Return status and reason by type, of the conditions that are up to date."""
        route = await self.client.get(HTTP_ROUTE, "shop", name)
        found = {}
        for parent in route.get("status", {}).get("parents", []):
            for one in parent["conditions"]:
                if one["observedGeneration"] == route["metadata"]["generation"]:
                    found[one["type"]] = (one["status"], one["reason"])
        return found

    async def programmed(self, name: str = "colors") -> None:
        await until_true(lambda: self._is_programmed(name))

    async def _is_programmed(self, name: str) -> bool:
        return (await self.conditions(name)).get("Programmed", ("", ""))[0] == "True"


def slice_of(name: str, *ports: int) -> dict:
    """One slice can hold one port; the tests' pods differ by port, so: one pod is enough."""
    return {
        "addressType": "IPv4",
        "ports": [{"name": "http", "port": port} for port in ports],
        "endpoints": [{"addresses": ["127.0.0.1"], "conditions": {"ready": True}}],
    }


def slice_meta(name: str, namespace: str) -> dict:
    return {
        "name": f"{name}-1",
        "namespace": namespace,
        "labels": {"kubernetes.io/service-name": name},
    }


def _get(port: int, path: str, host: str, headers: dict[str, str]):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        names = {key.replace("_", "-"): value for key, value in headers.items()}
        connection.request("GET", path, headers={"host": host, **names})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), dict(answer.getheaders())
    finally:
        connection.close()


async def until_true(condition: Callable, seconds: float = 10.0) -> None:
    """Wait for an async condition."""
    deadline = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        await asyncio.sleep(0.005)


@pytest.fixture
def until():
    return until_true


@pytest.fixture
async def cloud(tmp_path: Path) -> AsyncIterator[Cloud]:
    client = DirectClient(open_api())
    place = Place("test", tmp_path / "gateway", free_port(), free_port())
    for name in ("infra", "shop"):
        await client.create(NAMESPACE, {"metadata": {"name": name}})
    await client.create(
        GATEWAY_CLASS,
        {
            "metadata": {"name": "sandbox"},
            "spec": {"controllerName": "crossfade.dev/sandbox-gateway"},
        },
    )
    listener = {
        "name": "http",
        "port": place.port,
        "protocol": "HTTP",
        "allowedRoutes": {"namespaces": {"from": "All"}},
    }
    await client.create(
        GATEWAY,
        {
            "metadata": {"name": "public", "namespace": "infra"},
            "spec": {"gatewayClassName": "sandbox", "listeners": [listener]},
        },
    )
    gateway = Gateway(client, place, SteadyClock(), {})
    one = Cloud(client, gateway, place.port, place.admin_port, place.folder)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(gateway.run())
        async with asyncio.timeout(10):
            await gateway.ready.wait()
        yield one
        running.cancel()
        for server in one.servers:
            server.close()
        for writer in one.writers:
            writer.close()
    await asyncio.sleep(0.01)
