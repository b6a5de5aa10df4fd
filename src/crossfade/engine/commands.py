"""What people can ask for.  A command writes what is wanted; the hub's loops make it true."""

from dataclasses import dataclass, replace

from crossfade.base.clock import Clock
from crossfade.base.errors import InputError, NotFound
from crossfade.base.ids import ApplicationName, ClusterName, Epoch
from crossfade.core.application import Application
from crossfade.core.fleet.cluster import Cluster
from crossfade.core.fleet.placement import placed
from crossfade.core.rollout import commands as rules
from crossfade.core.rollout.record import Record
from crossfade.core.rollout.state import Rollout
from crossfade.engine.records import (
    APPLICATION,
    CLUSTER,
    HEALTH,
    REPORT,
    Records,
    Stored,
    report_name,
    rollout_name,
    save_application,
    save_cluster,
    save_rollout,
)
from crossfade.engine.retries import again_on_conflict
from crossfade.ports.cluster_access import Connections
from crossfade.ports.documents import Event, Remove


@dataclass(frozen=True, slots=True)
class Commands:
    """The commands on fleet, applications and rollouts; `engine/deployments.py` has `deploy`."""

    records: Records
    connections: Connections
    clock: Clock

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
            events=(self._event(f"{CLUSTER}/{cluster.name}", "added to the fleet"),),
        )

    async def remove_cluster(self, name: ClusterName) -> None:
        """
        Take a cluster out of the fleet; what runs there stays, its users go elsewhere.

        Raises NotFound, and InputError when an application would be left without any cluster.
        """
        await again_on_conflict(lambda: self._remove_cluster(name))

    async def _remove_cluster(self, name: ClusterName) -> None:
        stored = await self.records.find_cluster(name)
        if stored is None:
            known = ", ".join(each.value.name for each in await self.records.clusters())
            raise NotFound(f"there is no cluster `{name}`", hint=f"the fleet: {known or 'empty'}")
        await self._require_another(stored.value)
        event = self._event(f"{CLUSTER}/{name}", "removed from the fleet")
        await self.records.commit(
            Remove(CLUSTER, name, stored.version), *await self._seen_of(name), events=(event,)
        )

    async def _seen_of(self, name: ClusterName) -> list[Remove]:
        """Return the removals of everything that was seen of a cluster."""
        health = await self.records.find_health(name)
        removals = [Remove(HEALTH, name, health.version)] if health else []
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
            serves = bool(record.wanted.shares) and placed(placement, leaving)
            if serves and not any(placed(placement, each) for each in others):
                raise InputError(
                    f"`{leaving.name}` is the only cluster of `{record.spec.name}`",
                    hint="add another one first",
                )

    async def apply(self, application: Application) -> str:
        """
        Keep what the file says; return `created`, `configured` or `unchanged`.

        Raises InputError for a change that would leave users of a running application behind.
        """
        return await again_on_conflict(lambda: self._apply(application))

    async def _apply(self, application: Application) -> str:
        stored = await self.records.find_application(application.name)
        if stored is not None and stored.value.spec == application:
            return "unchanged"
        before = stored or Stored(Record(application))
        await self._require_possible(before.value, application)
        wanted = before.value.wanted
        if wanted.shares and before.value.spec.route != application.route:
            # Every cluster must write its route again, and say so.
            now = self.clock.now()
            wanted = replace(wanted, epoch=Epoch(wanted.epoch + 1), since=now)
        record = replace(before.value, spec=application, wanted=wanted)
        word = "configured" if stored else "created"
        event = self._event(f"{APPLICATION}/{application.name}", word)
        await self.records.commit(save_application(before, record), events=(event,))
        return word

    async def _require_possible(self, before: Record, wanted: Application) -> None:
        if before.rollout and wanted.namespace != before.spec.namespace:
            raise InputError(
                f"`{wanted.name}` runs in the namespace `{before.spec.namespace}` and cannot move",
                hint="give the application another name to run it in another namespace",
                wanted=wanted.namespace,
            )
        for stored in await self.records.applications():
            other = stored.value.spec
            if other.name != wanted.name and other.route.host.lower() == wanted.route.host.lower():
                raise InputError(
                    f"`{other.name}` has the host `{wanted.route.host}` already",
                    hint="give each application a host of its own in spec.route.host",
                )
        clusters = [each.value for each in await self.records.clusters()]
        if before.wanted.shares and not any(placed(wanted.placement, each) for each in clusters):
            raise InputError(
                f"no cluster of the fleet fits the new placement of `{wanted.name}`",
                hint="`crossfade fleet list` shows the clusters, `fleet add --label` changes them",
                wanted=", ".join(f"{k}={v}" for k, v in wanted.placement.match_labels.items()),
            )

    async def promote(self, name: ApplicationName, *, full: bool) -> Rollout:
        """Let the rollout past its current step, or give it all users.  Raises Conflict."""
        word = "promoted in full by a person" if full else "promoted by a person"
        return await self._change(name, lambda each: rules.promote(each, full=full), word)

    async def pause(self, name: ApplicationName) -> Rollout:
        """Hold the rollout where it is.  Raises Conflict."""
        return await self._change(name, rules.pause, "paused by a person")

    async def resume(self, name: ApplicationName) -> Rollout:
        """Let a paused rollout go on.  Raises Conflict."""
        return await self._change(name, rules.resume, "resumed by a person")

    async def abort(self, name: ApplicationName) -> Rollout:
        """Give the users back to the stable revision.  Raises Conflict."""
        why = "aborted by a person"
        return await self._change(name, lambda each: rules.abort(each, why), why)

    async def _change(self, name: ApplicationName, rule: rules.Rule, reason: str) -> Rollout:
        return await again_on_conflict(lambda: self._change_once(name, rule, reason))

    async def _change_once(self, name: ApplicationName, rule: rules.Rule, reason: str) -> Rollout:
        stored = await self.records.application(name)
        rollout = await self.records.rollout(stored.value)
        if rollout is None:
            raise NotFound(
                f"`{name}` has no rollout yet", hint=f"`crossfade deploy {name}` starts one"
            )
        changed = rule(rollout.value)
        subject = f"rollout/{rollout_name(name, changed.number)}"
        # The application is saved along, so that no new rollout can slip in between.
        await self.records.commit(
            save_rollout(rollout, changed),
            save_application(stored, stored.value),
            events=(self._event(subject, reason),),
        )
        return changed

    def _event(self, subject: str, reason: str) -> Event:
        return Event(subject, self.clock.now(), reason, {})
