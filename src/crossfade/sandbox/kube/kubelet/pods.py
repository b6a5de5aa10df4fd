"""The life of one Pod on its Node."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from crossfade.sandbox.kube.client import ApiError, KubeClient, Object
from crossfade.sandbox.kube.kinds import POD
from crossfade.sandbox.kube.kubelet import launch, pod_status, volumes
from crossfade.sandbox.kube.kubelet.container_record import (
    ContainerRecord,
    Terminated,
    Waiting,
    restored,
)
from crossfade.sandbox.kube.kubelet.containers import ContainerRunner, Surroundings
from crossfade.sandbox.kube.kubelet.environment import PodFacts
from crossfade.sandbox.kube.kubelet.launch import Place
from crossfade.sandbox.kube.kubelet.options import KubeletOptions
from crossfade.sandbox.kube.kubelet.pod_status import PodRecord
from crossfade.sandbox.kube.kubelet.ports import PortPicker, annotation
from crossfade.sandbox.kube.kubelet.references import ConfigError
from crossfade.sandbox.kube.kubelet.stop_order import StopOrder
from crossfade.sandbox.kube.objects import pod_state
from crossfade.sandbox.kube.objects.events import EventRecorder
from crossfade.sandbox.kube.objects.timestamps import seconds_of

_log = logging.getLogger(__name__)
_RETRY = 0.5
_SHUTDOWN = ("Terminated", "Pod was terminated in response to imminent node shutdown.")


@dataclass(frozen=True, slots=True)
class Node:
    """What the Pods of one kubelet have in common."""

    client: KubeClient
    events: EventRecorder
    options: KubeletOptions
    ports: PortPicker
    capacity: dict[str, str]


class PodWorker:
    """Runs one Pod and reports its status until it has ended or is deleted."""

    def __init__(self, node: Node, pod: Object, place: Place) -> None:
        self._node, self.pod, self._place = node, pod, place
        self.uid: str = pod["metadata"]["uid"]
        self._stop = StopOrder()
        self._gone = self._ending = False
        self.deleted = False
        self._changed = asyncio.Event()
        now = node.options.clock.now()
        self.record = _restored(pod, now)
        self.done = pod_state.is_finished(pod)
        ports = {} if self.done else node.ports.assign(pod)
        facts = PodFacts(node.options.address, ports, node.capacity)
        self._around = Surroundings(
            node.client, node.events, node.options, pod, facts, place, self._changed.set
        )
        spec = pod["spec"]
        self._inits = self._runners(spec.get("initContainers") or (), self.record.inits)
        self._mains = self._runners(spec.get("containers") or (), self.record.containers)
        self.update(pod)

    def _runners(
        self, containers: Iterable[Object], records: list[ContainerRecord]
    ) -> list[ContainerRunner]:
        return [
            ContainerRunner(self._around, container["name"], record)
            for container, record in zip(containers, records, strict=True)
        ]

    @property
    def runners(self) -> list[ContainerRunner]:
        """All containers, init containers first."""
        return [*self._inits, *self._mains]

    def update(self, pod: Object) -> None:
        """Take note of a change of the Pod."""
        self._take(pod)
        self._changed.set()

    def _take(self, pod: Object) -> None:
        if version_of(pod) < version_of(self.pod):
            return  # the answer to a write of ours was quicker than the watch
        self.pod = self._around.pod = pod
        if pod_state.is_terminating(pod):
            self._order(float(pod["metadata"].get("deletionGracePeriodSeconds") or 0))

    def end_with_node(self) -> None:
        """End the Pod with notice, since its machine is taken away."""
        if not self.done:
            self.record.failure = _SHUTDOWN
            self._changed.set()
            self._order(float(self.pod["spec"].get("terminationGracePeriodSeconds", 30)))

    def vanish(self) -> None:
        """End the Pod at once: the API knows it no longer."""
        self._gone = True
        self._order(0)

    def _order(self, grace_seconds: float) -> None:
        self._stop.give(grace_seconds)
        if self._ending:
            self._pass_on()

    async def run(self) -> None:
        """Return when nothing is left to be done for the Pod."""
        async with asyncio.TaskGroup() as group:
            writer = group.create_task(self._report())
            ender = group.create_task(self._end_in_order())
            deadline = group.create_task(self._watch_deadline())
            await self._live()
            for task in (writer, ender, deadline):
                task.cancel()
        if self._stop.given:
            self.record.stopped = True
            self._end_records()
        await self._insist(self._write)
        self._node.ports.forget(self.uid)
        self.done = True
        if self._gone or pod_state.is_terminating(self.pod):
            await self.finish_deletion()

    def _end_records(self) -> None:
        """Containers that never came to run have ended, too."""
        now = self._node.options.clock.now()
        for record in (*self.record.containers, *self.record.inits):
            if not isinstance(record.state, Terminated):
                message = "The container could not be located when the pod was terminated"
                record.state = Terminated(137, "ContainerStatusUnknown", 0.0, now, message)

    async def _live(self) -> None:
        if not await self._prepare():
            return
        policy = self.pod["spec"].get("restartPolicy", "Always")
        async with asyncio.TaskGroup() as group:
            if await self._run_inits(group, policy):
                async with asyncio.TaskGroup() as mains:
                    for runner in self._mains:
                        mains.create_task(runner.run(policy))
            for sidecar in self._inits:
                sidecar.stop.give(self._grace_seconds())

    def _grace_seconds(self) -> float:
        if self._stop.given:
            return self._stop.seconds_left()
        return float(self.pod["spec"].get("terminationGracePeriodSeconds", 30))

    async def _run_inits(self, group: asyncio.TaskGroup, policy: str) -> bool:
        """Return True when all have succeeded and the Pod may go on."""
        containers = self.pod["spec"].get("initContainers") or ()
        for container, runner in zip(containers, self._inits, strict=True):
            if pod_status.is_sidecar(container):
                group.create_task(runner.run("Always"))
                while not runner.record.started:
                    if await self._stop.sleep(0.05):
                        return False
                continue
            if runner.record.succeeded:
                continue
            await runner.run("OnFailure" if policy != "Never" else "Never")
            if self._stop.given or not runner.record.succeeded:
                return False
            self._changed.set()
        return not self._stop.given

    async def _prepare(self) -> bool:
        """Make the volumes and tell the ports; return False when the Pod has to end before that."""
        told = False
        while not self._stop.given:
            try:
                if not told:
                    await self._tell_ports()
                    told = True
                self._place.volumes = await volumes.materialise(
                    self._node.client,
                    self.pod,
                    self._place.directory / "volumes",
                    self._place.root / "claims",
                    self._around.facts,
                )
            except (ConfigError, OSError) as error:
                message = f"MountVolume.SetUp failed: {error}"
                self._node.events.warning(POD, self.pod, "FailedMount", message)
            except ApiError as error:
                _log.warning(
                    "pod not prepared pod=%s error=%s", self.pod["metadata"]["name"], error
                )
            else:
                return True
            await self._stop.sleep(_RETRY)
        return False

    async def _tell_ports(self) -> None:
        wanted = annotation(self._around.facts.ports)
        meta = self.pod["metadata"]
        if (
            not self._around.facts.ports
            or wanted.items() <= (meta.get("annotations") or {}).items()
        ):
            return
        merge = {"metadata": {"uid": self.uid, "annotations": wanted}}
        await self._node.client.patch(POD, meta["namespace"], meta["name"], merge)

    async def _end_in_order(self) -> None:
        """Pass on the order to end, after gateways had time to look elsewhere."""
        while not await self._stop.sleep(3600):
            pass
        if pod_state.is_ready(self.pod) and not self._gone:
            lead = self._node.options.endpoint_lead_seconds
            await asyncio.sleep(min(lead, self._stop.seconds_left()))
        self._ending = True
        self._pass_on()

    def _pass_on(self) -> None:
        left = self._stop.seconds_left()
        for runner in self._mains:
            runner.stop.give(left)
        for runner in self._inits:
            # Sidecars end after the others, unless there is no time for an order.
            if not left or not pod_status.is_sidecar(runner.container):
                runner.stop.give(left)

    async def _watch_deadline(self) -> None:
        seconds = self.pod["spec"].get("activeDeadlineSeconds")
        if not seconds:
            return
        passed = self._node.options.clock.now() - self.record.started_at
        await asyncio.sleep(max(0.0, seconds - passed))
        message = "Pod was active on the node longer than the specified deadline"
        self._node.events.normal(POD, self.pod, "DeadlineExceeded", message)
        self.record.failure = ("DeadlineExceeded", message)
        self._order(float(self.pod["spec"].get("terminationGracePeriodSeconds", 30)))

    async def _report(self) -> None:
        """Write the status whenever it has changed, endlessly."""
        while True:
            self._changed.clear()
            if await self._write():
                await self._changed.wait()
            else:
                await asyncio.sleep(_RETRY)

    async def _write(self) -> bool:
        """Write the status; return False when that has to be tried again."""
        wanted = self.status()
        if _is_in(wanted, self.pod.get("status") or {}):
            return True
        meta = self.pod["metadata"]
        merge = {"metadata": {"uid": self.uid}, "status": wanted}
        try:
            written = await self._node.client.patch(
                POD, meta["namespace"], meta["name"], merge, "status"
            )
        except ApiError as error:
            return error.code == 404  # gone: nobody wants to know any more
        self._take(written)
        return True

    def status(self) -> Object:
        """Return the status of the Pod as it is now."""
        options = self._node.options
        return pod_status.status(self.pod, self.record, options.address, options.clock.now())

    async def finish_deletion(self) -> None:
        """Tell the API that nothing of the Pod runs any more, and remove its folder."""
        await self._insist(self._delete)
        launch.forget(self._place)
        self.deleted = True

    async def _insist(self, act: Callable[[], Awaitable[bool]]) -> None:
        """Repeat what may fail until it has worked, or the API knows the Pod no longer."""
        while not self._gone:
            if await act():
                return
            await asyncio.sleep(_RETRY)

    async def _delete(self) -> bool:
        """Remove the Pod from the API; return False when that has to be tried again."""
        client, meta = self._node.client, self.pod["metadata"]
        try:
            current = await client.get(POD, meta["namespace"], meta["name"])
            if current["metadata"]["uid"] == self.uid:
                await client.delete(POD, meta["namespace"], meta["name"], grace_seconds=0)
        except ApiError as error:
            return error.code == 404
        return True


def version_of(pod: Object) -> int:
    """Return the resource version as a number, 0 when it is none."""
    text = str(pod["metadata"].get("resourceVersion", ""))
    return int(text) if text.isdigit() else 0


def _is_in(wanted: Object, status: Object) -> bool:
    return all(status.get(name) == value for name, value in wanted.items())


def _restored(pod: Object, now: float) -> PodRecord:
    """Return the records as an earlier life of the kubelet left them in the status."""
    status = pod.get("status") or {}
    known = {
        one["name"]: one
        for part in ("containerStatuses", "initContainerStatuses")
        for one in status.get(part) or ()
    }
    spec = pod["spec"]
    mains = [restored(one, known.get(one["name"]), now) for one in spec.get("containers") or ()]
    inits = [restored(one, known.get(one["name"]), now) for one in spec.get("initContainers") or ()]
    if spec.get("restartPolicy") != "Never" or not any(one.id for one in mains):
        for record in inits:  # they run again before the containers do
            record.state, record.last = Waiting("PodInitializing"), None
    if inits:
        for record in mains:
            if not record.id:
                record.state = Waiting("PodInitializing")
    started_at = seconds_of(status.get("startTime")) or now
    return PodRecord(mains, inits, started_at)
