"""What people can ask for.  A command writes what is wanted; the hub's loops make it true."""

from dataclasses import dataclass, replace

from crossfade.base import tracing
from crossfade.base.clock import Clock
from crossfade.base.errors import InputError, NotFound
from crossfade.base.ids import ApplicationName, ClusterName
from crossfade.core.application import Application
from crossfade.core.failover.capacity import refuse_unless_survives
from crossfade.core.failover.wish import ClusterWish
from crossfade.core.fleet.cluster import Cluster
from crossfade.core.fleet.placement import placed
from crossfade.core.rollout.commands import Command, perform
from crossfade.core.rollout.record import Record, renewed
from crossfade.core.rollout.state import Rollout
from crossfade.engine.admission import Admissions, Admitted
from crossfade.engine.changes import no_rollout, save_change
from crossfade.engine.cluster_changes import changed_words
from crossfade.engine.draining import Effect, effects, require_drainable
from crossfade.engine.drilling import Drilling
from crossfade.engine.records import (
    APPLICATION,
    CLUSTER,
    HEALTH,
    REPORT,
    WISH,
    Records,
    Stored,
    report_name,
    save_application,
    save_cluster,
    save_wish,
)
from crossfade.engine.retries import again_on_conflict
from crossfade.ports.cluster_access import Connections
from crossfade.ports.documents import Event, Remove

_PAST = {
    Command.PAUSE: "paused",
    Command.RESUME: "resumed",
    Command.PROMOTE: "promoted",
    Command.PROMOTE_FULL: "promoted in full",
    Command.SKIP: "step skipped",
    Command.APPROVE: "approved",
    Command.ABORT: "aborted",
    Command.RETRY: "retried",
    Command.RESTART: "restarted",
    Command.UNDO: "undone",
}


def _became(stored: Stored[Cluster] | None, cluster: Cluster) -> str:
    changed = changed_words(stored.value, cluster) if stored else ""
    return f"changed: {changed}" if changed else "added to the fleet"


def _same_host(one: Application, other: Application) -> bool:
    routes = one.route, other.route
    hosts = {each.host.lower() for each in routes if each is not None}
    return len(hosts) == 1 and None not in routes


