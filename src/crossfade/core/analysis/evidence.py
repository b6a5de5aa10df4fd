"""What is remembered of the analysis of one rollout, and what it says to the rollout.  Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from crossfade.base.ids import ClusterName
from crossfade.core.analysis.counters import ERRORS, Rules, Tally, slower_than
from crossfade.core.analysis.counts import Window
from crossfade.core.analysis.judgement import Judgement, Verdict
from crossfade.core.analysis.plan import Metric, Plan, usual_metrics
from crossfade.core.analysis.sequential import State, update
from crossfade.core.analysis.spec import Judge
from crossfade.core.analysis.verdict import HOLD_EVIDENCE, Action, Moment, decide
from crossfade.core.analysis.verdict import Verdict as Found

LATENCY = "latency"
_TAILS = (0.25, 0.05, 0.01, 0.001)
"""Shares of stable's answers that are slower than the edges that are watched."""
_ENOUGH = 1_000
"""Requests of stable after which its own history says what is usual."""
_USUAL_EDGES = (250, 1000)
_LONG_WINDOW = 60.0
"""From this length on, one window may decide alone: waiting for a second one costs too much."""


@dataclass(frozen=True, slots=True)
class Aside:
    """Requests and errors of both revisions in windows that say nothing of small differences."""

    new: int = 0
    new_errors: int = 0
    old: int = 0
    old_errors: int = 0


@dataclass(frozen=True, slots=True)
class Evidence:
    """The judge's plan and state, with what was counted since the share was last changed."""

    plan: Plan
    state: State
    percent: float = 0.0
    level_since: float = 0.0
    level_requests: int = 0
    """Of the new revision, at its present share."""
    requests: int = 0
    errors: int = 0
    rps: float = 0.0
    """Of all users of the clusters, in the newest windows."""
    still_since: float | None = None
    """Since when the rollout stands still because of a loss, None while it does not."""
    stopped: float = 0.0
    """For how many seconds it has stood still before that."""
    level_stopped: float = 0.0
    """How many of them were over when its present share began."""
    discarded: int = 0
    """Windows that were thrown away, because users were moving between clusters."""
    aside: Mapping[ClusterName, Aside] = field(default_factory=dict)
    """What was counted in those since the rollout stands still."""
    shifted_at: float | None = None
    """When the newest move of users began for which windows were looked through again."""

    def stopped_seconds(self, now: float) -> float:
        """Return for how long the clock has stood still until now."""
        since = now if self.still_since is None else self.still_since
        return self.stopped + max(0.0, now - since)


def rules_of(judge: Judge, *, scraped: bool = False) -> Rules:
    """Return how readings become windows: of gateways, made twice a second, or of Prometheus."""
    window = judge.window_seconds
    if scraped:
        return Rules(window_seconds=window, late_seconds=15.0, warmup_seconds=0.0)
    return Rules(
        window_seconds=window,
        gap_seconds=max(10.0, 2 * window),
        late_seconds=min(1.0, window / 2),
        warmup_seconds=0.0,
    )


def begin(
    judge: Judge,
    clouds: Mapping[ClusterName, str],
    history: Tally,
    max_percent: float,
    now: float,
    *,
    scraped: bool = False,
) -> Evidence:
    """
    Return the evidence before the first user meets the new revision.

    Args:
        judge: as the application's file has it.
        clouds: the clusters that take part, with their failure domains.
        history: what stable has served so far; it chooses the latency edges, before the rollout.
        max_percent: the share up to which a ramp goes.
        now: in seconds.
        scraped: counters come by way of Prometheus, and so later.
    """
    lag = rules_of(judge, scraped=scraped).late_seconds
    plan = plan_of(judge, clouds, _metrics(judge, history), max_percent, lag)
    return Evidence(plan, State(now), level_since=now)


def plan_of(
    judge: Judge,
    clouds: Mapping[ClusterName, str],
    metrics: tuple[Metric, ...],
    max_percent: float = 50.0,
    lag: float = 0.0,
) -> Plan:
    """Return the judge's plan for these clusters; windows are known `lag` seconds late."""
    window = judge.window_seconds
    return Plan(
        metrics=metrics,
        clusters=tuple(sorted(clouds)),
        clouds=dict(clouds),
        alpha=judge.alpha,
        beta=judge.beta,
        cap=20.0 if window < _LONG_WINDOW else None,
        min_soak_s=judge.min_seconds,
        max_s=judge.max_seconds,
        budget=judge.budget,
        react_s=min(60.0, 4 * window + 2 + lag),
        tick_s=window,
        silent_s=min(90.0, max(10.0, 6 * window)) + 2 * lag,
        w_max=max(max_percent / 100, 0.002),
        on_timeout=judge.on_timeout,
    )


def _metrics(judge: Judge, history: Tally) -> tuple[Metric, ...]:
    slow = [slower_than(edge / 1000) for edge in latency_edges(history)]
    return metrics_of(judge, {name: _share(history, name) for name in (ERRORS, *slow)})


