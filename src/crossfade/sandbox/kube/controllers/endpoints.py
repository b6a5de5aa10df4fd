"""
Service to EndpointSlices and Endpoints: which Pods serve, and at which ports.

All Pods of a sandbox share the address of the host and have ports of their own, and a slice has
one list of ports for all its endpoints: so there is a slice for each Pod.
"""

import json
from typing import Any

from crossfade.sandbox.kube.client import ApiError, Object
from crossfade.sandbox.kube.controllers.context import Context
from crossfade.sandbox.kube.controllers.informers import key_of
from crossfade.sandbox.kube.controllers.work_queue import Key, WorkQueue
from crossfade.sandbox.kube.kinds import ENDPOINT_SLICE, POD, SERVICE, Kind
from crossfade.sandbox.kube.objects import ownership, pod_state

ENDPOINTS = Kind("", "v1", "Endpoints", "endpoints", short_names=("ep",))
LOAD_BALANCER = "127.0.0.1"
"""Address that Services of type LoadBalancer get."""
SERVICE_NAME = "kubernetes.io/service-name"
_MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
_MANAGER = "endpointslice-controller.k8s.io"


class EndpointsController:
    """Keeps the endpoints of each Service with a selector in line with its Pods."""

    def __init__(self, context: Context) -> None:
        self._client = context.client
        self._services = context.informers.of(SERVICE).objects
        self.queue = WorkQueue("endpoints")
        context.informers.of(SERVICE).listen(
            lambda old, new: self.queue.add(key_of(new or old or {}))
        )
        context.informers.of(POD).listen(self._pod_changed)
        context.informers.of(ENDPOINT_SLICE).listen(self._slice_changed)

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        pods = [pod for pod in (old, new) if pod is not None]
        namespace = pods[0]["metadata"]["namespace"]
        for key, service in self._services.items():
            if key[0] == namespace and any(_selects(service, pod) for pod in pods):
                self.queue.add(key)

    def _slice_changed(self, old: Object | None, new: Object | None) -> None:
        labels = ((new or old or {})["metadata"].get("labels")) or {}
        if labels.get(_MANAGED_BY) == _MANAGER:
            namespace = (new or old or {})["metadata"]["namespace"]
            self.queue.add((namespace, labels.get(SERVICE_NAME, "")))

    async def reconcile(self, key: Key) -> float | None:
        """Bring the slices and the Endpoints of one Service in line."""
        namespace, name = key
        try:
            service = await self._client.get(SERVICE, namespace, name)
        except ApiError as error:
            if error.code != 404:
                raise
            await self._clean(key)
            return None
        await self._give_address(service)
        if not service["spec"].get("selector") or service["spec"].get("type") == "ExternalName":
            return None
        pods = [
            pod
            for pod in await self._client.list(POD, namespace)
            if _selects(service, pod) and has_address(pod)
        ]
        await self._write_slices(service, pods)
        await self._write_endpoints(service, pods)
        return None

    async def _give_address(self, service: Object) -> None:
        """Say where a load balancer would be: `helm --wait` waits for that."""
        status = service.get("status") or {}
        given = (status.get("loadBalancer") or {}).get("ingress")
        if service["spec"].get("type") != "LoadBalancer" or given:
            return
        merge = {"status": {"loadBalancer": {"ingress": [{"ip": LOAD_BALANCER}]}}}
        await self._client.patch(SERVICE, *key_of(service), merge, "status")

    async def _clean(self, key: Key) -> None:
        """The owner reference does this too; but nobody should route to a Service that is gone."""
        for one in await self._ours(key):
            await self._client.delete(ENDPOINT_SLICE, key[0], one["metadata"]["name"])
        await self._client.delete(ENDPOINTS, *key)

    async def _ours(self, key: Key) -> list[Object]:
        labels = f"{SERVICE_NAME}={key[1]},{_MANAGED_BY}={_MANAGER}"
        return await self._client.list(ENDPOINT_SLICE, key[0], labels)

    async def _write_slices(self, service: Object, pods: list[Object]) -> None:
        key = key_of(service)
        stored = {one["metadata"]["name"]: one for one in await self._ours(key)}
        for pod in pods:
            wanted = slice_of(service, pod)
            before = stored.pop(wanted["metadata"]["name"], None)
            if before is None:
                await self._client.create(ENDPOINT_SLICE, wanted)
            elif any(before.get(part) != wanted[part] for part in ("endpoints", "ports")):
                wanted["metadata"]["resourceVersion"] = before["metadata"]["resourceVersion"]
                await self._client.update(ENDPOINT_SLICE, wanted)
        for name in stored:
            await self._client.delete(ENDPOINT_SLICE, key[0], name)

    async def _write_endpoints(self, service: Object, pods: list[Object]) -> None:
        meta = service["metadata"]
        subsets = [subset for pod in pods if (subset := _subset(service, pod)) is not None]
        body: Object = {
            "apiVersion": "v1",
            "kind": "Endpoints",
            "metadata": {
                "name": meta["name"],
                "namespace": meta["namespace"],
                "labels": {**(meta.get("labels") or {}), _MANAGED_BY: "endpoint-controller"},
                "ownerReferences": [ownership.controller_reference(SERVICE, service)],
            },
            "subsets": subsets,
        }
        try:
            before = await self._client.get(ENDPOINTS, meta["namespace"], meta["name"])
        except ApiError as error:
            if error.code != 404:
                raise
            await self._client.create(ENDPOINTS, body)
            return
        if (before.get("subsets") or []) != subsets:
            body["metadata"]["resourceVersion"] = before["metadata"]["resourceVersion"]
            await self._client.update(ENDPOINTS, body)


