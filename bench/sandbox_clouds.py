"""Sandbox clouds with two revisions of a small application in each, for programs of this folder."""

import asyncio
import contextlib
import secrets
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import harness

from crossfade.adapters.envoy.ads import AdsEdges
from crossfade.adapters.kubernetes.client import KubeApi
from crossfade.adapters.routers.gateway_api import GatewayApiRouter
from crossfade.base.clock import SteadyClock
from crossfade.base.errors import CrossfadeError, NotFound
from crossfade.base.ids import ApplicationName, ClusterName, Epoch, RevisionId
from crossfade.core.fleet.cluster import Cluster
from crossfade.ports.edge import EdgePlan, EdgeRoute, EdgeTarget
from crossfade.ports.router import RouteBackend, WantedRoute
from crossfade.sandbox import control, state
from crossfade.sandbox.state import Layout
from crossfade.testing import web_server
from crossfade.testing.users import Users

REVISIONS = ("blue", "green")
_READY_SECONDS = 20.0


@dataclass
class SandboxClouds:
    """A running sandbox, the routes in its clouds, and its edge."""

    layout: Layout
    apis: dict[str, KubeApi]
    edges: AdsEdges
    number: int = 0

    @property
    def port(self) -> int:
        """Where users come in."""
        return self.layout.edge_port

    async def split(self, percents: dict[str, int]) -> None:
        """Ask every cloud for these shares of the revisions, all at the same time."""
        self.number += 1
        wanted = WantedRoute(
            ApplicationName("colors"),
            "default",
            harness.HOST,
            "infra/public",
            80,
            Epoch(self.number),
            tuple(RouteBackend(RevisionId(r), r, percents.get(r, 0)) for r in REVISIONS),
        )
        async with asyncio.TaskGroup() as group:
            for api in self.apis.values():
                group.create_task(GatewayApiRouter(api).write(wanted))

    async def in_force(self) -> None:
        """Wait until every cloud says that it serves the newest route."""
        async with asyncio.timeout(_READY_SECONDS):
            for api in self.apis.values():
                while True:
                    status = await GatewayApiRouter(api).read(ApplicationName("colors"), "default")
                    if status.in_force and status.epoch == self.number:
                        break
                    await asyncio.sleep(0.01)

    async def act(self, verb: str, cloud: str) -> None:
        """Kill, hang or restore a cloud."""
        await asyncio.to_thread(control.act, self.layout.directory, verb, cloud)


@contextlib.asynccontextmanager
async def sandbox(clouds: tuple[str, ...]) -> AsyncIterator[SandboxClouds]:
    """Run a sandbox with both revisions serving in each cloud and equal shares at the edge."""
    with tempfile.TemporaryDirectory() as folder:
        layout = await asyncio.to_thread(_up, folder, clouds)
        kubeconfig = str(layout.kubeconfig)
        apis = {c: KubeApi(Cluster(ClusterName(c), c, kubeconfig)) for c in clouds}
        edges = AdsEdges(layout.hub_port)
        made = SandboxClouds(layout, apis, edges)
        try:
            await edges.start()
            async with asyncio.TaskGroup() as group:
                for api in apis.values():
                    group.create_task(_install(api))
            await made.split({REVISIONS[0]: 100})
            await made.in_force()
            await _send_users(made)
            yield made
        finally:
            for api in apis.values():
                await api.close()
            await edges.stop()
            await asyncio.to_thread(control.down, layout.directory)


def _up(folder: str, clouds: tuple[str, ...]) -> Layout:
    """Start the sandbox somewhere; others may use the first ports that are tried."""
    directory = Path(folder).resolve() / "sandbox"
    for attempt in range(5):
        base = 12_000 + 200 * secrets.randbelow(80)
        layout = state.new_layout(directory, clouds, base)
        try:
            control.up(layout, SteadyClock(), lambda _: None)
        except CrossfadeError:
            if attempt == 4:
                raise
        else:
            break
    return layout


async def _install(api: KubeApi) -> None:
    cloud = api.cluster.name
    for revision in REVISIONS:
        await api.create(
            "/apis/apps/v1/namespaces/default/deployments", _deployment(revision, cloud)
        )
        await api.create("/api/v1/namespaces/default/services", _service(revision))
    async with asyncio.timeout(_READY_SECONDS):
        for revision in REVISIONS:
            path = f"/apis/apps/v1/namespaces/default/deployments/{revision}"
            while True:
                if (await api.get(path)).get("status", {}).get("readyReplicas"):
                    break
                await asyncio.sleep(0.05)


def _deployment(revision: str, cloud: str) -> dict[str, Any]:
    run = f"exec {sys.executable} -S -E {web_server.__file__} $PORT {revision}@{cloud}"
    probe = {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 1}
    container = {
        "name": "app",
        "image": "host",
        "command": ["/bin/sh", "-c", run],
        "ports": [{"containerPort": 8080}],
        "readinessProbe": probe,
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": revision, "namespace": "default"},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": revision}},
            "template": {
                "metadata": {"labels": {"app": revision}},
                "spec": {"containers": [container]},
            },
        },
    }


def _service(revision: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": revision, "namespace": "default"},
        "spec": {"selector": {"app": revision}, "ports": [{"port": 80, "targetPort": 8080}]},
    }


async def _send_users(made: SandboxClouds) -> None:
    """Give the edge its plan, and wait until users get through to every cloud."""
    targets = []
    for cloud, api in made.apis.items():
        try:
            gateway = await GatewayApiRouter(api).endpoint("infra/public")
        except NotFound as error:
            raise RuntimeError(f"{cloud} has no gateway: {error}") from error
        targets.append(EdgeTarget(ClusterName(cloud), cloud, gateway.host, gateway.port, 100))
    route = EdgeRoute(ApplicationName("colors"), harness.HOST, "/healthz", 0.5, tuple(targets))
    await made.edges.publish(EdgePlan(1, (route,)))
    async with asyncio.timeout(_READY_SECONDS):
        while True:
            users = Users(made.port, harness.HOST, rate=50)
            await users.run(0.5)
            if len(users.names()) == len(targets) and not users.failed():
                return
