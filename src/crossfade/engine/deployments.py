"""Starts rollouts: of a new revision, or back to one that was proven before."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from crossfade.base import tracing
from crossfade.base.clock import Clock
from crossfade.base.errors import Conflict, InputError, NotFound
from crossfade.base.ids import ApplicationName, ClusterName, RevisionId
from crossfade.core.application import Application, Values
from crossfade.core.failover.capacity import refuse_unless_survives
from crossfade.core.fleet.cluster import Cluster
from crossfade.core.fleet.placement import placed
from crossfade.core.release.manifests import Prepared, prepare, require_port, service_of
from crossfade.core.release.revision import Revision, release_name, revision_id
from crossfade.core.release.sizing import planned_pods
from crossfade.core.release.values import merge
from crossfade.core.rollout.commands import Command, perform, supersede
from crossfade.core.rollout.record import Record, SharedChart, with_wanted
from crossfade.core.rollout.remarks import asked_by, fits_no_wave, remarks
from crossfade.core.rollout.skew import Misfit
from crossfade.core.rollout.state import Phase, Rollout, State
from crossfade.core.rollout.waves import members
from crossfade.engine.admission import Admissions, Admitted
from crossfade.engine.changes import no_rollout, save_change
from crossfade.engine.forecast import Forecast, Forecasts, require_accepted
from crossfade.engine.records import (
    ROLLOUT,
    USERS,
    Records,
    Stored,
    rollout_name,
    save_application,
    save_rollout,
)
from crossfade.engine.retries import again_on_conflict
from crossfade.engine.skew import Skew
from crossfade.ports.blobs import Blobs
from crossfade.ports.charts import Charts, PackedChart
from crossfade.ports.cluster_access import Connections
from crossfade.ports.documents import Event, Save


@dataclass(frozen=True, slots=True)
class Preview:
    """What a deployment would do."""

    revision: Revision
    prepared: Prepared
    clusters: tuple[ClusterName, ...]
    replaces: RevisionId | None
    """The stable revision; None for the first deployment."""
    chart: PackedChart
    waves: tuple[tuple[ClusterName, ...], ...] = ()
    """The clusters of each wave; one more at the end for those that are in none."""
    remarks: tuple[str, ...] = ()
    """What its author may not expect."""
    admitted: Admitted = field(default_factory=lambda: Admitted(0))
    """Whether the application survives the losses that it is to survive."""
    misfits: tuple[Misfit, ...] = ()
    """What could still serve, and does not get along with the revision."""


class AlreadyThere(Conflict):
    """The revision serves, or is being rolled out; the fact `revision` says which."""


@dataclass(frozen=True, slots=True)
class Deployments:
    """Deploy and undo."""

    records: Records
    blobs: Blobs
    charts: Charts
    clock: Clock
    connections: Connections

    @property
    def _skew(self) -> Skew:
        return Skew(self.records, self.clock)

    async def preview(self, name: ApplicationName, changes: Values) -> Preview:
        """
        Render the revision of the application's chart with its values and `changes` on top.

        Nothing is saved.  Raises InputError when the chart is missing, does not render, or makes
        objects that cannot stand beside another revision, NotFound without such an application.
        """
        record = (await self.records.application(name)).value
        values = merge(record.spec.source.values, changes)
        packed = await self.charts.pack(record.spec.source)
        digest = await self.blobs.put(packed.data)
        made, prepared = await self._made(record, packed, digest, values)
        clusters = await self._placed(record)
        _require_waves(record.spec, clusters)
        return Preview(
            made,
            prepared,
            tuple(each.name for each in clusters),
            record.active.id if record.active else None,
            packed,
            members(record.spec.strategy.waves, clusters),
            remarks(record.spec.strategy, record.spec.analysis, clusters),
            await Admissions(self.records).look(record, planned_pods(prepared.objects)),
            await self._skew.misfits(record, made),
        )

    async def _made(
        self, record: Record, packed: PackedChart, digest: str, values: Values, restarts: int = 0
    ) -> tuple[Revision, Prepared]:
        spec = record.spec
        name = spec.name
        revision = revision_id(digest, values, restarts)
        release = release_name(name, revision)
        as_application = await self.charts.render(packed.data, name, spec.namespace, values)
        as_release = await self.charts.render(packed.data, release, spec.namespace, values)
        prepared = prepare(as_release, name, revision)
        service = ""
        if spec.route is not None:
            service = service_of(spec.route.service, as_application, as_release, release)
            require_port(prepared.objects, service, spec.route.port)
        known = record.known(revision)
        made = Revision(
            id=revision,
            application=name,
            namespace=spec.namespace,
            chart_digest=digest,
            service=service,
            values=values,
            chart=packed.name,
            created_at=self.clock.now(),
            data=(known and known.data) or spec.data,
        )
        return made, prepared

    @tracing.traced("deploy", of="application")
    async def deploy(
        self, name: ApplicationName, changes: Values, once: str = "", *, force: bool = False
    ) -> Rollout:
        """
        Start the rollout of the application's chart with `changes` on top of its values.

        `once` is kept with it, for `deploy_once`.

        A rollout under way is superseded; it keeps no users.  Raises as `preview`, InputError when
        a cluster of the first wave refuses any object, Conflict when the revision already serves,
        is being rolled out, or a promotion is about to end, and, unless `force`, UnsafePlan when
        the application would not survive the losses that it is to survive, or a cluster could
        still serve a revision that does not get along with the new one.
        """
        preview = await self.preview(name, changes)
        refuse_unless_survives(preview.admitted.admission, force=force)
        spec = (await self.records.application(name)).value.spec
        forecasts = Forecasts(self.records, self.connections)
        checked = await forecasts.check(spec, preview.revision, preview.chart.data)
        require_accepted(checked, bool(spec.shared))
        shared = await self._shared(spec)
        return await again_on_conflict(
            lambda: self._deploy(name, preview.revision, shared, once, force=force)
        )

    async def forecast(self, preview: Preview) -> Forecast:
        """Return what to expect of the rollout; asks the clusters of the first wave."""
        record = (await self.records.application(preview.revision.application)).value
        forecasts = Forecasts(self.records, self.connections)
        return await forecasts.forecast(record, preview.revision, preview.chart.data)

    async def _shared(self, spec: Application) -> tuple[SharedChart, ...]:
        """Return the application's shared charts as they are now, kept with their content."""
        found = []
        for each in spec.shared:
            packed = await self.charts.pack(each.source)
            digest = await self.blobs.put(packed.data)
            found.append(SharedChart(each.name, digest, each.source.values))
        return tuple(found)

    async def _deploy(
        self,
        name: ApplicationName,
        revision: Revision,
        shared: tuple[SharedChart, ...],
        once: str,
        *,
        force: bool,
    ) -> Rollout:
        stored = await self.records.application(name)
        stored = replace(stored, value=replace(stored.value, shared=shared))
        before = await self._not_promoting(stored.value)
        if before is not None and before.value.active and before.value.canary.id == revision.id:
            if before.value.state.phase is not Phase.ROLLING_BACK:
                raise AlreadyThere(
                    f"{revision.id} is being rolled out already",
                    hint=f"`crossfade rollout watch {name}` follows it",
                    revision=revision.id,
                )
        elif stored.value.active is not None and stored.value.active.id == revision.id:
            if before is not None and before.value.active:
                return await self._back_to_stable(stored, before)
            raise AlreadyThere(
                f"{revision.id} serves already: same chart, same values",
                hint="change the chart or the values, for example `--set image.tag=...`",
                revision=revision.id,
            )
        if before is not None and before.value.active and before.value.state.percent > 0:
            await self._require_whole_stable(before.value)
        forced = await self._skew.overruled(stored.value, revision, force=force)
        swap = stored.value.proven_lately(revision.id, self.clock.now())
        return await self._start(stored, before, revision, swap=swap, once=once, forced=forced)

    async def _back_to_stable(self, stored: Stored[Record], before: Stored[Rollout]) -> Rollout:
        """Deploying what serves already, in the middle of a rollout, takes that rollout back."""
        why = f"{before.value.stable.id if before.value.stable else 'stable'} was deployed again"
        changed = perform(before.value, Command.ABORT, why)
        return await save_change(self.records, stored, before, changed, why, self.clock.now())

    async def retry(self, name: ApplicationName) -> Rollout:
        """
        Give what was taken back another go: single clusters of the rollout, or all of it anew.

        Raises NotFound, and Conflict when nothing was taken back.
        """
        return await again_on_conflict(lambda: self._again(name, Command.RETRY))

    async def restart(self, name: ApplicationName) -> Rollout:
        """
        Begin the rollout under way again with its first step, or replace all pods in a new one.

        The new one has a revision of the same chart and values as the one that serves, and goes
        through all steps.  Raises NotFound, Conflict.
        """
        return await again_on_conflict(lambda: self._again(name, Command.RESTART))

    async def _again(self, name: ApplicationName, command: Command) -> Rollout:
        stored = await self.records.application(name)
        before = await self.records.rollout(stored.value)
        if before is None:
            raise no_rollout(name)
        effect = perform(before.value, command)
        if isinstance(effect, Rollout):
            reason = f"{command} by a person"
            return await save_change(self.records, stored, before, effect, reason, self.clock.now())
        revision = before.value.canary if effect.again else await self._renewed(stored.value)
        return await self._start(stored, before, revision, swap=False)

    async def _renewed(self, record: Record) -> Revision:
        """Return a revision of the same content as the one that serves, with pods of its own."""
        active = record.active
        if active is None:
            raise NotFound(
                f"nothing of `{record.spec.name}` serves yet",
                hint=f"`crossfade deploy {record.spec.name}` brings it out",
            )
        packed = PackedChart(active.chart, await self.blobs.fetch(active.chart_digest))
        restarts = record.rollout + 1
        made, _ = await self._made(record, packed, active.chart_digest, active.values, restarts)
        return replace(made, data=active.data)

    async def _require_whole_stable(self, under_way: Rollout) -> None:
        """Superseding sends users back to stable: refuse while it could not take them."""
        stable, name = under_way.stable, under_way.application
        broken = [
            each.value.cluster
            for each in await self.records.reports()
            if stable and each.value.application == name and not each.value.of(stable.id).ready
        ]
        if stable is not None and broken:
            raise Conflict(
                f"{stable.id} does not run in full on {', '.join(broken)},"
                f" so the users of {under_way.canary.id} cannot go back to it",
                hint=f"wait until it does, or `crossfade rollout promote {name} --full`",
            )

    async def undo(
        self, name: ApplicationName, to: RevisionId | None, *, force: bool = False
    ) -> Rollout:
        """
        Swap users back to an older revision: the newest that is kept running, or `to`.

        Raises NotFound when there is none, Conflict while a rollout is under way, and, unless
        `force`, UnsafePlan when what could still serve does not get along with it.
        """
        return await again_on_conflict(lambda: self._undo(name, to, force))

    async def _undo(self, name: ApplicationName, to: RevisionId | None, force: bool) -> Rollout:
        stored = await self.records.application(name)
        record = stored.value
        before = await self.records.rollout(record)
        if before is not None:
            perform(before.value, Command.UNDO)  # refuses while it is under way
        target = self._target(record, to)
        if record.active is not None and target.id == record.active.id:
            raise Conflict(f"{target.id} serves already", hint="`--to` names another revision")
        forced = await self._skew.overruled(record, target, force=force)
        return await self._start(stored, before, target, swap=True, forced=forced)

    def _target(self, record: Record, to: RevisionId | None) -> Revision:
        name = record.spec.name
        if to is not None:
            known = record.known(to)
            if known is None:
                names = ", ".join(each.id for each in record.history)
                raise NotFound(
                    f"`{name}` has no revision `{to}`", hint=f"it has: {names or 'none'}"
                )
            return known
        older = [each.revision for each in record.kept] or list(record.history[1:])
        if not older:
            raise NotFound(
                f"`{name}` has no older revision to go back to",
                hint="deploy a better one with `crossfade deploy`",
            )
        return older[0]

    async def _not_promoting(self, record: Record) -> Stored[Rollout] | None:
        rollout = await self.records.rollout(record)
        if rollout is not None and rollout.value.state.phase is Phase.PROMOTING:
            hint = "wait until that has ended, or abort it first"
            if rollout.value.stable is None:
                hint = "wait until that has ended; `crossfade fleet remove` gives up a cluster"
            raise Conflict(f"{rollout.value.canary.id} is being given all users", hint=hint)
        return rollout

    async def _start(
        self,
        stored: Stored[Record],
        before: Stored[Rollout] | None,
        revision: Revision,
        *,
        swap: bool,
        once: str = "",
        forced: str = "",
    ) -> Rollout:
        record, now = stored.value, self.clock.now()
        name = record.spec.name
        clusters = await self._clusters(record)
        if not clusters:
            labels = ", ".join(f"{k}={v}" for k, v in record.spec.placement.match_labels.items())
            raise InputError(
                f"no cluster of the fleet fits the placement of `{name}`",
                hint="`crossfade fleet add` adds clusters; `--label` sets their labels",
                wanted=labels or "any cluster",
            )
        record = _with_what_serves(record, before)
        rollout = Rollout(
            application=name,
            number=record.rollout + 1,
            canary=revision,
            stable=record.active,
            strategy=record.spec.strategy,
            analysis=record.spec.analysis,
            started_at=now,
            swap=swap,
            once=once,
            traceparent=tracing.current(),
            state=State(phase_since=now, reason="begins"),
        )
        changes: list[Save] = []
        if before is not None and before.value.active:
            after = supersede(before.value, f"{name}.{rollout.number}")
            changes.append(save_rollout(before, after))
        record = replace(record, rollout=rollout.number)
        record = with_wanted(record, rollout, clusters, now)
        changes.append(save_application(stored, record))
        changes.append(save_rollout(Stored(rollout), rollout))
        reason = f"{'swap back' if swap else 'rollout'} to {revision.id} begins"
        reason += f", forced: {forced}" if forced else ""
        subject = f"{ROLLOUT}/{rollout_name(name, rollout.number)}"
        events = [Event(subject, now, reason, {"revision": revision.id})]
        if forced:
            events.append(Event(f"{USERS}/{name}", now, reason, {}))
        await self.records.commit(*changes, events=tuple(events))
        return rollout

    async def _clusters(self, record: Record) -> tuple[ClusterName, ...]:
        return tuple(each.name for each in await self._placed(record))

    async def _placed(self, record: Record) -> tuple[Cluster, ...]:
        found = (each.value for each in await self.records.clusters())
        return tuple(each for each in found if placed(record.spec.placement, each))


def _require_waves(spec: Application, clusters: Sequence[Cluster]) -> None:
    """Raise InputError when waves are asked for, and would all be passed over."""
    if fits_no_wave(spec.strategy, clusters):
        asked = "; ".join(asked_by(each) for each in spec.strategy.waves)
        raise InputError(
            f"none of the clusters of `{spec.name}` is in any of its waves, so that all of them"
            " would get the new revision at once",
            hint="name clusters or labels that `crossfade fleet list` shows in spec.rollout.waves",
            waves=asked,
            clusters=", ".join(each.name for each in clusters),
        )


def _with_what_serves(record: Record, before: Stored[Rollout] | None) -> Record:
    """Return the record; a first revision that is superseded with users is what they go back to."""
    if record.active is not None or before is None or before.value.state.percent == 0:
        return record
    first = before.value.canary
    return replace(record, active=first, history=(first, *record.history))
