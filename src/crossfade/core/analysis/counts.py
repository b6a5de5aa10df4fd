"""What was counted of stable and canary during one window in one cluster."""

from collections.abc import Mapping
from dataclasses import dataclass

from crossfade.base.ids import ClusterName


@dataclass(frozen=True, slots=True)
class Window:
    """
    Increments of both arms over the same time in the same cluster; windows do not overlap.

    `n` are requests (first tries), `x` are events among them; `c` is canary, `s` is stable, as in
    docs/math/sequential-judge.md.
    """

    id: int
    """Counts the windows of a cluster; windows of all clusters with one id make a tick."""
    cluster: ClusterName
    n_c: int
    n_s: int
    events: Mapping[str, tuple[int, int]]
    """Metric to events (canary, stable); a metric that is left out was not measured."""
    at_s: float | None = None
    """When the window ended, in seconds on the clock of the verdict; else `id` times the tick."""

    def ends_at(self, tick_s: float) -> float:
        """Return when the window ended."""
        return tick_s * self.id if self.at_s is None else self.at_s

    def __post_init__(self) -> None:
        """Refuse counts that nobody can have counted, with ValueError."""
        if self.n_c < 0 or self.n_s < 0:
            raise ValueError(f"window {self.id} of {self.cluster} has fewer than 0 requests")
        for metric, (x_c, x_s) in self.events.items():
            if not (0 <= x_c <= self.n_c and 0 <= x_s <= self.n_s):
                counted = f"({x_c}, {x_s}) of ({self.n_c}, {self.n_s}) requests"
                raise ValueError(
                    f"window {self.id} of {self.cluster} has {counted} as {metric}: allowed are "
                    "0 up to the requests of each arm"
                )
