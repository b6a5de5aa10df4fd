"""Policies that decide about a canary: ours, and those that people use, for canary_harm.py."""

import math
from dataclasses import dataclass, field
from typing import Protocol

from canary_world import CLUSTERS, EDGES_MS, TICK_S, Counts, Row, World

from crossfade.base.ids import ClusterName
from crossfade.core.analysis import kayenta
from crossfade.core.analysis.counts import Window
from crossfade.core.analysis.plan import Plan, usual_metrics
from crossfade.core.analysis.ramp import next_weight
from crossfade.core.analysis.sequential import State, update
from crossfade.core.analysis.verdict import HOLD_EVIDENCE, Action, Moment, decide

ROLLBACK, PROMOTE = "rollback", "promote"
SPENT = "budget spent"
"""A rollback without a verdict: the canary has harmed as many as were allowed."""
_JUDGED = tuple(ClusterName(each) for each in CLUSTERS)
_MINUTE = 4


class Policy(Protocol):
    """Sets the canary's share, sees what was counted, and decides at last."""

    weight: float

    def look(self, tick: int, counts: list[Counts]) -> str | None:
        """Return `rollback`, `budget spent` or `promote`, None to go on; may change `weight`."""
        ...


@dataclass
class Totals:
    """One arm over all clusters: what a query of Prometheus would return."""

    requests: int = 0
    errors: int = 0
    tail: list[int] = field(default_factory=lambda: [0, 0, 0, 0])

    def add(self, requests: int, errors: int, tail: tuple[int, ...]) -> None:
        self.requests += requests
        self.errors += errors
        self.tail = [old + new for old, new in zip(self.tail, tail, strict=True)]

    @property
    def success(self) -> float:
        """Share of requests without an error; nan without requests."""
        return 1 - self.errors / self.requests if self.requests else math.nan

    def p99_ms(self) -> float:
        """Return `histogram_quantile(0.99, ...)`: linear inside the bucket it falls into."""
        if not self.requests:
            return math.nan
        rank = 0.01 * self.requests  # so many are slower
        above, low = self.requests, 100.0
        for edge, slower in zip(EDGES_MS, self.tail, strict=True):
            if slower <= rank:
                inside = above - slower
                return edge if not inside else low + (edge - low) * (above - rank) / inside
            above, low = slower, edge
        return EDGES_MS[-1]


class Windowed:
    """Collects the counts of both arms until a policy's interval is over."""

    def __init__(self, ticks: int) -> None:
        self.ticks, self.canary, self.stable = ticks, Totals(), Totals()

    def add(self, tick: int, counts: list[Counts]) -> bool:
        """Add a tick; say whether the interval is over."""
        if tick % self.ticks == 1 or self.ticks == 1:
            self.canary, self.stable = Totals(), Totals()
        for each in counts:
            self.canary.add(each.n_c, each.errors_c, each.tail_c)
            self.stable.add(each.n_s, each.errors_s, each.tail_s)
        return tick % self.ticks == 0


class Flagger:
    """Flagger: absolute thresholds each minute, `threshold` failed checks roll back."""

    def __init__(self, threshold: int, step: float, most: float = 0.5) -> None:
        self.weight, self._threshold, self._step, self._most = step, threshold, step, most
        self._failed, self._window = 0, Windowed(_MINUTE)

    def look(self, tick: int, counts: list[Counts]) -> str | None:
        if not self._window.add(tick, counts):
            return None
        if self._failed >= self._threshold:  # looked at before the metrics are
            return ROLLBACK
        seen = self._window.canary
        if not (seen.success >= 0.99 and seen.p99_ms() <= 500):  # no value fails, too
            self._failed += 1
            return None
        if self.weight >= self._most - 1e-9:
            return PROMOTE
        self.weight = min(self._most, self.weight + self._step)
        return None


@dataclass
class Argo:
    """Argo Rollouts: steps of 20, 40, 60, 80 %, an analysis in the background."""

    step_minutes: int
    interval_minutes: int
    least: float
    failures: int
    begins_at: float
    p99: bool = False
    weight: float = 0.2
    failed: int = 0

    def __post_init__(self) -> None:
        self.window = Windowed(self.interval_minutes * _MINUTE)

    def look(self, tick: int, counts: list[Counts]) -> str | None:
        over = self.window.add(tick, counts)
        if over and self.weight >= self.begins_at - 1e-9:
            seen = self.window.canary
            good = seen.success >= self.least and not (self.p99 and not seen.p99_ms() <= 500)
            self.failed += not good
            if self.failed > self.failures:
                return ROLLBACK
        if tick % (self.step_minutes * _MINUTE) == 0:
            if self.weight >= 0.8 - 1e-9:
                return PROMOTE
            self.weight += 0.2
        return None


