"""
The process of one sandbox cloud: Kubernetes API, controllers, kubelet and gateway.

It prints nothing: what it has to say goes to its log, and `ready.json` appears in its folder once
everything serves.
"""

import asyncio
import gc
import logging
import os
import signal
import sys

from crossfade.adapters.runners.tools import has_tool
from crossfade.base.clock import SteadyClock
from crossfade.base.files import write_json
from crossfade.core.pipeline.images import tools_for
from crossfade.sandbox import faults, filling, processes
from crossfade.sandbox.awakening import forget_readiness
from crossfade.sandbox.entry import begin
from crossfade.sandbox.gateway.controller import Gateway
from crossfade.sandbox.gateway.envoy import Place
from crossfade.sandbox.gateway.world import CLASS_NAME, CONTROLLER
from crossfade.sandbox.kube.api import open_api
from crossfade.sandbox.kube.client import ApiError, KubeClient, Object
from crossfade.sandbox.kube.controllers import run_controllers
from crossfade.sandbox.kube.direct_client import DirectClient
from crossfade.sandbox.kube.housekeeping import run_housekeeping
from crossfade.sandbox.kube.kinds import GATEWAY, GATEWAY_CLASS, ISTIO_GATEWAY, NAMESPACE, Kind
from crossfade.sandbox.kube.kubelet import Capacity, Kubelet, KubeletOptions
from crossfade.sandbox.kube.server.app import ApiServer
from crossfade.sandbox.kube.server.run import Listen, Listening
from crossfade.sandbox.state import CloudPorts, Layout

_log = logging.getLogger(__name__)
GATEWAY_NAMESPACE, GATEWAY_NAME = "infra", "public"
METRICS_ANNOTATION = "crossfade.dev/metrics-url"
ADDRESS_ANNOTATION = "crossfade.dev/address"