def _selects(service: Object, pod: Object) -> bool:
    selector: dict[str, str] = service["spec"].get("selector") or {}
    labels: dict[str, str] = pod["metadata"].get("labels") or {}
    return bool(selector) and selector.items() <= labels.items()


def has_address(pod: Object) -> bool:
    """Return whether the Pod has (had) an address and may still serve."""
    return bool(pod.get("status", {}).get("podIP")) and not pod_state.is_finished(pod)


def slice_of(service: Object, pod: Object) -> Object:
    """Return the EndpointSlice of one Pod of a Service."""
    serving = pod_state.is_ready(pod)
    terminating = pod_state.is_terminating(pod)
    always = bool(service["spec"].get("publishNotReadyAddresses"))
    meta, pod_meta = service["metadata"], pod["metadata"]
    endpoint = {
        "addresses": [pod["status"]["podIP"]],
        "conditions": {
            "ready": always or (serving and not terminating),
            "serving": serving,
            "terminating": terminating,
        },
        "targetRef": {
            "kind": "Pod",
            "name": pod_meta["name"],
            "namespace": pod_meta["namespace"],
            "uid": pod_meta["uid"],
        },
        "nodeName": pod["spec"].get("nodeName", ""),
    }
    if pod["spec"].get("hostname"):
        endpoint["hostname"] = pod["spec"]["hostname"]
    return {
        "apiVersion": ENDPOINT_SLICE.api_version,
        "kind": ENDPOINT_SLICE.kind,
        "metadata": {
            "name": f"{meta['name']}-{ownership.short_hash((meta['uid'], pod_meta['uid']), 8)}",
            "namespace": meta["namespace"],
            "labels": {
                **(meta.get("labels") or {}),
                SERVICE_NAME: meta["name"],
                _MANAGED_BY: _MANAGER,
            },
            "ownerReferences": [ownership.controller_reference(SERVICE, service)],
        },
        "addressType": "IPv4",
        "endpoints": [endpoint],
        "ports": target_ports(service, pod),
    }


def target_ports(service: Object, pod: Object) -> list[dict[str, Any]]:
    """Return the ports of a Service as one Pod serves them; ports it does not have are left out."""
    result = []
    for port in service["spec"].get("ports") or ():
        number = host_port(pod, port.get("targetPort") or port["port"])
        if number is None:
            continue
        entry: dict[str, Any] = {
            "name": port.get("name", ""),
            "port": number,
            "protocol": port.get("protocol", "TCP"),
        }
        if port.get("appProtocol"):
            entry["appProtocol"] = port["appProtocol"]
        result.append(entry)
    return result


def host_port(pod: Object, target: int | str) -> int | None:
    """
    Return the port of the host behind a container port, given by number or by name.

    A number that the kubelet mapped to nothing is a port that the process opened on its own.
    None: no container of the Pod has a port of this name.
    """
    if isinstance(target, str):
        named = [
            port["containerPort"]
            for container in pod["spec"].get("containers") or ()
            for port in container.get("ports") or ()
            if port.get("name") == target
        ]
        if not named:
            return None
        target = int(named[0])
    text = (pod["metadata"].get("annotations") or {}).get(pod_state.PORTS_ANNOTATION)
    try:
        mapped = json.loads(text) if text else {}
    except ValueError:
        mapped = {}
    found = mapped.get(str(target), target) if isinstance(mapped, dict) else target
    return int(found)


def _subset(service: Object, pod: Object) -> Object | None:
    one = slice_of(service, pod)
    endpoint = one["endpoints"][0]
    conditions = endpoint["conditions"]
    if conditions["terminating"] and not conditions["ready"]:
        return None
    ready = "addresses" if conditions["ready"] else "notReadyAddresses"
    address = {
        "ip": endpoint["addresses"][0],
        "nodeName": endpoint["nodeName"],
        "targetRef": endpoint["targetRef"],
    }
    ports = [
        {name: value for name, value in port.items() if value or name != "name"}
        for port in one["ports"]
    ]
    return {ready: [address], "ports": ports} if ports else {ready: [address]}
