"""
How many stories of a rollout in trouble can the engine be told, and does one break a promise?

    python bench/simulation.py [--seconds SECONDS] [--seed SEED]

Tells stories with the real loops on a clock that is set, on every core, and prints those in which
a promise was broken.  With --seed it tells that one story.
"""

import argparse
import asyncio
import os
import secrets
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from harness import verdict, write

from crossfade.testing.histories import begin, story, tell
from crossfade.testing.promises import Broken

SECONDS = 60.0


def told(seeds: range, seconds: float) -> tuple[int, float, float, list[str]]:
    """Return how many stories were told, their seconds, ours of processor time, and failures."""
    return asyncio.run(_told(seeds, seconds))


async def _told(seeds: range, seconds: float) -> tuple[int, float, float, list[str]]:
    until, number, simulated, broken = time.monotonic() + seconds, 0, 0.0, []
    begun = await begin()
    started = time.process_time()
    for seed in seeds:
        try:
            simulated += await tell(story(seed), begun)
        except Broken as error:
            broken.append(str(error))
        number += 1
        if time.monotonic() >= until:
            break
    return number, simulated, time.process_time() - started, broken


def main(seconds: float, seed: int | None) -> int:
    """Tell the stories; return the exit code."""
    if seed is not None:
        print(story(seed))
        found = [told(range(seed, seed + 1), seconds)]
    else:
        cores = os.cpu_count() or 1
        first = secrets.randbelow(1_000_000) * 1_000_000
        seeds = [range(first + core, first + 1_000_000, cores) for core in range(cores)]
        with ProcessPoolExecutor(cores) as pool:
            found = list(pool.map(told, seeds, [seconds] * cores))
    number = sum(each[0] for each in found)
    hours = sum(each[1] for each in found) / 3600
    minutes = sum(each[2] for each in found) / 60
    broken = [text for each in found for text in each[3]]
    print(f"broken promises: {len(broken)} in {number} stories  (target 0)  {verdict(not broken)}")
    print(f"{hours:.2f} simulated hours, {hours / minutes:.1f} a minute of processor time")
    for text in broken:
        print(f"\n{text}")
    if seed is None:
        write(
            "simulation", {"stories": number, "broken": broken, "hours_a_minute": hours / minutes}
        )
    return 1 if broken else 0


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=float, default=SECONDS)
    arguments.add_argument("--seed", type=int)
    given = arguments.parse_args()
    sys.exit(main(given.seconds, given.seed))
