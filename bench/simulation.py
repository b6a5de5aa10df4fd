"""
In how many orders can things go wrong before the engine breaks a promise?

    python bench/simulation.py [--interleavings NUMBER] [--seconds SECONDS] [--seed SEED]

Tells stories with the real loops on a clock that is set, on every core, and from each moment of
each story several interleavings of what may come of it; every promise is looked at after each
event.  Prints what was broken.  With --seed it tells that one story (17), or that one
interleaving (17.40.3: the fourth from turn 40 of story 17).
"""

import argparse
import os
import re
import secrets
import signal
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

from harness import verdict, write

from crossfade.testing.broken import Broken
from crossfade.testing.histories import Story, moments, story, tell
from crossfade.testing.interleavings import interleave

INTERLEAVINGS = 100_000
SECONDS = 300.0
EACH = 6
"""Interleavings from each moment of a story."""
SHOWN = 5
"""Broken promises that are told in full, of each rule."""


@dataclass(slots=True)
class Told:
    """What came of some stories."""

    stories: int = 0
    interleavings: int = 0
    simulated: float = 0.0
    """Seconds that passed in the stories themselves."""
    spent: float = 0.0
    """Seconds of processor time."""
    rules: Counter[int] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    def found(self, error: Broken) -> None:
        """Remember a broken promise."""
        self.rules[error.number] += 1
        if self.rules[error.number] <= SHOWN:
            self.broken.append(str(error))

    def add(self, other: "Told") -> None:
        """Add what another process has found."""
        self.stories += other.stories
        self.interleavings += other.interleavings
        self.simulated += other.simulated
        self.spent += other.spent
        self.rules += other.rules
        self.broken += other.broken


def told(seeds: range, most: int, seconds: float) -> Told:
    """Return what comes of so many interleavings, or of those that can be told in that time."""
    found, until, began = Told(), time.monotonic() + seconds, time.process_time()
    for seed in seeds:
        _tell(seed, found, most, until)
        if found.interleavings >= most or time.monotonic() >= until:
            break
    found.spent = time.process_time() - began
    return found


def _tell(seed: int, found: Told, most: int, until: float) -> None:
    started = None
    try:
        for turn, telling in enumerate(moments(story(seed))):
            now = telling.world.clock.now()
            started = now if started is None else started
            for number in range(EACH):
                found.interleavings += 1
                try:
                    interleave(telling, f"{seed}.{turn}.{number}")
                except Broken as error:
                    found.found(error)
            if found.interleavings >= most or time.monotonic() >= until:
                break
        found.simulated += telling.world.clock.now() - (started or 0.0)
    except Broken as error:
        found.found(error)
    found.stories += 1


def again(seed: str) -> int:
    """Tell one story or interleaving again; return the exit code."""
    number, *rest = seed.split(".")
    one = story(int(number))
    print(one)
    try:
        if not rest:
            tell(one)
        elif not _one_of(one, int(rest[0]), seed):
            print(f"the story is over before turn {rest[0]}", file=sys.stderr)
            return 2
    except Broken as error:
        print(error)
        return 1
    print("no promise is broken")
    return 0


def _one_of(one: Story, turn: int, seed: str) -> bool:
    """Tell the interleaving from this turn on; return False when the story has no such turn."""
    for now, telling in enumerate(moments(one)):
        if now == turn:
            interleave(telling, seed)
            return True
    return False


def a_seed(text: str) -> str:
    """Return the seed of a story or an interleaving.  Raises ValueError."""
    if not re.fullmatch(r"\d+(\.\d+\.\d+)?", text):
        raise argparse.ArgumentTypeError("a seed is a number, as 17, or three, as 17.40.3")
    return text


def main(interleavings: int, seconds: float) -> int:
    """Tell stories on all cores; return the exit code."""
    cores, began = os.cpu_count() or 1, time.monotonic()
    first = secrets.randbelow(1_000_000) * 1_000_000
    seeds = [range(first + core, first + 1_000_000, cores) for core in range(cores)]
    most = -(-interleavings // cores)
    all_told = Told()
    with ProcessPoolExecutor(cores) as pool:
        for each in pool.map(told, seeds, [most] * cores, [seconds] * cores):
            all_told.add(each)
    took = time.monotonic() - began
    enough = all_told.interleavings >= interleavings
    broken = sum(all_told.rules.values())
    rate = all_told.interleavings / took
    hours = all_told.simulated / 3600
    write(
        "simulation",
        {
            "interleavings": all_told.interleavings,
            "seconds": took,
            "interleavings_a_second": rate,
            "stories": all_told.stories,
            "broken": {str(rule): number for rule, number in all_told.rules.items()},
        },
    )
    print(f"broken promises: {broken}  (target 0)  {verdict(not broken)}")
    print(
        f"{all_told.interleavings:,} interleavings in {took:.0f} s"
        f"  (target {interleavings:,} in {seconds:.0f} s)  {verdict(enough)}"
    )
    print(
        f"{rate:.0f} a second on {cores} cores, a million in {1e6 / rate / 60:.0f} min; "
        f"{1000 * all_told.spent / all_told.interleavings:.1f} ms of processor time each, "
        f"the {all_told.stories} stories that they begin in included ({hours:.1f} simulated hours)"
    )
    for text in all_told.broken:
        print(f"\n{text}")
    return 1 if broken else 0


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--interleavings", type=int, default=INTERLEAVINGS)
    arguments.add_argument("--seconds", type=float, default=SECONDS)
    arguments.add_argument("--seed", type=a_seed)
    given = arguments.parse_args()
    # Whoever reads no further, as `head`, has seen what it wanted: that is no failure to tell of.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    if given.seed is not None:
        sys.exit(again(given.seed))
    sys.exit(main(given.interleavings, given.seconds))
