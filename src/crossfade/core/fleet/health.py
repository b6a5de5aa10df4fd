"""
Is a cluster there?  Two independent signals with hysteresis: its API server and its data plane.

A cluster is *lost* only when both are down.  With the API server alone down users are still
served, so they stay; with the data plane alone down the edges move them by themselves.
"""

from dataclasses import dataclass, replace

from crossfade.base.ids import ClusterName

FAILURES_UNTIL_DOWN = 3
SUCCESSES_UNTIL_UP = 2


@dataclass(frozen=True, slots=True)
class Signal:
    """One signal, smoothed: it turns after several equal answers in a row."""

    up: bool = True
    since: float = 0.0
    """When it last turned."""
    streak: int = 0
    """Answers in a row that contradict `up`."""
    detail: str = ""
    """What the newest failure said."""


@dataclass(frozen=True, slots=True)
class ClusterHealth:
    """What the hub knows of one cluster's health."""

    cluster: ClusterName
    api: Signal = Signal()
    data_plane: Signal = Signal()
    version: str = ""
    """Version of its Kubernetes API, once it has answered."""
    lost_since: float | None = None
    """When both signals were first down together, None while it is not lost."""
    back_at: float = 0.0
    """When it was last no longer lost: what was known of it before must be read again."""

    @property
    def lost(self) -> bool:
        """Whether both API server and data plane are down."""
        return self.lost_since is not None

    @property
    def summary(self) -> str:
        """One word for people."""
        if self.lost:
            return "lost"
        if not self.api.up:
            return "api-down"
        return "healthy" if self.data_plane.up else "data-plane-down"


def observe(signal: Signal, *, good: bool, detail: str, now: float) -> Signal:
    """Return the signal after one more answer."""
    if good == signal.up:
        return replace(signal, streak=0, detail="" if good else detail)
    streak = signal.streak + 1
    if streak >= (SUCCESSES_UNTIL_UP if good else FAILURES_UNTIL_DOWN):
        return Signal(up=good, since=now, detail="" if good else detail)
    return replace(signal, streak=streak, detail=detail)


def update(health: ClusterHealth, api: Signal, data_plane: Signal, now: float) -> ClusterHealth:
    """Return the health with new signals, and with the loss or return that follows from them."""
    lost = not api.up and not data_plane.up
    return replace(
        health,
        api=api,
        data_plane=data_plane,
        lost_since=(health.lost_since or now) if lost else None,
        back_at=now if health.lost and not lost else health.back_at,
    )
