"""The kubelet: runs the Pods that are bound to its Node as processes of this machine."""

import asyncio
import logging
from pathlib import Path

from crossfade.sandbox.kube.client import ApiError, Change, KubeClient, Object
from crossfade.sandbox.kube.kinds import POD
from crossfade.sandbox.kube.kubelet import bubblewrap, leftovers
from crossfade.sandbox.kube.kubelet.capacity import Capacity
from crossfade.sandbox.kube.kubelet.launch import Place
from crossfade.sandbox.kube.kubelet.log_reader import LogReader
from crossfade.sandbox.kube.kubelet.node import NodeKeeper
from crossfade.sandbox.kube.kubelet.options import KubeletOptions
from crossfade.sandbox.kube.kubelet.pods import Node, PodWorker
from crossfade.sandbox.kube.kubelet.ports import PortPicker
from crossfade.sandbox.kube.objects.events import EventRecorder

_log = logging.getLogger(__name__)
_RETRY = 0.5


class Kubelet:
    """One Node; give it to a TaskGroup with `run()`."""

    def __init__(
        self,
        client: KubeClient,
        node_name: str,
        capacity: Capacity,
        root: Path,
        options: KubeletOptions | None = None,
    ) -> None:
        """`root` is the folder for logs and volumes; nobody else may use it."""
        self._client, self.node_name, self._root = client, node_name, root.absolute()
        self._options = options or KubeletOptions()
        self._events = EventRecorder(client, self._options.clock, "kubelet", node_name)
        self._keeper = NodeKeeper(client, node_name, capacity.amounts(), self._options)
        self._node = Node(
            client,
            self._events,
            self._options,
            PortPicker(self._options.address),
            capacity.amounts(),
        )
        self._workers: dict[str, PodWorker] = {}
        self.log_port = 0
        """Port of an HTTPS server for logs that the Node tells the API server of; 0: none."""
        self._down = asyncio.Event()
        self._up = asyncio.Event()
        self._up.set()
        self.ready = asyncio.Event()
        """Set while the Node is registered and its Pods are looked after."""
        self.log_reader = LogReader(self._find, self._options.clock)

    async def run(self) -> None:
        """Serve as the Node, endlessly; when cancelled, all Pods' processes have ended."""
        while True:
            await self._up.wait()
            self._root.mkdir(parents=True, exist_ok=True)
            killed = leftovers.kill(self._root)
            if killed:
                _log.warning("left-over processes killed count=%d", killed)
            try:
                async with asyncio.TaskGroup() as group:
                    serving = group.create_task(self._serve())
                    await self._down.wait()
                    serving.cancel()
            finally:
                leftovers.kill(self._root)
                self.ready.clear()
                self._workers.clear()

    async def shut_down(self) -> None:
        """Give all Pods notice and take no others, as when a cheap machine is taken back."""
        self._keeper.leaving = True
        await self._keeper.write()
        for worker in self._workers.values():
            worker.end_with_node()

    async def stay(self) -> None:
        """Take Pods again after `shut_down`."""
        if self._keeper.leaving:
            self._keeper.leaving = False
            await self._keeper.write()

    def fail(self) -> None:
        """Let the Node die: processes end at once, and nobody tells the API."""
        self._up.clear()
        self._down.set()

    def recover(self) -> None:
        """Let a Node that has failed start again."""
        self._down.clear()
        self._up.set()

    def _find(self, namespace: str, name: str) -> PodWorker | None:
        for worker in self._workers.values():
            meta = worker.pod["metadata"]
            if meta["namespace"] == namespace and meta["name"] == name:
                return worker
        return None

    async def _serve(self) -> None:
        self._keeper.log_port = self.log_port
        await self._keeper.register()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._events.run(), name="kubelet-events")
            group.create_task(self._keeper.run(), name="kubelet-node")
            synced = False
            fields = f"spec.nodeName={self.node_name}"
            async for event in self._client.watch(POD, fields):
                if event.change is Change.SYNC:
                    if synced:
                        await self._forget_lost()
                    synced = True
                    self.ready.set()
                elif event.change is Change.DELETED:
                    self._vanished(group, event.object["metadata"]["uid"])
                else:
                    self._seen(group, event.object)

    async def _forget_lost(self) -> None:
        """End Pods that were deleted while the watch was broken."""
        fields = f"spec.nodeName={self.node_name}"
        while True:
            try:
                pods = await self._client.list(POD, None, "", fields)
                break
            except ApiError as error:
                _log.warning("pods not listed error=%s", error.message)
                await asyncio.sleep(_RETRY)
        alive = {pod["metadata"]["uid"] for pod in pods}
        for uid, worker in list(self._workers.items()):
            if uid not in alive:
                worker.vanish()

    def _seen(self, group: asyncio.TaskGroup, pod: Object) -> None:
        uid = pod["metadata"]["uid"]
        worker = self._workers.get(uid)
        if worker is None:
            worker = self._workers[uid] = PodWorker(self._node, pod, self._place(pod))
            if not worker.done:
                group.create_task(self._work(worker), name=f"pod-{pod['metadata']['name']}")
        else:
            worker.update(pod)
        if worker.done and pod["metadata"].get("deletionGracePeriodSeconds"):
            group.create_task(self._end(worker))  # deleted just when it had ended

    def _vanished(self, group: asyncio.TaskGroup, uid: str) -> None:
        worker = self._workers.get(uid)
        if worker is None:
            return
        worker.vanish()
        if worker.done:
            group.create_task(self._end(worker))

    async def _work(self, worker: PodWorker) -> None:
        try:
            await worker.run()
        except Exception:
            # One Pod that breaks its worker must not take the Node with it.
            _log.exception("pod worker failed pod=%s", worker.pod["metadata"]["name"])
        if worker.deleted:
            self._workers.pop(worker.uid, None)

    async def _end(self, worker: PodWorker) -> None:
        await worker.finish_deletion()
        self._workers.pop(worker.uid, None)

    def _place(self, pod: Object) -> Place:
        meta = pod["metadata"]
        isolated = self._options.bubblewrap
        if isolated is None:
            isolated = bubblewrap.usable()
        name = f"{meta['namespace']}_{meta['name']}_{meta['uid']}"
        directory = self._root / "pods" / name
        return Place(self._root, directory, isolated, dict(self._options.markers))
