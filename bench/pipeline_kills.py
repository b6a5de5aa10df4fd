"""
Kills the process, the runner and the steps of builds at random, and looks at how the builds end.

    python bench/pipeline_kills.py [--kills 1000] [--seed 0]
"""

import argparse
import sys
import time

from harness import verdict, write

from crossfade.testing.pipeline_kills import Story, difference, outcome, story


def main() -> int:
    """Print how many builds ended otherwise than if nobody had killed anything."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0, help="of the first story")
    asked = parser.parse_args()

    undisturbed, operations = outcome(Story())
    began, kills, seed, differing = time.process_time(), 0, asked.seed, []
    while kills < asked.kills:
        told = story(seed, operations)
        if found := difference(told, undisturbed):
            print(f"seed {seed}: {found}")
            differing.append(seed)
        kills, seed = kills + told.kills, seed + 1
    seconds = time.process_time() - began
    print(
        f"{seed - asked.seed} builds with {kills} kills in {seconds:.0f} s of processor time: "
        f"{len(differing)} ended otherwise (target 0): {verdict(not differing)}"
    )
    result = {"builds": seed - asked.seed, "kills": kills, "operations": operations}
    write("pipeline_kills", {**result, "differing_seeds": differing, "seconds": seconds})
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
