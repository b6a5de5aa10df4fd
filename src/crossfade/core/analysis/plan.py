"""What a version is judged by: metrics, accepted risks, and what can be seen with how much."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from crossfade.base.ids import ClusterName

RISE = 0.005
"""Share of requests, failed or slow, below which a canary is good; so much more makes it bad."""

ALTERNATIVES = (1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 100.0, 300.0)
"""Ratios of rates that the test looks for, each with the same weight."""


class OnTimeout(StrEnum):
    """What follows when nothing is proven within `max_s`."""

    PAUSE = "pause"
    ROLL_BACK = "rollback"
    PROMOTE = "promote"
    """If what all users may lose is inside the budget."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A kind of event that should be no more frequent on the canary than on stable."""

    name: str
    weight: float = 1.0
    """Share of the evidence that counts, relative to the other metrics."""
    r0: float = 1.1
    """Ratio of the rates, canary to stable, that is tolerated."""
    r1: float = 1.5
    """From this ratio on a canary is promoted with a probability of at most `beta`."""
    gate: bool = True
    """Whether promotion waits for the proof that the ratio is below `r1`."""
    phi: float = 1.0
    """Dispersion: divides all evidence; above 1 where arms differ by themselves."""
    rise: float = 0.0
    """Below this share of requests the canary is good, whatever the ratio; 0: there is none."""
    harm: float | None = None
    """Harmed requests per event; None: 1 for the first metric of a plan, 0 for the others."""
    p0: float | None = None
    """Share of stable's requests with the event, from history; only the ramp uses it."""

    def __post_init__(self) -> None:
        """Raise ValueError, with what is allowed, for what makes no sense."""
        _need(self.weight > 0, self.name, f"weight {self.weight:g}", "above 0")
        _need(self.r0 >= 1, self.name, f"r0 {self.r0:g}", "1 or more")
        _need(self.r1 > self.r0, self.name, f"r1 {self.r1:g}", f"above r0, {self.r0:g}")
        _need(self.phi >= 1, self.name, f"phi {self.phi:g}", "1 or more")
        _need(0 <= self.rise < 1, self.name, f"rise {self.rise:g}", "0 up to below 1")
        _need((self.harm or 0) >= 0, self.name, f"harm {self.harm}", "0 or more")
        _need(self.p0 is None or 0 < self.p0 < 1, self.name, f"p0 {self.p0}", "between 0 and 1")


@dataclass(frozen=True, slots=True)
class Plan:
    """How one rollout is judged; shares and weights are fractions of 1, times are seconds."""

    metrics: tuple[Metric, ...]
    clusters: tuple[ClusterName, ...]
    """Clusters that are judged; fixed before the first look, whether they report or not."""
    clouds: Mapping[ClusterName, str] = field(default_factory=dict)
    """Failure domain of each cluster; needed when `by_cloud` is above 0."""
    alpha: float = 0.01
    """Accepted probability that a canary with all ratios up to `r0` is ever rolled back."""
    beta: float = 0.05
    """Accepted probability that a canary with a ratio of `r1` or more is promoted."""
    cap: float | None = 20.0
    """The most that one window of one cluster may add to the evidence as a factor."""
    pooled: float = 0.7
    """Weight of the evidence over all clusters; the rest is for each cluster by itself."""
    by_cloud: float = 0.0
    """Weight of the evidence by cloud, taken from that of single clusters."""
    alternatives: tuple[float, ...] = ALTERNATIVES
    min_soak_s: float = 600.0
    max_s: float = 10_800.0
    budget: float = 300.0
    """Harmed requests that the rollout may cost."""
    react_s: float = 60.0
    """From harm done to users moved: window, lag of metrics, routes, draining."""
    tick_s: float = 15.0
    """Length of a window."""
    silent_s: float = 90.0
    """A cluster without a window for so long is silent."""
    kappa: float = 0.5
    """Share of what is left of the budget that may be at stake until the next decision."""
    w_min: float = 0.002
    w_start: float = 0.10
    w_max: float = 0.5
    on_timeout: OnTimeout = OnTimeout.PAUSE

    def __post_init__(self) -> None:
        """Raise ValueError, with what is allowed, for what makes no sense."""
        names = [each.name for each in self.metrics]
        _need(len(names) > 0, "plan", "no metric", "one or more")
        _need(len(set(names)) == len(names), "plan", "a metric given twice", "different names")
        _need(len(self.clusters) > 0, "plan", "no cluster", "one or more")
        _need(0 < self.alpha < 1, "plan", f"alpha {self.alpha:g}", "between 0 and 1")
        _need(0 < self.beta < 1, "plan", f"beta {self.beta:g}", "between 0 and 1")
        _need(self.cap is None or self.cap > 1, "plan", f"cap {self.cap}", "above 1, or none")
        _need(0 <= self.pooled <= 1, "plan", f"pooled {self.pooled:g}", "0 to 1")
        most = 1 - self.pooled
        _need(0 <= self.by_cloud <= most, "plan", f"by_cloud {self.by_cloud:g}", f"0 to {most:g}")
        known = self.by_cloud == 0 or all(each in self.clouds for each in self.clusters)
        _need(known, "plan", "a cluster without a cloud", "each cluster in `clouds`")
        _need(self.budget > 0, "plan", f"budget {self.budget:g}", "above 0")
        _need(self.react_s > 0, "plan", f"react_s {self.react_s:g}", "above 0")
        _need(self.tick_s > 0, "plan", f"tick_s {self.tick_s:g}", "above 0")
        _need(0 < self.kappa <= 1, "plan", f"kappa {self.kappa:g}", "above 0 up to 1")
        ordered = 0 < self.w_min <= self.w_start <= 1 and self.w_min <= self.w_max <= 1
        weights = f"w_min {self.w_min:g}, w_start {self.w_start:g}, w_max {self.w_max:g}"
        _need(ordered, "plan", weights, "above 0 up to 1, w_min the smallest")
        self._need_detectable()

    def _need_detectable(self) -> None:
        """
        Hold that the test only looks for what is not tolerated.

        An alternative within the tolerance would gain on healthy canaries without end, and roll
        back every one of them.
        """
        _need(len(self.alternatives) > 0, "plan", "no alternative", "one or more")
        lowest = min(self.alternatives)
        for each in self.metrics:
            allowed = f"below the smallest alternative, {lowest:g}"
            _need(each.r0 < lowest, each.name, f"r0 {each.r0:g}", allowed)

    def harm_of(self, metric: Metric) -> float:
        """Return how many harmed requests one event of the metric stands for."""
        if metric.harm is not None:
            return metric.harm
        return 1.0 if metric.name == self.metrics[0].name else 0.0


