"""What every controller works with."""

from dataclasses import dataclass
from typing import Protocol

from crossfade.base.clock import Clock
from crossfade.sandbox.kube.client import KubeClient, Object
from crossfade.sandbox.kube.controllers.informers import Informers
from crossfade.sandbox.kube.controllers.work_queue import Key, WorkQueue
from crossfade.sandbox.kube.kinds import Kind
from crossfade.sandbox.kube.objects.events import EventRecorder
from crossfade.sandbox.kube.objects.ownership import controller_of


class Controller(Protocol):
    """Brings the objects of one kind, key by key, to where they are wanted."""

    queue: WorkQueue

    async def reconcile(self, key: Key) -> float | None:
        """Take the next step for one object; return seconds until the next look, or None."""
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """The API, the time, and the shared watches."""

    client: KubeClient
    clock: Clock
    informers: Informers
    events: EventRecorder

    def watch_owned(self, kind: Kind, owner: Kind, queue: WorkQueue) -> None:
        """
        Look at the controller (of kind `owner`) of each object of `kind` that changes.

        An object without a controller may be one to adopt: all of its namespace look at it.
        """
        owners = self.informers.of(owner).objects

        def changed(old: Object | None, new: Object | None) -> None:
            for obj in (old, new):
                reference = controller_of(obj) if obj is not None else None
                namespace = obj["metadata"].get("namespace", "") if obj is not None else ""
                if reference is not None and reference["kind"] == owner.kind:
                    queue.add((namespace, reference["name"]))
                elif obj is not None and reference is None:
                    for key in owners:
                        if key[0] == namespace:
                            queue.add(key)

        self.informers.of(kind).listen(changed)
