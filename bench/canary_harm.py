"""
What policies for canaries cost on simulated users: good ones lost, bad ones let through, harm.

    python bench/canary_harm.py            about ten minutes
    python bench/canary_harm.py --quick    half a minute, for a look after a change
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
    SPENT,
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
from crossfade.core.analysis.calibration import Calibration, calibrated, highest_rate
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
    """Replays that the dispersion of the harsh world is learned from; 0: it is not learned anew."""
    harsh: int
    """Good canaries in the harsh world with that dispersion."""
    edge: int
    """Canaries at the edge of what is tolerated."""


QUICK = Sizes(ours=16, peers=12, kayenta=5, replays=0, harsh=40, edge=1000)
USUAL = Sizes(ours=80, peers=60, kayenta=25, replays=1000, harsh=2000, edge=5000)
FULL = Sizes(ours=1000, peers=400, kayenta=200, replays=2000, harsh=6000, edge=10_000)
HARSH_FACTORS = (4.0, 1.0)
"""The dispersions of errors and latency that 1,000 replays of the harsh world ask for."""
SURE = 600
"""From so many runs on a goal has to be kept with confidence; fewer cannot say so."""
FRESH = 30_000_000
"""Seeds from here on are for the last figure of the harsh world: nothing was chosen by them."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A policy on a row."""

    row: str
    policy: str
    runs: int
    rolled_back: int
    over_budget: int
    """Those of the rolled back of which nothing was proven: their harm had reached the budget."""
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


def cell(row: Row, name: str, make: Callable[[Row], Policy], runs: int, first: int = 0) -> Cell:
    """Run a policy on a row, and print the line of the table."""
    found = [once(row, make, seed) for seed in range(first, first + runs)]
    harms = [harm for _, _, harm in found]
    made = Cell(
        row.name,
        name,
        runs,
        sum(decision in (ROLLBACK, SPENT) for decision, _, _ in found),
        sum(decision == SPENT for decision, _, _ in found),
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


def run_harsh(sizes: Sizes) -> tuple[Calibration | None, list[Cell]]:
    """Run the world where arms differ by themselves, with the dispersion that it asks for."""
    harsh = next(row for row in GOOD if row.kind == "harsh")
    found = dispersion(harsh, sizes) if sizes.replays else None
    factors = factors_of(found) if found else HARSH_FACTORS
    learned = f"from {found.replays} replays {found.crossings}" if found else "as learned before"
    print(f"harsh world, dispersion {factors[0]:g} and {factors[1]:g}, {learned}")
    rows = (
        (harsh, sizes.harsh),
        (replace(harsh, name="err x2, harsh", times=2.0), sizes.ours),
        (replace(harsh, name="err x4, harsh", times=4.0), sizes.ours),
    )

    def make(row: Row) -> Policy:
        return Ours(row, 1, budget=True, factors=factors)

    return found, [cell(row, CALIBRATED, make, runs, FRESH) for row, runs in rows]


def factors_of(found: Calibration) -> tuple[float, float]:
    """Return the dispersions of errors and of latency."""
    slow = [each for each in found.metrics if each != "errors"]
    return found.phi if "errors" in found.metrics else 1.0, found.phi if slow else 1.0


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


Goal = tuple[str, str, bool]
"""What is measured, the figure beside its goal, and whether it is reached."""


def rate(what: str, count: int, runs: int, goal: float) -> Goal:
    """Return a share beside its goal: reached when what was seen keeps it, without any margin."""
    return what, f"{count} of {runs}, goal <= {goal:.0%}", count <= goal * runs


def surely(what: str, count: int, runs: int, goal: float) -> Goal:
    """Return a share beside its goal: reached when it keeps it with 95 % confidence."""
    high = highest_rate(count, runs)
    return what, f"{count} of {runs}, at most {high:.2%}, goal <= {goal:.0%}", high <= goal


def rates(good: list[Cell], bad: list[Cell], harsh: Cell, edge: tuple[int, int]) -> list[Goal]:
    """Return every cell of ours that a goal is set for."""
    rows = {row.name for row in GOOD if row.kind != "harsh"}
    lost = [
        rate(f"good, rolled back, {each.row}, {each.policy}", each.rolled_back, each.runs, 0.01)
        for each in good
        if each.policy in OURS and each.row in rows
    ]
    missed = [
        rate(f"bad, promoted, {each.row}, {each.policy}", each.promoted, each.runs, 0.05)
        for each in bad
        if each.policy in OURS
    ]
    noisy = f"good, rolled back, harsh, calibrated ({harsh.over_budget} over budget)"
    return [
        *lost,
        (surely if harsh.runs >= SURE else rate)(noisy, harsh.rolled_back, harsh.runs, 0.02),
        rate("good at the edge of the tolerance", *edge, 0.01),
        *missed,
    ]


def judged(good: list[Cell], bad: list[Cell], harsh: list[Cell], edge: tuple[int, int]) -> bool:
    """Print every goal with its figure; say whether all are reached."""
    harm = {(each.row, each.policy): each for each in bad}
    ratios = {row.name: harm[row.name, README].harm / harm[row.name, BUDGET].harm for row in BAD}
    middle = statistics.median(ratios.values())
    fast = {row.name for row in GOOD if row.rps >= 100}
    goals = rates(good, bad, harsh[0], edge)
    goals.append(("harm against README, median", f"1/{middle:.1f}, goal <= 1/8", middle >= 8))
    for row, ratio in ratios.items():
        goals.append((f"harm against README, {row}", f"1/{ratio:.1f}, goal <= 1/2", ratio >= 2))
    for each in [*(harm[row.name, BUDGET] for row in BAD), *harsh[1:]]:
        figure = f"{each.harm_p95:.0f}, budget 300"
        goals.append((f"harm p95, {each.row}", figure, each.harm_p95 <= 300))
    for each in [*good, harsh[0]]:
        if each.policy in (BUDGET, CALIBRATED) and each.row in fast:
            figure = f"{each.minutes:.1f}, goal <= 15"
            what = f"good, minutes, {each.row}, {each.policy}"
            goals.append((what, figure, each.minutes <= 15))
    for what, figure, reached in goals:
        print(f"{what:60} {figure:42} {verdict(reached)}")
    return all(reached for _, _, reached in goals)


def main(arguments: list[str]) -> int:
    """Run everything, keep the record, and return the exit code."""
    sizes = QUICK if "--quick" in arguments else FULL if "--full" in arguments else USUAL
    good, bad = run_rows(GOOD, sizes), run_rows(BAD, sizes)
    found, harsh = run_harsh(sizes)
    edge = at_the_edge(sizes.edge)
    reached = judged(good, bad, harsh, (edge, sizes.edge))
    record = {
        "sizes": asdict(sizes),
        "good": [asdict(each) for each in good],
        "bad": [asdict(each) for each in bad],
        "harsh": {
            "factors": factors_of(found) if found else HARSH_FACTORS,
            "cells": [asdict(each) for each in harsh],
        },
        "edge": {"rolled_back": edge, "runs": sizes.edge},
    }
    write("canary_harm", record)
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