class Cloud:
    """One cloud, put together."""

    def __init__(self, layout: Layout, name: str) -> None:
        self._folder, self._ports = layout.folder(name), layout.ports(name)
        clock = SteadyClock()
        self._api = open_api(self._folder / "objects.journal", clock)
        self._client = DirectClient(self._api)
        self._clock = clock
        token = (self._folder / "token").read_text()
        self._authority = (layout.directory / "ca.crt").read_text()
        options = KubeletOptions(
            markers=processes.markers(layout.directory, "pod", name),
            clock=clock,
            stands_for=lacking,
        )
        self._kubelet = Kubelet(
            self._client, f"{name}-node-0", Capacity(), self._folder / "node", options
        )
        self._server = ApiServer(self._api, token, self._kubelet.log_reader)
        certificate, key = self._folder / "server.crt", self._folder / "server.key"
        self._listening = Listening(self._server, Listen(self._ports.api, certificate, key))
        place = Place(
            f"{name}-gateway",
            self._folder / "gateway",
            self._ports.gateway,
            self._ports.gateway_admin,
        )
        marks = processes.markers(layout.directory, "gateway", name)
        self._gateway = Gateway(self._client, place, clock, marks)
        self._harm = asyncio.Event()

    async def run(self) -> None:
        """Serve until SIGTERM."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._harm.set)
        await furnish(self._client, self._ports)
        if forgotten := await forget_readiness(self._client):
            _log.info("back again pods=%s", forgotten)
        async with asyncio.TaskGroup() as group:
            work = group.create_task(self._work(), name="cloud")
            group.create_task(_cancel_after(stop, work))
        _log.info("ended")

    async def _work(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(run_controllers(self._client, self._clock), name="controllers")
            group.create_task(run_housekeeping(self._api, self._authority), name="housekeeping")
            group.create_task(self._gateway.run(), name="gateway")
            group.create_task(self._kubelet.run(), name="kubelet")
            group.create_task(self._listening.run(), name="api")
            group.create_task(self._obey_faults(), name="faults")
            await self._listening.started.wait()
            await self._kubelet.ready.wait()
            await self._gateway.ready.wait()
            # What is here now stays: the collector need not look at it again.
            gc.collect()
            gc.freeze()
            write_json(self._folder / "ready.json", {"pid": os.getpid()})
            _log.info("ready api=%s gateway=%s", self._ports.api, self._ports.gateway)

    async def _obey_faults(self) -> None:
        """Bring about the faults that are asked for, now and after each SIGHUP."""
        await self._gateway.ready.wait()
        while True:
            wanted = faults.read(self._folder)
            if wanted != faults.Faults():
                _log.info("faults wanted=%s", wanted)
            await self._bring_about(wanted)
            faults.confirm(self._folder, wanted)
            await self._harm.wait()
            self._harm.clear()

    async def _bring_about(self, wanted: faults.Faults) -> None:
        self._server.gate.set(wanted.slow_ms, api_partition=wanted.api_partition)
        if wanted.blackout:
            self._kubelet.fail()
            await self._gateway.power_off()
            return
        await self._bring_back()
        await self._gateway.set_delay(wanted.slow_ms)
        if wanted.full:
            await filling.fill(self._client, self._kubelet.node_name)
        else:
            await filling.empty(self._client)
        if wanted.evicted:
            await self._kubelet.shut_down()
        else:
            await self._kubelet.stay()

    async def _bring_back(self) -> None:
        """Let a node and a gateway that have died start again."""
        if self._gateway.powered:
            return
        await forget_readiness(self._client)
        self._kubelet.recover()
        self._gateway.power_on()
        await self._kubelet.ready.wait()
        await self._gateway.ready.wait()


def lacking(image: str) -> str | None:
    """Return which tools the host lacks to stand for a public image of tools, None for others."""
    known = tools_for(image)
    if known is None:
        return None
    return ", ".join(each for each in known.commands if not has_tool(each))


async def furnish(client: KubeClient, ports: CloudPorts) -> None:
    """Create what every cloud has from the start, or renew it after another start."""
    await _ensure(client, NAMESPACE, {"metadata": {"name": GATEWAY_NAMESPACE}})
    await _ensure(
        client,
        GATEWAY_CLASS,
        {"metadata": {"name": CLASS_NAME}, "spec": {"controllerName": CONTROLLER}},
    )
    listener = {
        "name": "http",
        "protocol": "HTTP",
        "port": ports.gateway,
        "allowedRoutes": {"namespaces": {"from": "All"}},
    }
    metrics = f"http://127.0.0.1:{ports.gateway_admin}/stats/prometheus"
    metadata = {
        "name": GATEWAY_NAME,
        "namespace": GATEWAY_NAMESPACE,
        "annotations": {METRICS_ANNOTATION: metrics},
    }
    spec = {"gatewayClassName": CLASS_NAME, "listeners": [listener]}
    await _ensure(client, GATEWAY, {"metadata": metadata, "spec": spec})
    # The same gateway under the name by which VirtualServices know it.
    address = {ADDRESS_ANNOTATION: f"127.0.0.1:{ports.gateway}", METRICS_ANNOTATION: metrics}
    server = {"port": {"number": ports.gateway, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}
    istio = {"selector": {"istio": "ingressgateway"}, "servers": [server]}
    named = {**metadata, "annotations": address}
    await _ensure(client, ISTIO_GATEWAY, {"metadata": named, "spec": istio})


async def _ensure(client: KubeClient, kind: Kind, thing: Object) -> None:
    try:
        await client.create(kind, thing)
    except ApiError as error:
        if error.code != 409:
            raise
        meta = thing["metadata"]
        await client.patch(kind, meta.get("namespace"), meta["name"], thing)


async def _cancel_after(stop: asyncio.Event, work: "asyncio.Task[None]") -> None:
    await stop.wait()
    work.cancel()


def main() -> None:
    """Run the cloud named by the second argument, of the sandbox in the folder named first."""
    layout = begin()
    try:
        asyncio.run(Cloud(layout, layout.known(sys.argv[2])).run())
    except Exception as error:
        _log.exception("failed")
        # The last line of the log is what the supervisor shows to people.
        first: BaseException = error
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        sys.exit(f"{type(first).__name__}: {first}")


if __name__ == "__main__":
    main()