@dataclass(frozen=True, slots=True)
class Commands:
    """The commands on fleet, applications and rollouts; `engine/deployments.py` has `deploy`."""

    records: Records
    connections: Connections
    clock: Clock

    @tracing.traced("add cluster")
    async def add_cluster(self, cluster: Cluster) -> str:
        """
        Add a cluster to the fleet, or change it, and return its Kubernetes version.

        Raises Unavailable or Denied when it does not answer: a cluster that cannot be reached
        now is far more often a typing error than an outage.
        """
        version = await self.connections.cluster(cluster).probe.api()
        await again_on_conflict(lambda: self._add_cluster(cluster))
        return version

    async def _add_cluster(self, cluster: Cluster) -> None:
        stored = await self.records.find_cluster(cluster.name)
        # The hub may have been looking when a cluster of this name left: that look is old.
        old = [] if stored else await self._seen_of(cluster.name)
        await self.records.commit(
            save_cluster(stored.version if stored else 0, cluster),
            *old,
            events=(self._event(f"{CLUSTER}/{cluster.name}", _became(stored, cluster)),),
        )

    @tracing.traced("remove cluster", of="cluster")
    async def remove_cluster(self, name: ClusterName) -> None:
        """
        Take a cluster out of the fleet; what runs there stays, its users go elsewhere.

        Raises NotFound, and InputError when an application would be left without any cluster.
        """
        await again_on_conflict(lambda: self._remove_cluster(name))

    async def _remove_cluster(self, name: ClusterName) -> None:
        stored = await self._known_cluster(name)
        await self._require_another(stored.value)
        event = self._event(f"{CLUSTER}/{name}", "removed from the fleet")
        await self.records.commit(
            Remove(CLUSTER, name, stored.version), *await self._seen_of(name), events=(event,)
        )

    @tracing.traced("restore cluster", of="cluster")
    async def restore_cluster(self, name: ClusterName) -> ClusterWish:
        """
        Let users come back to the cluster: it is drained no more, and a return is approved.

        They come step by step where the application's `failback` says so.  Raises NotFound.
        """
        wish = await again_on_conflict(lambda: self._wish(name, drained=False))
        await Drilling(self.records, self.clock).stop(name, "ended by a person")
        return wish

    async def effects_of_draining(self, name: ClusterName) -> tuple[Effect, ...]:
        """Return what draining the cluster would do.  Raises as `drain_cluster`."""
        await self._known_cluster(name)
        found = await effects(self.records, name, self.clock.now())
        require_drainable(found)
        return found

    @tracing.traced("drain cluster", of="cluster")
    async def drain_cluster(self, name: ClusterName) -> ClusterWish:
        """
        Have all users of the cluster served elsewhere, as others have room.

        Raises NotFound, and UnsafePlan when no other one is known to serve an application.
        """
        return await again_on_conflict(lambda: self._drain(name))

    async def _drain(self, name: ClusterName) -> ClusterWish:
        await self.effects_of_draining(name)
        return await self._wish(name, drained=True)

    async def _wish(self, name: ClusterName, *, drained: bool) -> ClusterWish:
        await self._known_cluster(name)
        stored = await self.records.find_wish(name)
        before = stored.value if stored else ClusterWish(name)
        now = self.clock.now()
        if drained:
            wish = replace(before, drained_since=before.drained_since or now)
        else:
            wish = replace(before, drained_since=None, restored_at=now)
        if wish == before:
            return wish
        word = "drained by a person" if drained else "users may come back: so said a person"
        event = self._event(f"{CLUSTER}/{name}", word)
        await self.records.commit(save_wish(stored.version if stored else 0, wish), events=(event,))
        return wish

    async def require_cluster(self, name: ClusterName) -> None:
        """Raise NotFound unless the cluster is in the fleet."""
        await self._known_cluster(name)

    async def _known_cluster(self, name: ClusterName) -> Stored[Cluster]:
        stored = await self.records.find_cluster(name)
        if stored is None:
            known = ", ".join(each.value.name for each in await self.records.clusters())
            raise NotFound(f"there is no cluster `{name}`", hint=f"the fleet: {known or 'empty'}")
        return stored

    async def _seen_of(self, name: ClusterName) -> list[Remove]:
        """Return the removals of everything that was seen of a cluster."""
        health = await self.records.find_health(name)
        removals = [Remove(HEALTH, name, health.version)] if health else []
        if wish := await self.records.find_wish(name):
            removals.append(Remove(WISH, name, wish.version))
        for report in await self.records.reports():
            if report.value.cluster == name:
                document = report_name(report.value.application, name)
                removals.append(Remove(REPORT, document, report.version))
        return removals

    async def _require_another(self, leaving: Cluster) -> None:
        others = [each.value for each in await self.records.clusters()]
        others = [each for each in others if each.name != leaving.name]
        for stored in await self.records.applications():
            record = stored.value
            placement = record.spec.placement
            serves = record.serves and placed(placement, leaving)
            if serves and not any(placed(placement, each) for each in others):
                raise InputError(
                    f"`{leaving.name}` is the only cluster of `{record.spec.name}`",
                    hint="add another one first",
                )

    @tracing.traced("apply")
    async def apply(self, application: Application, *, force: bool = False) -> str:
        """
        Keep what the file says; return `created`, `configured` or `unchanged`.

        Raises InputError for a change that would leave users of a running application behind, and,
        unless `force`, UnsafePlan when what runs would not survive the losses that it now is to.
        """
        return await again_on_conflict(lambda: self._apply(application, force=force))

    async def would_apply(self, application: Application, *, force: bool = False) -> str:
        """Return what `apply` would, and change nothing.  Raises as `apply`."""
        stored = await self.records.find_application(application.name)
        return await self._judged(stored, application, force=force)

    async def _judged(
        self, stored: Stored[Record] | None, application: Application, *, force: bool
    ) -> str:
        if stored is not None and stored.value.spec == application:
            return "unchanged"
        await self._require_possible((stored or Stored(Record(application))).value, application)
        refuse_unless_survives((await self.admitted(application)).admission, force=force)
        return "configured" if stored else "created"

    async def _apply(self, application: Application, *, force: bool) -> str:
        stored = await self.records.find_application(application.name)
        # What is judged is what is saved on: what has changed meanwhile is a Conflict.
        word = await self._judged(stored, application, force=force)
        if word == "unchanged":
            return word
        before = stored or Stored(Record(application))
        record = replace(before.value, spec=application)
        if record.serves and before.value.spec.route != application.route:
            # Every cluster must write its route again, and say so.
            record = renewed(record, self.clock.now())
        event = self._event(f"{APPLICATION}/{application.name}", word)
        await self.records.commit(save_application(before, record), events=(event,))
        return word

    async def admitted(self, application: Application) -> Admitted:
        """Return whether what runs survives what the file promises; asked when that is new."""
        stored = await self.records.find_application(application.name)
        known = stored.value if stored else Record(application)
        old = known.spec
        promised = (old.placement, old.strategy.survive)
        if stored and promised == (application.placement, application.strategy.survive):
            return Admitted(0)
        return await Admissions(self.records).look(replace(known, spec=application))

    async def _require_possible(self, before: Record, wanted: Application) -> None:
        if before.rollout and wanted.namespace != before.spec.namespace:
            raise InputError(
                f"`{wanted.name}` runs in the namespace `{before.spec.namespace}` and cannot move",
                hint="give the application another name to run it in another namespace",
                wanted=wanted.namespace,
            )
        for stored in await self.records.applications():
            other = stored.value.spec
            if other.name != wanted.name and other.route is not None and _same_host(other, wanted):
                raise InputError(
                    f"`{other.name}` has the host `{other.route.host}` already",
                    hint="give each application a host of its own in spec.route.host",
                )
        clusters = [each.value for each in await self.records.clusters()]
        if before.serves and not any(placed(wanted.placement, each) for each in clusters):
            raise InputError(
                f"no cluster of the fleet fits the new placement of `{wanted.name}`",
                hint="`crossfade fleet list` shows the clusters, `fleet add --label` changes them",
                wanted=", ".join(f"{k}={v}" for k, v in wanted.placement.match_labels.items()),
            )

    @tracing.traced("change rollout", of="application")
    async def change(self, name: ApplicationName, command: Command, why: str = "") -> Rollout:
        """
        Do what a person asks of the newest rollout, and return it.

        `why` is kept with the event.  Raises Conflict where the command has no meaning, or when
        it starts a new rollout: that is what `Deployments` is for.
        """
        return await again_on_conflict(lambda: self._change_once(name, command, why))

    async def _change_once(self, name: ApplicationName, command: Command, why: str) -> Rollout:
        stored = await self.records.application(name)
        rollout = await self.records.rollout(stored.value)
        if rollout is None:
            raise no_rollout(name)
        changed = perform(rollout.value, command, why)
        reason = f"{_PAST[command]} by a person" + (f": {why}" if why else "")
        return await save_change(self.records, stored, rollout, changed, reason, self.clock.now())

    def _event(self, subject: str, reason: str) -> Event:
        return Event(subject, self.clock.now(), reason, {})
