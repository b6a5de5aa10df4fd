"""Simulated users of five clusters and the counters of stable and canary, for canary_harm.py."""

import math
import random
from dataclasses import dataclass
from typing import NamedTuple

TICK_S = 15.0
HORIZON_TICKS = 720
CLUSTERS = ("one", "two", "three", "four", "five")
EDGES_MS = (250.0, 500.0, 1000.0, 2500.0)
"""The bucket edges of Istio's latency histogram that the tail of this service meets."""

_SHARES = (0.40, 0.25, 0.15, 0.12, 0.08)
_ERRORS = (1.0, 0.8, 1.3, 1.0, 1.6)
_LATENCY = (1.0, 1.0, 1.1, 0.95, 1.15)
_MEDIAN_MS, _SIGMA = 60.0, 0.8


@dataclass(frozen=True, slots=True)
class Kind:
    """How the world disturbs the comparison; each kind adds to the one before."""

    name: str
    shared: bool = False
    """Load by the time of day, error noise and incidents that hit both arms alike."""
    arm_noise: float = 0.0
    """Deviation of the log of the canary's error rate, correlated over 2 minutes."""
    arm_offset: float = 0.0
    """Deviation of a difference between the arms of a cluster that stays."""


KINDS = {
    each.name: each
    for each in (
        Kind("clean"),
        Kind("noisy", shared=True),
        Kind("hard", shared=True, arm_noise=0.15, arm_offset=0.04),
        Kind("harsh", shared=True, arm_noise=0.40, arm_offset=0.15),
    )
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the tables: a world, its traffic, and what is wrong with the canary."""

    name: str
    kind: str = "clean"
    rps: float = 100.0
    base: float = 0.005
    times: float = 1.0
    """Canary's error rate over stable's."""
    plus: float = 0.0
    """Added to the canary's error rate."""
    only: int | None = None
    """The one cluster where the fault shows."""
    slower: float = 1.0
    """Canary's latency over stable's."""

    @property
    def is_bad(self) -> bool:
        """Whether the canary must not be promoted."""
        return self.times != 1 or self.plus != 0 or self.slower != 1

    @property
    def p0(self) -> float:
        """Stable's error rate over all clusters, without disturbance."""
        return self.base * sum(map(float.__mul__, _SHARES, _ERRORS))

    @property
    def slow(self) -> dict[str, float | None]:
        """Stable's share of requests above 250 and 500 ms over all clusters, undisturbed."""
        return {
            f"slow_{EDGES_MS[edge]:.0f}ms": sum(
                share * tails(times)[edge] for share, times in zip(_SHARES, _LATENCY, strict=True)
            )
            for edge in (0, 1)
        }


class Counts(NamedTuple):
    """What one cluster counted in one tick; tails are requests slower than each edge."""

    n_c: int
    n_s: int
    errors_c: int
    errors_s: int
    tail_c: tuple[int, ...]
    tail_s: tuple[int, ...]
    excess: float
    """Requests that failed, or were slower than 500 ms, because they met the canary."""


def poisson(rng: random.Random, mean: float) -> int:
    """Return a Poisson draw: by inversion, or by transformed rejection (Hoermann 1993)."""
    if mean < 12:
        chance = math.exp(-mean)
        total, left, count = chance, rng.random(), 0
        while left > total and chance > 1e-300:
            count += 1
            chance *= mean / count
            total += chance
        return count
    b = 0.931 + 2.53 * math.sqrt(mean)
    a, inverse, v_r = -0.059 + 0.02483 * b, 1.1239 + 1.1328 / (b - 3.4), 0.9277 - 3.6224 / (b - 2)
    log_mean = math.log(mean)
    while True:
        u, v = rng.random() - 0.5, rng.random()
        us = 0.5 - abs(u)
        count = math.floor((2 * a / us + b) * u + mean + 0.43)
        if us >= 0.07 and v <= v_r:
            return count
        if count < 0 or (us < 0.013 and v > us):
            continue
        bound = count * log_mean - mean - math.lgamma(count + 1)
        if math.log(v * inverse / (a / (us * us) + b)) <= bound:
            return count


def binomial(rng: random.Random, trials: int, chance: float) -> int:
    """Return a binomial draw: by inversion, or by transformed rejection (Hoermann 1993)."""
    if chance > 0.5:
        return trials - binomial(rng, trials, 1 - chance)
    if trials * chance < 12:
        return _binomial_by_inversion(rng, trials, chance)
    odds, spread = chance / (1 - chance), math.sqrt(trials * chance * (1 - chance))
    b = 1.15 + 2.53 * spread
    a, middle, v_r = -0.0873 + 0.0248 * b + 0.01 * chance, trials * chance + 0.5, 0.92 - 4.2 / b
    scale, mode = (2.83 + 5.1 / b) * spread, math.floor((trials + 1) * chance)
    peak = math.lgamma(mode + 1) + math.lgamma(trials - mode + 1)
    while True:
        u, v = rng.random() - 0.5, rng.random()
        us = 0.5 - abs(u)
        count = math.floor((2 * a / us + b) * u + middle)
        if us >= 0.07 and v <= v_r:
            return count
        if not 0 <= count <= trials:
            continue
        v *= scale / (a / (us * us) + b)
        bound = peak - math.lgamma(count + 1) - math.lgamma(trials - count + 1)
        if math.log(v) <= bound + (count - mode) * math.log(odds):
            return count


def _binomial_by_inversion(rng: random.Random, trials: int, chance: float) -> int:
    odds, chance = chance / (1 - chance), (1 - chance) ** trials
    total, left, count = chance, rng.random(), 0
    while left > total and count < trials:
        count += 1
        chance *= odds * (trials - count + 1) / count
        total += chance
    return count


_TAILS: dict[float, tuple[float, ...]] = {}


def tails(times: float) -> tuple[float, ...]:
    """Return which share of requests is slower than each edge, at so many times the median."""
    if times not in _TAILS:
        scale = _SIGMA * math.sqrt(2)
        _TAILS[times] = tuple(
            0.5 * math.erfc(math.log(edge / (_MEDIAN_MS * times)) / scale) for edge in EDGES_MS
        )
    return _TAILS[times]


class _Noise:
    """Gaussian noise that fades: an AR(1) process around 0."""

    def __init__(self, rng: random.Random, deviation: float, minutes: float) -> None:
        self._rng, self._deviation = rng, deviation
        self._keep = math.exp(-TICK_S / (60 * minutes))
        self._step = deviation * math.sqrt(1 - self._keep**2)
        self.value = rng.gauss(0, deviation) if deviation else 0.0

    def move(self) -> None:
        if self._deviation:
            self.value = self._keep * self.value + self._rng.gauss(0, self._step)


class World:
    """One run: the same seed gives the same disturbances to every policy."""

    def __init__(self, row: Row, seed: int) -> None:
        self.row, kind = row, KINDS[row.kind]
        self._path = random.Random(f"path {seed}")  # noqa: S311 - a simulation
        self._counts = random.Random(f"counts {seed}")  # noqa: S311 - a simulation
        self._shared = kind.shared
        self._both = [_Noise(self._path, 0.3 * kind.shared, 5) for _ in CLUSTERS]
        self._arm = [_Noise(self._path, kind.arm_noise, 2) for _ in CLUSTERS]
        self._offset = [self._path.gauss(0, 1) * kind.arm_offset for _ in CLUSTERS]
        self._phase = self._path.random() * 2 * math.pi
        self._incident = [0] * len(CLUSTERS)  # ticks that are left of it
        self.now = 0

    def tick(self, weight: float) -> list[Counts]:
        """Return what the clusters count in the next tick at this share of the canary."""
        self.now += 1
        load = 1.0
        if self._shared:
            load += 0.5 * math.sin(self._phase + 2 * math.pi * self.now * TICK_S / 86_400)
        return [self._cluster(index, load, weight) for index in range(len(CLUSTERS))]

    def _cluster(self, index: int, load: float, weight: float) -> Counts:
        row = self.row
        trouble = self._trouble(index)
        self._both[index].move()
        self._arm[index].move()
        stable = row.base * _ERRORS[index] * math.exp(self._both[index].value)
        stable = min(1.0, stable * (8 if trouble else 1))
        latency = _LATENCY[index] * (1.5 if trouble else 1)
        canary, slower = stable * math.exp(self._arm[index].value + self._offset[index]), 1.0
        if row.only in (None, index):
            canary, slower = min(1.0, canary * row.times + row.plus), row.slower
        sent = row.rps * load * _SHARES[index] * TICK_S
        n_c, errors_c, tail_c = self._arm_counts(sent * weight, canary, tails(latency * slower))
        n_s, errors_s, tail_s = self._arm_counts(sent * (1 - weight), stable, tails(latency))
        if slower > 1:
            excess = tail_c[1] - sent * weight * tails(latency)[1]
        else:
            excess = errors_c - sent * weight * stable
        return Counts(n_c, n_s, errors_c, errors_s, tail_c, tail_s, excess)

    def _trouble(self, index: int) -> bool:
        if not self._shared:
            return False
        if self._incident[index]:
            self._incident[index] -= 1
        elif self._path.random() < TICK_S / (4 * 3600):
            self._incident[index] = 1 + int(self._path.expovariate(TICK_S / 300))
        return self._incident[index] > 0

    def _arm_counts(
        self, mean: float, errors: float, slow: tuple[float, ...]
    ) -> tuple[int, int, tuple[int, ...]]:
        """
        Return requests, errors and tail of one arm.

        Marks of Poisson arrivals are Poisson and independent: here one mark for each bucket of
        the latency.  Errors fall on requests of any latency.
        """
        if mean <= 0:
            return 0, 0, (0, 0, 0, 0)
        rng = self._counts
        found, slower = [0, 0, 0, 0], 0
        for place in (3, 2, 1, 0):
            slower += poisson(rng, mean * (slow[place] - (slow[place + 1] if place < 3 else 0.0)))
            found[place] = slower
        total = slower + poisson(rng, mean * (1 - slow[0]))
        return total, binomial(rng, total, errors), tuple(found)
