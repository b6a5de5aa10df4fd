"""How a new revision is judged, as the application's file says it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from crossfade.core.analysis.plan import OnTimeout
from crossfade.core.analysis.presets import Preset
from crossfade.core.analysis.runs import RunSpec
from crossfade.core.analysis.sources import MetricSource


@dataclass(frozen=True, slots=True)
class ErrorThreshold:
    """The new revision fails when its share of failed first tries is above `max_percent`."""

    max_percent: float = 5.0
    min_requests: int = 50
    """Fewer requests than this give no verdict, neither good nor bad."""
    window_seconds: float = 30.0
    """How far back requests are counted."""


@dataclass(frozen=True, slots=True)
class Judge:
    """The sequential judge: canary against stable, looked at as often as one likes."""

    metrics: tuple[str, ...] = ("errors", "latency")
    budget: float = 300.0
    """Requests that may be harmed in one rollout."""
    alpha: float = 0.01
    """Chance that a revision as good as stable is ever taken back."""
    beta: float = 0.05
    """Chance that a revision that is worse by the smallest ratio of interest is proven good."""
    tolerance: float = 1.1
    """Ratio of rates that still counts as equally good."""
    dispersion: float = 1.0
    """Noise of single pods beyond chance, from A/A calibration; 1 is none."""
    latency_dispersion: float | None = None
    """That of latency; None: as that of errors."""
    window_seconds: float = 15.0
    min_seconds: float = 600.0
    """How long it must have been watched before it is proven."""
    max_seconds: float = 10_800.0
    on_timeout: OnTimeout = OnTimeout.PAUSE
    min_requests: int = 50
    """Of the new revision at its present share before users may rise further."""


@dataclass(frozen=True, slots=True)
class CounterSource:
    """Counters of requests in Prometheus, for the judge, instead of those of the gateways."""

    preset: Preset
    """Whose counters."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """More labels of all series; `{{cluster}}` in a value is the cluster's name."""
    edges_seconds: tuple[float, ...] = (0.1, 0.25, 0.5, 1.0)
    """Latencies to count above; edges of the histogram's buckets."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """What watches a rollout."""

    judge: Judge | None = Judge()
    """None: only thresholds, or nothing, decides."""
    threshold: ErrorThreshold | None = None
    """A limit that holds whatever stable does."""
    runs: tuple[RunSpec, ...] = ()
    source: MetricSource | None = None
    """Where the metrics of runs come from, unless they say otherwise, and `counters`."""
    counters: CounterSource | None = None
    """None: the gateways themselves are asked."""

    @property
    def judged(self) -> bool:
        """Whether anything decides; otherwise steps pass on readiness alone."""
        return self.judge is not None or self.threshold is not None
