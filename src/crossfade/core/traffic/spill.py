"""
Where Envoy sends users when priority levels are partly healthy, in its own integer arithmetic.

The hub must foresee what edges do by themselves, so this follows Envoy's code (the load balancer
base and the `previous_priorities` plugin), which in a few rows differs from its documentation;
tests/contract/test_spill.py compares it with the Envoy that Crossfade runs.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

OVERPROVISIONING = 140
"""Envoy's default factor in percent: a level counts as whole down to 71.4 % healthy hosts."""
PANIC_DEFAULT = 50
"""Envoy's default threshold: below this percentage of healthy hosts a level ignores health."""


@dataclass(frozen=True, slots=True)
class Level:
    """The hosts of one priority; or their weights, where Envoy weighs health by host."""

    healthy: int
    total: int
    degraded: int = 0
    excluded: int = 0
    """Hosts of `total` that do not count, such as those that were never probed yet."""

    @property
    def counted(self) -> int:
        """How many hosts health is a share of."""
        return self.total - self.excluded


@dataclass(frozen=True, slots=True)
class PriorityLoad:
    """Percent of requests per priority; healthy and degraded together sum to 100."""

    healthy: tuple[int, ...]
    """To healthy hosts; to any host of a level that is in panic."""
    degraded: tuple[int, ...]
    panic: tuple[bool, ...]
    """Whether a level sends its requests to all of its hosts, whatever their health."""


@dataclass(frozen=True, slots=True)
class _Availability:
    """What each level can take, in percent of all requests."""

    healthy: tuple[int, ...]
    degraded: tuple[int, ...]

    @property
    def normalized(self) -> int:
        return min(100, sum(self.healthy) + sum(self.degraded))


def priority_load(
    levels: Sequence[Level], *, panic: int = PANIC_DEFAULT, overprovisioning: int = OVERPROVISIONING
) -> PriorityLoad:
    """
    Return what Envoy sends to each level, of which there must be at least one.

    Args:
        levels: by priority, the first one preferred.
        panic: healthy_panic_threshold in percent, 0 to turn panic off.
        overprovisioning: overprovisioning_factor in percent.
    """
    available = _availability(levels, overprovisioning)
    normalized = available.normalized
    nothing = (0,) * len(levels)
    calm = (False,) * len(levels)
    if normalized == 0 and panic == 0:
        # Loads must sum to 100, so the first level has them; it has no host to give them to.
        return PriorityLoad((100, *nothing[1:]), nothing, calm)
    in_panic = tuple(normalized < 100 and _panics(level, panic) for level in levels)
    if all(in_panic):
        return PriorityLoad(_by_hosts(levels), nothing, in_panic)
    healthy, degraded = _distribute(available)
    return PriorityLoad(healthy, degraded, in_panic)


def retry_load(
    levels: Sequence[Level],
    attempts: Sequence[int],
    *,
    update_frequency: int = 1,
    panic: int = PANIC_DEFAULT,
    overprovisioning: int = OVERPROVISIONING,
) -> PriorityLoad:
    """
    Return the load for the next try when `attempts` are the priorities that were tried before.

    This is Envoy's `previous_priorities`: with every `update_frequency`-th try, the levels tried
    so far are left out; once none is left that could take a request, all count again.
    """
    original = priority_load(levels, panic=panic, overprovisioning=overprovisioning)
    available = _availability(levels, overprovisioning)
    if available.normalized == 0:
        return original
    current, excluded = original, set[int]()
    tried: list[int] = []
    for attempt in (*attempts, None):
        if tried and len(tried) % update_frequency == 0:
            excluded |= set(tried)
            left = _without(available, excluded)
            if left.normalized == 0:
                excluded, tried, left = set(), [], available
            current = PriorityLoad(*_rebalance(left), original.panic)
        elif len(tried) < update_frequency:
            current = original
        if attempt is not None:
            tried.append(attempt)
    return current


@dataclass(frozen=True, slots=True)
class Locality:
    """The endpoints of one zone, with the weight it was given."""

    weight: int
    healthy: int
    total: int


def locality_shares(
    localities: Sequence[Locality], *, overprovisioning: int = OVERPROVISIONING
) -> tuple[float, ...]:
    """
    Return the percentage that each locality gets of its level's requests.

    They sum to 100, or are all 0 when no locality has a healthy endpoint.  Envoy does not round
    here: it schedules by these weights.
    """
    effective = [
        each.weight * min(1.0, overprovisioning / 100 * each.healthy / each.total)
        if each.total
        else 0.0
        for each in localities
    ]
    total = sum(effective)
    return tuple(100 * weight / total if total else 0.0 for weight in effective)


def _availability(levels: Sequence[Level], factor: int) -> _Availability:
    return _Availability(
        tuple(_score(level.healthy, level.counted, factor) for level in levels),
        tuple(_score(level.degraded, level.counted, factor) for level in levels),
    )


def _score(hosts: int, counted: int, factor: int) -> int:
    return min(100, factor * hosts // counted) if counted > 0 else 0


def _panics(level: Level, threshold: int) -> bool:
    """Say whether too few of the hosts that count are healthy or degraded."""
    usable = level.healthy + level.degraded
    percent = 100 * usable / level.counted if level.counted > 0 else 0.0
    return percent < threshold


def _by_hosts(levels: Sequence[Level]) -> tuple[int, ...]:
    """Return loads in proportion to all hosts: what is left when every level is in panic."""
    hosts = sum(level.total for level in levels)
    if hosts == 0:
        return (100, *(0 for _ in levels[1:]))
    loads = [100 * level.total // hosts for level in levels]
    loads[next(i for i, level in enumerate(levels) if level.total)] += 100 - sum(loads)
    return tuple(loads)


def _distribute(available: _Availability) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return healthy and degraded loads; what rounding leaves goes to the first level with any."""
    healthy, left = _fill(available.healthy, 100, available.normalized)
    degraded, left = _fill(available.degraded, left, available.normalized)
    for loads, scores in ((healthy, available.healthy), (degraded, available.degraded)):
        first = next((i for i, score in enumerate(scores) if score), None)
        if first is not None:
            loads[first] += left
            break
    return tuple(healthy), tuple(degraded)


def _rebalance(available: _Availability) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return loads as the retry plugin has them: it goes round until nothing is left."""
    healthy, degraded = [0] * len(available.healthy), [0] * len(available.degraded)
    left = 100
    while left:
        for loads, scores in ((healthy, available.healthy), (degraded, available.degraded)):
            more, left = _fill(scores, left, available.normalized)
            for priority, percent in enumerate(more):
                loads[priority] += percent
    return tuple(healthy), tuple(degraded)


def _fill(scores: Sequence[int], left: int, normalized: int) -> tuple[list[int], int]:
    loads = []
    for score in scores:
        loads.append(min(left, score * 100 // normalized))
        left -= loads[-1]
    return loads, left


def _without(available: _Availability, excluded: Collection[int]) -> _Availability:
    return _Availability(
        tuple(0 if i in excluded else score for i, score in enumerate(available.healthy)),
        tuple(0 if i in excluded else score for i, score in enumerate(available.degraded)),
    )
