"""The Node object of a kubelet: registered, and kept alive."""

import asyncio
import logging
import os
import platform

from crossfade.sandbox.kube.client import ApiError, KubeClient, Object
from crossfade.sandbox.kube.kinds import LEASE, NAMESPACE, NODE
from crossfade.sandbox.kube.kubelet.options import KubeletOptions
from crossfade.sandbox.kube.objects.conditions import Condition, merged
from crossfade.sandbox.kube.objects.timestamps import micro_stamp

_log = logging.getLogger(__name__)
LEASES = "kube-node-lease"
VERSION = "v1.32.0-sandbox"
_RETRY = 0.5


class NodeKeeper:
    """Says that the Node is there and how much room it has."""

    def __init__(
        self, client: KubeClient, name: str, capacity: dict[str, str], options: KubeletOptions
    ) -> None:
        self._client, self._name = client, name
        self._capacity, self._options = capacity, options
        self.log_port = 0
        self.leaving = False
        """The machine is taken away soon: it takes no more Pods."""

    async def register(self) -> None:
        """Create or update the Node; repeats until the API has taken it."""
        while True:
            try:
                await self.write()
                await self._renew()
            except ApiError as error:
                _log.warning("node not registered node=%s error=%s", self._name, error.message)
                await asyncio.sleep(_RETRY)
            else:
                return

    async def run(self) -> None:
        """Give signs of life, endlessly."""
        while True:
            await asyncio.sleep(self._options.lease_seconds / 4)
            try:
                await self._renew()
                node = await self._client.get(NODE, None, self._name)
                if not _is_ready(node):
                    await self.write()
            except ApiError as error:
                _log.warning("node not renewed node=%s error=%s", self._name, error.message)
                if error.code == 404:
                    await self.register()

    async def write(self) -> None:
        """Tell the API how the Node is; raises ApiError."""
        labels = {
            "kubernetes.io/hostname": self._name,
            "kubernetes.io/os": "linux",
            "kubernetes.io/arch": {"x86_64": "amd64", "aarch64": "arm64"}.get(
                platform.machine(), platform.machine()
            ),
            **self._options.labels,
        }
        body: Object = {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": self._name, "labels": labels},
            "spec": {},
        }
        try:
            node = await self._client.get(NODE, None, self._name)
        except ApiError as error:
            if error.code != 404:
                raise
            node = await self._client.create(NODE, body)
        await self._client.patch(NODE, None, self._name, {"metadata": {"labels": labels}})
        status = self._status(node)
        await self._client.patch(NODE, None, self._name, {"status": status}, "status")

    def _status(self, node: Object) -> Object:
        now = self._options.clock.now()
        before = (node.get("status") or {}).get("conditions") or ()
        wanted = (
            Condition("MemoryPressure", False, "KubeletHasSufficientMemory"),
            Condition("DiskPressure", False, "KubeletHasNoDiskPressure"),
            Condition("PIDPressure", False, "KubeletHasSufficientPID"),
            Condition("Ready", False, "KubeletNotReady", "node is shutting down")
            if self.leaving
            else Condition("Ready", True, "KubeletReady", "kubelet is posting ready status"),
        )
        status: Object = {
            "capacity": self._capacity,
            "allocatable": self._capacity,
            "conditions": merged(before, wanted, now),
            "addresses": [
                {"type": "InternalIP", "address": self._options.address},
                {"type": "Hostname", "address": self._name},
            ],
            "nodeInfo": {
                "machineID": "",
                "systemUUID": "",
                "bootID": "",
                "kernelVersion": os.uname().release,
                "osImage": "crossfade sandbox",
                "containerRuntimeVersion": "sandbox://1",
                "kubeletVersion": VERSION,
                "kubeProxyVersion": "",
                "operatingSystem": "linux",
                "architecture": "amd64" if platform.machine() == "x86_64" else platform.machine(),
            },
        }
        if self.log_port:
            status["daemonEndpoints"] = {"kubeletEndpoint": {"Port": self.log_port}}
        return status

    async def _renew(self) -> None:
        spec = {
            "holderIdentity": self._name,
            "leaseDurationSeconds": self._options.lease_seconds,
            "renewTime": micro_stamp(self._options.clock.now()),
        }
        try:
            await self._client.patch(LEASE, LEASES, self._name, {"spec": spec})
            return
        except ApiError as error:
            if error.code != 404:
                raise
        try:
            await self._client.get(NAMESPACE, None, LEASES)
        except ApiError as error:
            if error.code != 404:
                raise
            await self._client.create(NAMESPACE, {"metadata": {"name": LEASES}})
        body = {
            "apiVersion": LEASE.api_version,
            "kind": LEASE.kind,
            "metadata": {"name": self._name, "namespace": LEASES},
            "spec": spec,
        }
        await self._client.create(LEASE, body)


def _is_ready(node: Object) -> bool:
    conditions = (node.get("status") or {}).get("conditions") or ()
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
