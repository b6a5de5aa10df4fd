"""Carries out the analysis runs of rollouts: asks the sources, and saves what they gave."""

import math
from dataclasses import dataclass

from crossfade.base.clock import Clock
from crossfade.base.errors import CrossfadeError, InputError
from crossfade.base.ids import ApplicationName
from crossfade.core.analysis import kayenta
from crossfade.core.analysis.judgement import Run
from crossfade.core.analysis.queries import JobQuery, Query, WebQuery, fields_of, filled
from crossfade.core.analysis.run_standstill import gone_on, stood_still
from crossfade.core.analysis.runs import (
    ComparedMetric,
    Comparison,
    RunMetric,
    RunSpec,
    RunState,
    assessed,
    due,
    measured,
    next_look,
    run_of,
    scored,
    unanswered,
)
from crossfade.core.analysis.sources import JobSource, MetricSource, WebSource
from crossfade.core.rollout.interruption import doubtful_since
from crossfade.core.rollout.spec import Analyse
from crossfade.core.rollout.state import ClusterPhase, Rollout
from crossfade.engine.records import RUN, Records, Stored, run_name, save_run
from crossfade.ports.documents import Event
from crossfade.ports.measurements import Sources, Span

LOOK_SECONDS = 0.5
IDLE_SECONDS = 30.0
"""Without a rollout that has runs; the hub has everything looked at when one begins."""


@dataclass(frozen=True, slots=True)
class Runs:
    """One application at a time."""

    records: Records
    sources: Sources
    clock: Clock

    async def reconcile(self, name: str) -> float:
        """Measure what is due in the newest rollout; return seconds until the next look."""
        stored = await self.records.application(ApplicationName(name))
        rollout = await self.records.rollout(stored.value)
        if rollout is None or not rollout.value.active or not rollout.value.analysis.runs:
            return IDLE_SECONDS
        since = doubtful_since(rollout.value)
        for spec in due_runs(rollout.value):
            if since is None:
                await self._look(rollout.value, spec)
            else:  # what is measured while users move says little of the revision
                await self._stand_still(rollout.value, spec, since)
        return LOOK_SECONDS

    async def standing(self, rollout: Rollout) -> dict[str, Run]:
        """Return how each run of the rollout stands that has begun, or is waited for."""
        found = {}
        for spec in due_runs(rollout):
            stored = await self.records.find_run(run_name(rollout, spec.name))
            found[spec.name] = run_of(spec, stored.value if stored else None)
        return found

    async def _stand_still(self, rollout: Rollout, spec: RunSpec, since: float) -> None:
        document = run_name(rollout, spec.name)
        stored = await self.records.find_run(document)
        if stored is None:
            return
        after = stood_still(stored.value, spec.comparison, since)
        if after != stored.value:
            await self._save(document, stored, after)

    async def _look(self, rollout: Rollout, spec: RunSpec) -> None:
        now, document = self.clock.now(), run_name(rollout, spec.name)
        stored = await self.records.find_run(document)
        if stored is None:
            await self._save(document, Stored(RunState(now)), RunState(now))
            return
        state = gone_on(stored.value, now)
        if spec.comparison is not None:
            after = await self._compare(rollout, spec, spec.comparison, state, now)
        else:
            after = state
            for metric in due(spec, state, now):
                after = await self._measure(rollout, spec, metric, after)
            after = assessed(spec, after)
        if after != stored.value:
            await self._save(document, stored, after)

    async def _measure(
        self, rollout: Rollout, spec: RunSpec, metric: RunMetric, state: RunState
    ) -> RunState:
        now = self.clock.now()
        source = self.sources.open(_source_of(metric.source, metric.query, rollout))
        count = state.results[metric.name].counters.count if metric.name in state.results else 0
        try:
            # What was thrown away is measured again, and not read again: a Job of that name ended.
            again = f"-{len(state.gaps)}" if state.gaps else ""
            query = filled(metric.query, _fields(rollout, spec, f"{metric.name}-{count}{again}"))
            found = await source.measure(query, now)
        except CrossfadeError as error:
            return unanswered(state, metric, error.what, self.clock.now())
        if not found.known:
            return unanswered(state, metric, "the source has nothing", self.clock.now())
        return measured(state, metric, found.value, found.passed, self.clock.now())

    async def _compare(
        self,
        rollout: Rollout,
        spec: RunSpec,
        comparison: Comparison,
        state: RunState,
        now: float,
    ) -> RunState:
        at = next_look(comparison, state)
        if at is None or now < at:
            return state
        span = Span(state.started_at, now, comparison.step_seconds)
        metrics = tuple(
            [await self._series(rollout, spec, each, span, state) for each in comparison.metrics]
        )
        return scored(comparison, state, metrics)

    async def _series(
        self, rollout: Rollout, spec: RunSpec, metric: ComparedMetric, span: Span, state: RunState
    ) -> kayenta.Metric:
        """Return the metric with its points that count; a source that is silent has none."""
        fields = _fields(rollout, spec, metric.name)
        points = []
        for query in (metric.canary, metric.baseline):
            source = self.sources.open(_source_of(metric.source, query, rollout))
            try:
                found = await source.series(filled(query, fields), span)
            except CrossfadeError:
                found = ()
            counting = tuple(each.value for each in found if state.counts(each.at))
            points.append(counting or (math.nan,))
        return kayenta.Metric(
            metric.name,
            points[0],
            points[1],
            groups=(metric.group,),
            critical=metric.critical,
            must_have_data=metric.must_have_data,
            direction=metric.direction,
        )

    async def _save(self, document: str, before: Stored[RunState], after: RunState) -> None:
        reason = f"{after.phase.value}: {after.message}" if after.message else after.phase.value
        event = Event(f"{RUN}/{document}", self.clock.now(), reason, {"scores": after.scores})
        await self.records.commit(save_run(before.version, document, after), events=(event,))


def due_runs(rollout: Rollout) -> tuple[RunSpec, ...]:
    """Return the runs that go on now: beside the steps once users came, or awaited by a step."""
    state, steps = rollout.state, rollout.strategy.steps
    if rollout.direct:
        return ()
    awaited = set()
    for each in state.clusters.values():
        if each.phase is ClusterPhase.STEPPING and each.step < len(steps):
            step = steps[each.step]
            if isinstance(step, Analyse) and step.run:
                awaited.add(step.run)
    return tuple(
        each
        for each in rollout.analysis.runs
        if each.name in awaited or (each.background and state.meets_users)
    )


def _source_of(given: MetricSource | None, query: Query, rollout: Rollout) -> MetricSource:
    """Return the source of a query; addresses and Jobs need none."""
    if isinstance(query, JobQuery):
        return JobSource()
    if isinstance(query, WebQuery):
        return WebSource()
    found = given or rollout.analysis.source
    if found is None:
        raise InputError(
            "a metric has no source",
            hint="give `source` in spec.analysis, or in the metric",
        )
    return found


def _fields(rollout: Rollout, spec: RunSpec, measurement: str) -> dict[str, str]:
    canary, stable = rollout.canary, rollout.stable
    return fields_of(
        {
            "application": rollout.application,
            "revision": canary.id,
            "stable": stable.id if stable else "",
            "service": canary.service,
            "stable_service": stable.service if stable else "",
            "namespace": canary.namespace,
            "release": canary.release,
            "measurement": f"{run_name(rollout, spec.name)}-{measurement}",
        },
        spec.arguments,
    )
