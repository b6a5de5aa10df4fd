"""What people ask of drills: to begin one, to end it, and what came of it."""

from dataclasses import dataclass, replace

from crossfade.base.clock import Clock
from crossfade.base.errors import Conflict, InputError, NotFound
from crossfade.base.ids import ClusterName
from crossfade.core.failover.drill import Course, Drill, Objective
from crossfade.engine.disclosure import with_more
from crossfade.engine.draining import effects, require_drainable
from crossfade.engine.records import CLUSTER, Records, Stored, save_drill
from crossfade.engine.retries import again_on_conflict
from crossfade.ports.documents import Event


@dataclass(frozen=True, slots=True)
class Order:
    """What a person asks for."""

    cluster: ClusterName
    seconds: float
    dry_run: bool = False
    recovery_seconds: float | None = None
    """Instead of what applications declare; so is the budget."""
    error_budget_percent: float | None = None


@dataclass(frozen=True, slots=True)
class Drilling:
    """One drill at a time, in the whole fleet."""

    records: Records
    clock: Clock

    async def begin(self, order: Order) -> Drill:
        """
        Have the hub begin a drill, and return it.

        Raises NotFound; Conflict while another drill goes on; UnsafePlan when no other cluster is
        known to serve; InputError when the cluster has no users.
        """
        return await again_on_conflict(lambda: self._begin(order))

    async def _begin(self, order: Order) -> Drill:
        if await self.records.find_cluster(order.cluster) is None:
            known = ", ".join(each.value.name for each in await self.records.clusters())
            raise NotFound(
                f"there is no cluster `{order.cluster}`", hint=f"the fleet: {known or 'empty'}"
            )
        going = await self.records.active_drill()
        if going is not None:
            raise Conflict(
                f"a drill of {going.value.cluster} goes on",
                hint="wait for its end; `crossfade failover drills` shows it",
            )
        now = self.clock.now()
        touched = await effects(self.records, order.cluster, now)
        require_drainable(touched)
        if not touched:
            raise InputError(
                f"{order.cluster} has no users, so nothing would be learnt",
                hint="`crossfade failover status` shows who has users",
            )
        courses = []
        for each in touched:
            spec = (await self.records.application(each.application)).value.spec
            courses.append(Course(each.application, _objective(spec.failover.objective, order)))
        number = max((each.value.number for each in await self.records.drills()), default=0) + 1
        drill = Drill(
            number, order.cluster, order.seconds, now, tuple(courses), dry_run=order.dry_run
        )
        asked = "drill asked for" if not order.dry_run else "asked whether a drill could be done"
        event = Event(f"{CLUSTER}/{order.cluster}", now, asked, {"drill": number})
        await self.records.commit(save_drill(0, drill), events=(event,))
        return drill

    async def stop(self, cluster: ClusterName, why: str) -> Drill | None:
        """End the drill of the cluster if there is one: its users come back now."""
        return await again_on_conflict(lambda: self._stop(cluster, why))

    async def abort(self, cluster: ClusterName, why: str) -> Drill:
        """End the drill of the cluster: its users come back now.  Raises Conflict without one."""
        stopped = await self.stop(cluster, why)
        if stopped is None:
            hint = "`crossfade failover drills` lists all of them"
            raise Conflict(f"no drill of {cluster} goes on", hint=hint)
        return stopped

    async def _stop(self, cluster: ClusterName, why: str) -> Drill | None:
        going = await self.records.active_drill()
        if going is None or going.value.cluster != cluster:
            return None
        if going.value.stopped:
            return going.value
        stopped, now = replace(going.value, stopped=why), self.clock.now()
        said = f"drill {stopped.number} is to end"
        event = Event(f"{CLUSTER}/{cluster}", now, said, {"drill": stopped.number})
        event = with_more(event, f"{said}: {why}")
        await self.records.commit(save_drill(going.version, stopped), events=(event,))
        return stopped

    async def drill(self, number: int) -> Drill:
        """Return the drill of this number.  Raises NotFound."""
        for stored in reversed(await self.records.drills()):
            if stored.value.number == number:
                return stored.value
        raise NotFound(f"there is no drill {number}", hint="`crossfade failover drills` lists them")

    async def drills(self) -> tuple[Drill, ...]:
        """Return all drills, the newest first."""
        found: tuple[Stored[Drill], ...] = await self.records.drills()
        return tuple(each.value for each in reversed(found))


def _objective(declared: Objective, order: Order) -> Objective:
    recovery, budget = order.recovery_seconds, order.error_budget_percent
    return Objective(
        declared.recovery_seconds if recovery is None else recovery,
        declared.error_budget_percent if budget is None else budget,
    )
