"""
What one vantage point sees of one cluster, smoothed so that one bad answer is no outage.

Vantage points are edges, and the hub for API servers.  Each sends a sample a second per cluster:
its probe, and how users' requests went.  Requests count too: they fail sooner than probes do.
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum


class Vote(StrEnum):
    """What somebody says of a cluster; who has nothing to say does not say that all is well."""

    UP = "up"
    DOWN = "down"
    FAILING = "failing"
    """Probes are answered, and most requests of users fail: it, or the application, is down."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """How much it takes to be called down, and up again."""

    probe_failures: int = 3
    """Probes of the data plane in a row; one a second, each given 800 ms."""
    api_failures: int = 6
    """Probes of the API server in a row; one in 5 s.  These alone never move users."""
    successes: int = 2
    """Good answers in a row that end it."""
    burst_requests: int = 20
    """So many requests in one sample say something by themselves."""
    burst_percent: int = 50
    """Failing when this many percent of such a burst failed."""
    connect_failures: int = 5
    """Down after so many refused connections in a row."""
    silent_seconds: float = 5.0
    """Who has not been heard of for so long has no vote."""
    window_samples: int = 10
    """How many samples are kept to notice grey failure."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What a vantage point saw of a cluster since its sample before."""

    probe: bool | None = None
    """Whether the probe was answered well; None when none was sent."""
    requests: int = 0
    failed: int = 0
    """Requests that the cluster failed: no connection, reset, no answer in time, 502, 503, 504."""
    slow: int = 0
    """Requests that were answered too late for users to call it good."""
    connect_failures: int = 0
    """Connections refused in a row, up to now."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Requests, and how many of them went badly: failed, or slow."""

    requests: int = 0
    bad: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.requests + other.requests, self.bad + other.bad)

    def __sub__(self, other: "Tally") -> "Tally":
        return Tally(self.requests - other.requests, self.bad - other.bad)


NO_REQUESTS = Tally()


@dataclass(frozen=True, slots=True)
class Streak:
    """A signal that turns after several equal answers in a row."""

    up: bool = True
    against: int = 0
    """Answers in a row that contradict `up`."""

    def after(self, *, good: bool, failures: int, successes: int) -> "Streak":
        """Return the streak after one more answer."""
        if good == self.up:
            return self if self.against == 0 else replace(self, against=0)
        against = self.against + 1
        if against >= (successes if good else failures):
            return Streak(up=good)
        return Streak(self.up, against)


@dataclass(frozen=True, slots=True)
class Sighting:
    """What is remembered of a vantage point and a cluster."""

    heard_at: float | None = None
    """When the newest sample with something in it arrived."""
    streak: Streak = Streak()
    failing: bool = False
    """It is down by users' requests alone; the newest probe was answered, or none was sent."""
    window: tuple[Tally, ...] = field(default_factory=tuple)
    """Requests of the newest samples, the newest last."""
    bad_since: float | None = None
    """When the first bad sample of those came that have not been followed by a good one."""

    @property
    def tally(self) -> Tally:
        """All requests of the window."""
        return Tally(
            sum(each.requests for each in self.window), sum(each.bad for each in self.window)
        )


def see(sighting: Sighting, sample: Sample, now: float, limits: Thresholds) -> Sighting:
    """Return what is known after one more sample of the data plane."""
    after = _seen(sighting, sample, now, limits)
    if after.heard_at == sighting.heard_at:
        return after
    good = after.streak.up and after.streak.against == 0
    since = now if sighting.bad_since is None else sighting.bad_since
    return replace(after, bad_since=None if good else since)


def _seen(sighting: Sighting, sample: Sample, now: float, limits: Thresholds) -> Sighting:
    window = (*sighting.window, Tally(sample.requests, sample.failed + sample.slow))
    window = window[-limits.window_samples :]
    if sample.probe is None and sample.requests == 0 and sample.connect_failures == 0:
        return replace(sighting, window=window)
    if sample.connect_failures >= limits.connect_failures:
        return Sighting(now, Streak(up=False), window=window)
    if _burst(sample, limits):
        failing = sample.probe is not False and (sighting.streak.up or sighting.failing)
        return Sighting(now, Streak(up=False), failing, window)
    streak, failing = sighting.streak, sighting.failing and sample.probe is not False
    if sample.probe is not None:
        streak = streak.after(
            good=sample.probe, failures=limits.probe_failures, successes=limits.successes
        )
    return Sighting(now, streak, failing and not streak.up, window)


def see_api(sighting: Sighting, *, good: bool, now: float, limits: Thresholds) -> Sighting:
    """Return what is known after one more probe of the API server."""
    streak = sighting.streak.after(
        good=good, failures=limits.api_failures, successes=limits.successes
    )
    return replace(sighting, heard_at=now, streak=streak)


def vote(sighting: Sighting | None, now: float, silent_seconds: float) -> Vote:
    """Return what the vantage point says now; it says nothing when it was not heard of lately."""
    if sighting is None or sighting.heard_at is None or now - sighting.heard_at > silent_seconds:
        return Vote.UNKNOWN
    if sighting.streak.up:
        return Vote.UP
    return Vote.FAILING if sighting.failing else Vote.DOWN


def _burst(sample: Sample, limits: Thresholds) -> bool:
    """Say whether so many of users' requests fail that it shows in a single sample."""
    enough = sample.requests >= limits.burst_requests
    return enough and sample.failed * 100 >= sample.requests * limits.burst_percent