def metrics_of(judge: Judge, shares: Mapping[str, float | None]) -> tuple[Metric, ...]:
    """
    Return the metrics that the judge asks for, of those that are counted.

    Args:
        judge: as the application's file has it.
        shares: stable's share of each event, None if it is not known; all but errors are slow.
    """
    slow = {name: share for name, share in shares.items() if name != ERRORS}
    errors, *edges = usual_metrics(
        shares.get(ERRORS),
        slow if LATENCY in judge.metrics else {},
        tolerance=judge.tolerance,
        dispersion=judge.dispersion,
        slow_dispersion=judge.latency_dispersion or judge.dispersion,
    )
    if ERRORS in judge.metrics and ERRORS in shares:
        return errors, *edges
    return tuple([replace(each, harm=1.0) for each in edges[:1]] + edges[1:])  # some harm counts


def _share(history: Tally, event: str) -> float | None:
    """Return the share of stable's requests with the event; None: too little is known."""
    if history.requests < _ENOUGH:
        return None
    return (history.events.get(event, 0) + 0.5) / (history.requests + 1)


def latency_edges(history: Tally) -> tuple[int, ...]:
    """Return up to four edges in milliseconds: those nearest to stable's p75, p95, p99, p99.9."""
    known = {
        float(event.removeprefix("slower-").removesuffix("ms")): count
        for event, count in history.events.items()
        if event.startswith("slower-")
    }
    if history.requests < _ENOUGH or not known:
        return _USUAL_EDGES
    nearest = {
        min(known, key=lambda edge: abs(known[edge] / history.requests - tail)) for tail in _TAILS
    }
    return tuple(int(each) for each in sorted(nearest))


def grown(
    evidence: Evidence, windows: Iterable[Window], percent: float, rps: float, now: float
) -> Evidence:
    """
    Return the evidence with more windows; those of clusters that came later are left out.

    A share that has changed since begins a new level.
    """
    if percent != evidence.percent:
        stopped = evidence.stopped_seconds(now)
        evidence = replace(
            evidence, percent=percent, level_since=now, level_requests=0, level_stopped=stopped
        )
    state = evidence.state
    for window in windows:
        known = state.clusters.get(window.cluster)
        if window.cluster not in evidence.plan.clusters or (
            known is not None and window.id <= known.last_id
        ):
            continue
        state = update(state, evidence.plan, window)
        evidence = replace(
            evidence,
            level_requests=evidence.level_requests + window.n_c,
            requests=evidence.requests + window.n_c,
            errors=evidence.errors + window.events.get(ERRORS, (0, 0))[0],
        )
    return replace(evidence, state=state, rps=rps)


def verdict_of(evidence: Evidence, excluded: Collection[ClusterName], now: float) -> Found:
    """Return the judge's verdict; `excluded` clusters do not take part now."""
    stopped = evidence.stopped_seconds(now)
    moment = Moment(
        now_s=now,
        rps=evidence.rps,
        weight=evidence.percent / 100,
        level_since_s=evidence.level_since + stopped - evidence.level_stopped,
        excluded=frozenset(excluded) & frozenset(evidence.plan.clusters),
        stopped_s=stopped,
    )
    return decide(evidence.state, evidence.plan, moment)


def judgement_of(judge: Judge, evidence: Evidence, found: Found) -> Judgement:
    """Return what the verdict says to the rollout."""
    verdict, reason = _plain(judge, evidence, found)
    return Judgement(
        verdict,
        evidence.requests,
        evidence.errors,
        reason,
        scope=found.scope,
        proven=verdict is Verdict.PASS and (found.proven or found.action is Action.PROMOTE),
        # Without any traffic nobody knows how many a share would harm.
        ramp=round(100 * found.weight, 2) if evidence.rps > 0 else None,
        evidence=found.e,
        harmed=found.harm,
    )


def _plain(judge: Judge, evidence: Evidence, found: Found) -> tuple[Verdict, str]:
    if found.action is Action.ROLLBACK:
        return Verdict.FAIL, found.reason
    if found.silent:
        return Verdict.UNKNOWN, found.reason
    if found.e > HOLD_EVIDENCE:
        return Verdict.HOLD, found.reason
    if found.action is Action.INCONCLUSIVE:
        return Verdict.INCONCLUSIVE, found.reason
    few = judge.min_requests - evidence.level_requests
    if few > 0 and evidence.percent > 0:
        served = f"{evidence.level_requests} of {judge.min_requests} requests"
        return Verdict.UNKNOWN, f"{served} at {evidence.percent:g} % needed for a verdict"
    return Verdict.PASS, found.reason


@dataclass(frozen=True, slots=True)
class Look:
    """One verdict with all that it rests on, as it is written down."""

    windows: tuple[Window, ...]
    percent: float
    rps: float
    excluded: tuple[ClusterName, ...]
    at: float
    found: Found
    after: Evidence = field(repr=False)


def look(
    evidence: Evidence,
    windows: tuple[Window, ...],
    percent: float,
    rps: float,
    excluded: Collection[ClusterName],
    now: float,
) -> Look:
    """Return the verdict after these windows; `rps` are the requests of all users per second."""
    after = grown(evidence, windows, percent, rps, now)
    names = tuple(sorted(excluded))
    return Look(windows, percent, rps, names, now, verdict_of(after, names, now), after)
