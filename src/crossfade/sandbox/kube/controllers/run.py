"""All controllers of a sandbox cloud, side by side."""

import asyncio

from crossfade.base.clock import Clock, SteadyClock
from crossfade.sandbox.kube.client import KubeClient
from crossfade.sandbox.kube.controllers.claims import ClaimController
from crossfade.sandbox.kube.controllers.context import Context, Controller
from crossfade.sandbox.kube.controllers.daemon_set import DaemonSetController
from crossfade.sandbox.kube.controllers.deployment import DeploymentController
from crossfade.sandbox.kube.controllers.endpoints import EndpointsController
from crossfade.sandbox.kube.controllers.expiry import expire_events
from crossfade.sandbox.kube.controllers.informers import Informers
from crossfade.sandbox.kube.controllers.job import JobController
from crossfade.sandbox.kube.controllers.nodes import NodeController
from crossfade.sandbox.kube.controllers.replica_set import ReplicaSetController
from crossfade.sandbox.kube.controllers.scheduler import Scheduler
from crossfade.sandbox.kube.controllers.stateful_set import StatefulSetController
from crossfade.sandbox.kube.objects.events import EventRecorder


async def run_controllers(client: KubeClient, clock: Clock | None = None) -> None:
    """Run the controllers and the scheduler, endlessly; raises only when it is cancelled."""
    clock = clock or SteadyClock()
    informers = Informers(client)
    events = EventRecorder(client, clock, "sandbox-controller-manager")
    context = Context(client, clock, informers, events)
    scheduler = Scheduler(context)
    controllers: tuple[Controller, ...] = (
        DeploymentController(context),
        ReplicaSetController(context),
        EndpointsController(context),
        JobController(context),
        StatefulSetController(context),
        DaemonSetController(context),
        NodeController(context),
        ClaimController(context),
        scheduler,
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(events.run(), name="events")
        group.create_task(expire_events(client, clock), name="expiry")
        group.create_task(scheduler.events.run(), name="scheduler-events")
        for controller in controllers:
            group.create_task(controller.queue.run(controller.reconcile))
        for informer in informers.all.values():
            group.create_task(informer.run(), name=f"watch-{informer.kind.plural}")