def _need(good: bool, where: str, what: str, allowed: str) -> None:
    if not good:
        raise ValueError(f"{where}: {what} is not allowed; allowed: {allowed}")


def bad_ratio(p0: float, rise: float = RISE, at_least: float = 1.5) -> float:
    """Return `r1` for a metric whose canary is bad when its share is `rise` above stable's."""
    return max(at_least, 1 + rise / p0)


def required(p0: float, ratio: float, plan: Plan) -> int:
    """
    Return how many requests the canary must serve before this ratio can be told from stable.

    Args:
        p0: share of stable's requests with the event, above 0 and below 1.
        ratio: canary's share divided by stable's, above 1.
        plan: its `alpha` counts.

    Expected growth of the evidence at a small weight, for the alternative that is true: the
    price of not knowing it (at most ln 9 and the weights) comes on top.
    """
    if not (0 < p0 < 1 and ratio > 1):
        raise ValueError(f"p0 {p0:g} must be between 0 and 1, and the ratio {ratio:g} above 1")
    return math.ceil(math.log(1 / plan.alpha) / (p0 * (ratio * math.log(ratio) - ratio + 1)))


def visible_ratio(p0: float, requests: float, plan: Plan) -> float | None:
    """
    Return the smallest ratio that can be seen when the canary serves `requests`.

    None when even a canary that fails always cannot be told from stable.
    """
    low, high = 1.0, 1 / p0
    if requests < 1 or high <= 1 or required(p0, high, plan) > requests:
        return None
    for _ in range(60):
        middle = math.sqrt(low * high)
        if middle <= 1 or required(p0, middle, plan) > requests:
            low = middle
        else:
            high = middle
    return high


def usual_metrics(
    p0: float | None,
    slow: Mapping[str, float | None],
    *,
    tolerance: float = 1.1,
    dispersion: float = 1.0,
    slow_dispersion: float = 1.0,
) -> tuple[Metric, ...]:
    """
    Return the metrics for a service that answers requests: errors, and requests that are slow.

    Args:
        p0: share of stable's requests that fail, from history; None: it is not known.
        slow: events of requests above an edge of latency, each with stable's share from history;
            each has the same part of one weight.
        tolerance: ratio canary to stable that is as good, of every metric.
        dispersion: of errors.
        slow_dispersion: of all edges of latency: what slows one pod down moves all of them.
    """
    r1 = bad_ratio(p0) if p0 else 1.5
    errors = Metric("errors", r0=tolerance, r1=r1, phi=dispersion, rise=RISE, harm=1.0, p0=p0)
    share = 1 / len(slow) if slow else 0.0
    latency = (
        Metric(
            name, share, r0=tolerance, phi=slow_dispersion, rise=RISE, harm=0.0, p0=known or None
        )
        for name, known in slow.items()
    )
    return (errors, *latency)
