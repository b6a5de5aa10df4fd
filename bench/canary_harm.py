"""
What policies for canaries cost on simulated users: good ones lost, bad ones let through, harm.

    python bench/canary_harm.py            about four minutes
    python bench/canary_harm.py --quick    about a minute, for a look after a change
    python bench/canary_harm.py --full     the figures to publish; an hour

All policies meet the same worlds (canary_world.py) with the same seeds.  The peers are set as
their documents show them (canary_policies.py).
"""

import math
import random
import statistics
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

from canary_policies import (
    PROMOTE,
    ROLLBACK,
    Argo,
    Flagger,
    Kayenta,
    Ours,
    PeekedTest,
    Policy,
    recorded,
)
from canary_world import HORIZON_TICKS, TICK_S, Row, World, poisson
from harness import quantile, verdict, write

from crossfade.base.ids import ClusterName
from crossfade.core.analysis.calibration import Calibration, calibrated
from crossfade.core.analysis.counts import Window
from crossfade.core.analysis.plan import Metric, Plan
from crossfade.core.analysis.sequential import State, update

GOOD = (
    Row("clean"),
    Row("noisy", "noisy"),
    Row("hard", "hard"),
    Row("harsh", "harsh"),
    Row("5 rps", "noisy", rps=5),
    Row("1000 rps", "noisy", rps=1000),
    Row("base 2 %", "noisy", base=0.02),
    Row("base .1 %", "noisy", base=0.001),
)
BAD = (
    Row("err x2", "noisy", times=2),
    Row("err x4", "noisy", times=4),
    Row("+5 pp", "noisy", plus=0.05),
    Row("100 %", "noisy", plus=1),
    Row("1000 rps 100 %", "noisy", plus=1, rps=1000),
    Row(".1 -> .5 %", "noisy", base=0.001, times=5),
    Row("5 rps +5 pp", "noisy", plus=0.05, rps=5),
    Row("one +10 pp", "noisy", plus=0.10, only=4),
    Row("lat x1.2", "noisy", slower=1.2),
    Row("lat x1.5", "noisy", slower=1.5),
    Row("lat x2", "noisy", slower=2),
)
README, BUDGET, CALIBRATED = "Flagger README", "ours, risk budget", "ours, budget, calibrated"
PEERS: dict[str, Callable[[Row], Policy]] = {
    README: lambda _: Flagger(10, 0.05),
    "Flagger tutorial": lambda _: Flagger(5, 0.10),
    "Flagger threshold 1": lambda _: Flagger(1, 0.05),
    "Argo docs": lambda _: Argo(10, 5, 0.95, 3, begins_at=0.4),
    "Argo strict": lambda _: Argo(5, 1, 0.99, 0, begins_at=0.2, p99=True),
    "z peeked p < .05": lambda _: PeekedTest(0.05),
    "z peeked p < .01": lambda _: PeekedTest(0.01),
    "Kayenta 3 x 1 h": lambda _: Kayenta(4),
    "Kayenta 3 x 15 min": lambda _: Kayenta(1),
}
OURS: dict[str, Callable[[Row], Policy]] = {
    "ours, Flagger ramp, 15 s": lambda row: Ours(row, 1, budget=False),
    "ours, Flagger ramp, 1 min": lambda row: Ours(row, 4, budget=False),
    BUDGET: lambda row: Ours(row, 1, budget=True),
}


@dataclass(frozen=True, slots=True)
class Sizes:
    """How often each row is run."""

    ours: int
    peers: int
    kayenta: int
    replays: int
    edge: int
    """Canaries at the edge of what is tolerated."""


QUICK = Sizes(16, 12, 5, 100, 1000)
USUAL = Sizes(80, 60, 25, 200, 5000)
FULL = Sizes(1000, 400, 200, 500, 10_000)


@dataclass(frozen=True, slots=True)
class Cell:
    """A policy on a row."""

    row: str
    policy: str
    runs: int
    rolled_back: int
    promoted: int
    minutes: float
    """Median time to the decision."""
    harm: float
    """Mean of the requests harmed before the decision."""
    harm_p95: float
    harm_most: float


def once(row: Row, make: Callable[[Row], Policy], seed: int) -> tuple[str, float, float]:
    """Return decision, minutes and harm of one run."""
    world, policy, harm = World(row, seed), make(row), 0.0
    for tick in range(1, HORIZON_TICKS + 1):
        counts = world.tick(policy.weight)
        harm += sum(each.excess for each in counts)
        if decision := policy.look(tick, counts):
            return decision, tick * TICK_S / 60, harm
    return "undecided", HORIZON_TICKS * TICK_S / 60, harm


def cell(row: Row, name: str, make: Callable[[Row], Policy], runs: int) -> Cell:
    """Run a policy on a row, and print the line of the table."""
    found = [once(row, make, seed) for seed in range(runs)]
    harms = [harm for _, _, harm in found]
    made = Cell(
        row.name,
        name,
        runs,
        sum(decision == ROLLBACK for decision, _, _ in found),
        sum(decision == PROMOTE for decision, _, _ in found),
        statistics.median(minutes for _, minutes, _ in found),
        statistics.fmean(harms),
        quantile(harms, 0.95),
        max(harms),
    )
    undecided = runs - made.rolled_back - made.promoted
    print(
        f"  {name:26} rolled back {made.rolled_back / runs:6.1%}  promoted "
        f"{made.promoted / runs:6.1%}  undecided {undecided / runs:6.1%}  "
        f"{made.minutes:6.2f} min  harm {made.harm:9.1f}  p95 {made.harm_p95:9.1f}",
        flush=True,
    )
    return made