class PeekedTest:
    """A test of two proportions on all errors so far, looked at each minute; 5 % more each."""

    def __init__(self, level: float) -> None:
        self.weight, self._level = 0.05, level
        self._minute, self._canary, self._stable = Windowed(_MINUTE), Totals(), Totals()

    def look(self, tick: int, counts: list[Counts]) -> str | None:
        if not self._minute.add(tick, counts):
            return None
        for total, new in (
            (self._canary, self._minute.canary),
            (self._stable, self._minute.stable),
        ):
            total.add(new.requests, new.errors, (0, 0, 0, 0))
        if self._p() < self._level:
            return ROLLBACK
        if self.weight >= 0.5 - 1e-9:
            return PROMOTE
        self.weight += 0.05
        return None

    def _p(self) -> float:
        a, b = self._canary, self._stable
        both = (a.errors + b.errors) / max(1, a.requests + b.requests)
        if not a.requests or not b.requests or both in (0.0, 1.0):
            return 1.0
        spread = math.sqrt(both * (1 - both) * (1 / a.requests + 1 / b.requests))
        z = (a.errors / a.requests - b.errors / b.requests) / spread
        return 0.5 * math.erfc(z / math.sqrt(2))


class Kayenta:
    """Kayenta: three runs of 60 points at 10 % of users; pass 95, marginal 75."""

    def __init__(self, point_ticks: int) -> None:
        self.weight, self._point, self._length = 0.1, Windowed(point_ticks), 60
        self._series: dict[str, tuple[list[float], list[float]]] = {}
        self._points, self._scores = 0, list[float]()

    def look(self, tick: int, counts: list[Counts]) -> str | None:
        if not self._point.add(tick, counts):
            return None
        for arm, totals in enumerate((self._point.canary, self._point.stable)):
            values = {"errors": 1 - totals.success, "p99": totals.p99_ms()}
            for name, value in values.items():
                self._series.setdefault(name, ([], []))[arm].append(value)
        self._points += 1
        if self._points % self._length:
            return None
        config = kayenta.Config(
            tuple(
                kayenta.Metric(
                    name, tuple(canary), tuple(stable), direction=kayenta.Direction.INCREASE
                )
                for name, (canary, stable) in self._series.items()
            )
        )
        self._series = {}
        self._scores.append(kayenta.judge(config).score)
        looks = kayenta.after(self._scores, 3, kayenta.Thresholds())
        if not looks.ended:
            return None
        return PROMOTE if looks.passed else ROLLBACK


class Ours:
    """The sequential judge, on a fixed ramp like Flagger's or on the risk budget."""

    def __init__(
        self, row: Row, ticks: int, *, budget: bool, factors: tuple[float, float] = (1.0, 1.0)
    ) -> None:
        metrics = usual_metrics(row.p0, row.slow, dispersion=factors[0], slow_dispersion=factors[1])
        cap = 20.0 if ticks == 1 else None
        self.plan = Plan(metrics, _JUDGED, cap=cap, tick_s=ticks * TICK_S)
        self.state = State(0.0)
        self._ticks, self._row, self._budget = ticks, row, budget
        self._sums = [_zeros() for _ in CLUSTERS]
        self._since = 0.0
        self.weight = next_weight(self.state, self.plan, row.rps, 0.0) if budget else 0.05

    def look(self, tick: int, counts: list[Counts]) -> str | None:
        for sums, each in zip(self._sums, counts, strict=True):
            _add(sums, each)
        if tick % self._ticks:
            return None
        for name, sums in zip(_JUDGED, self._sums, strict=True):
            self.state = update(self.state, self.plan, _window(tick // self._ticks, name, sums))
        self._sums = [_zeros() for _ in CLUSTERS]
        now = tick * TICK_S
        verdict = decide(
            self.state, self.plan, Moment(now, self._row.rps, self.weight, self._since)
        )
        match verdict.action:
            case Action.ROLLBACK:
                proven = self.state.peak >= math.log(1 / self.plan.alpha)
                return ROLLBACK if proven else SPENT
            case Action.PROMOTE:
                return PROMOTE
        if self._budget:
            self._set(verdict.weight, now)
        elif tick % _MINUTE == 0 and verdict.e <= HOLD_EVIDENCE and self.weight < 0.5 - 1e-9:
            self._set(self.weight + 0.05, now)
        return None

    def _set(self, weight: float, now: float) -> None:
        if abs(weight - self.weight) > 1e-9:
            self.weight, self._since = weight, now


def _zeros() -> list[int]:
    return [0] * 8


def _add(sums: list[int], each: Counts) -> None:
    new = (each.n_c, each.n_s, each.errors_c, each.errors_s)
    for place, value in enumerate((*new, *each.tail_c[:2], *each.tail_s[:2])):
        sums[place] += value


def _window(number: int, name: ClusterName, sums: list[int]) -> Window:
    n_c, n_s, errors_c, errors_s, slow_c, slower_c, slow_s, slower_s = sums
    events = {
        "errors": (errors_c, errors_s),
        "slow_250ms": (slow_c, slow_s),
        "slow_500ms": (slower_c, slower_s),
    }
    return Window(number, name, n_c, n_s, events)


def recorded(row: Row, seed: int, ticks: int = 40, share: float = 0.5) -> list[Window]:
    """Return the windows of a rollout at this share, the largest of a ramp, that nobody judged."""
    world, found = World(row, seed), []
    for tick in range(1, ticks + 1):
        for name, counts in zip(_JUDGED, world.tick(share), strict=True):
            sums = _zeros()
            _add(sums, counts)
            found.append(_window(tick, name, sums))
    return found