def dispersion(row: Row, sizes: Sizes) -> Calibration:
    """Return the dispersion that replays of good canaries of this world ask for."""
    replays = (recorded(row, 1_000_000 + seed) for seed in range(sizes.replays))
    return calibrated(Ours(row, 1, budget=True).plan, replays)


def run_rows(rows: tuple[Row, ...], sizes: Sizes) -> list[Cell]:
    """Run all policies on all rows."""
    cells = []
    for row in rows:
        print(f"{'bad' if row.is_bad else 'good'} canary: {row.name}")
        for name, make in PEERS.items():
            runs = sizes.kayenta if "Kayenta" in name else sizes.peers
            cells.append(cell(row, name, make, runs))
        cells += [cell(row, name, make, sizes.ours) for name, make in OURS.items()]
    return cells


def run_harsh(sizes: Sizes) -> tuple[Calibration, list[Cell]]:
    """Run the world where arms differ by themselves, with the dispersion that it asks for."""
    harsh = next(row for row in GOOD if row.kind == "harsh")
    found = dispersion(harsh, sizes)
    print(f"harsh world, dispersion {found.phi:g} from {found.replays} replays {found.crossings}")
    rows = (
        harsh,
        replace(harsh, name="err x2, harsh", times=2.0),
        replace(harsh, name="err x4, harsh", times=4.0),
    )

    def make(row: Row) -> Policy:
        return Ours(row, 1, budget=True, phi=found.phi)

    return found, [cell(row, CALIBRATED, make, sizes.ours) for row in rows]


def at_the_edge(runs: int) -> int:
    """Return how many canaries that are just tolerable are rolled back, looked at 40 times."""
    plan = Plan((Metric("errors"),), (ClusterName("one"),))
    lost = 0
    for seed in range(runs):
        rng, state = random.Random(seed), State(0.0)  # noqa: S311 - a simulation
        for number in range(1, 41):
            x = poisson(rng, 5.5), poisson(rng, 45.0)
            window = Window(number, ClusterName("one"), 500, 4500, {"errors": x})
            state = update(state, plan, window)
        lost += state.peak >= math.log(1 / plan.alpha)
    return lost


def too_many(count: int, runs: int, goal: float) -> bool:
    """Say whether so many would be seen with a chance below 5 % if the goal were kept."""
    below = math.fsum(math.comb(runs, k) * goal**k * (1 - goal) ** (runs - k) for k in range(count))
    return 1 - below < 0.05


def judged(good: list[Cell], bad: list[Cell], harsh: Cell, edge: tuple[int, int]) -> bool:
    """Print every goal with its figure; say whether all are reached."""
    ours = [each for each in good if each.policy in OURS and each.row != "harsh"]
    worst = max(ours, key=lambda each: each.rolled_back / each.runs)
    misses = max((e for e in bad if e.policy in OURS), key=lambda each: each.promoted / each.runs)
    harm = {(each.row, each.policy): each for each in bad}
    ratios = {row.name: harm[row.name, README].harm / harm[row.name, BUDGET].harm for row in BAD}
    least = min(ratios, key=lambda name: ratios[name])
    p95 = max((harm[row.name, BUDGET] for row in BAD), key=lambda each: each.harm_p95)
    fast = [row.name for row in GOOD if row.rps >= 100]
    slow = max((e for e in good if e.policy == BUDGET and e.row in fast), key=lambda e: e.minutes)
    middle = statistics.median(ratios.values())

    def rate(count: int, runs: int, goal: float) -> tuple[str, bool]:
        return f"{count} of {runs}, goal <= {goal:.0%}", not too_many(count, runs, goal)

    goals = [
        ("good, rolled back, worst", *rate(worst.rolled_back, worst.runs, 0.01)),
        ("good, rolled back, harsh", *rate(harsh.rolled_back, harsh.runs, 0.02)),
        ("good at the edge, rolled back", *rate(*edge, 0.01)),
        ("bad, promoted, worst", *rate(misses.promoted, misses.runs, 0.05)),
        ("harm against README, median", f"1/{middle:.1f}, goal <= 1/8", middle >= 8),
        (f"least, {least}", f"1/{ratios[least]:.1f}, goal <= 1/2", ratios[least] >= 2),
        (f"harm p95, {p95.row}", f"{p95.harm_p95:.0f}, budget 300", p95.harm_p95 <= 300),
        (f"good, minutes, {slow.row}", f"{slow.minutes:.1f}, goal <= 15", slow.minutes <= 15),
    ]
    for what, figure, reached in goals:
        print(f"{what:34} {figure:26} {verdict(reached)}")
    for name, ratio in ratios.items():
        print(f"  harm against {README}, {name:16} 1/{ratio:.1f}")
    return all(reached for _, _, reached in goals)


def main(arguments: list[str]) -> int:
    """Run everything, keep the record, and return the exit code."""
    sizes = QUICK if "--quick" in arguments else FULL if "--full" in arguments else USUAL
    good, bad = run_rows(GOOD, sizes), run_rows(BAD, sizes)
    found, harsh = run_harsh(sizes)
    edge = at_the_edge(sizes.edge)
    reached = judged(good, bad, harsh[0], (edge, sizes.edge))
    record = {
        "sizes": asdict(sizes),
        "good": [asdict(each) for each in good],
        "bad": [asdict(each) for each in bad],
        "harsh": {"phi": found.phi, "cells": [asdict(each) for each in harsh]},
        "edge": {"rolled_back": edge, "runs": sizes.edge},
    }
    write("canary_harm", record)
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
