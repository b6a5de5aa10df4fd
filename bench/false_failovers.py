"""
How often would users be moved although no cloud has failed?

    python bench/false_failovers.py [STORIES]

Tells 10,000 stories in which one vantage point, the hub or API servers are cut off, and a tenth as
many in which a cloud really dies, and says how soon its users are moved.
"""

import sys
import time

from harness import quantile, verdict, write

from crossfade.testing.partitions import Cut, false_moves, real_loss, story


def main(stories: int) -> int:
    """Tell the stories; return the exit code."""
    start = time.monotonic()
    cuts = tuple(Cut)
    false = []
    for number in range(stories):
        told = story(number, cuts[number % len(cuts)])
        if moves := false_moves(told):
            false.append(f"{told}: {moves[0]}")
    delays: dict[bool, list[float]] = {True: [], False: []}
    missed = []
    for seed in range(max(1, stories // 10)):
        told, move = real_loss(seed)
        if move is None:
            missed.append(str(told))
        else:
            delays[len(told.edges) > 1].append(float(move.at - told.begin))
    seconds = time.monotonic() - start
    print(f"false failovers: {len(false)} of {stories}  (target 0)  {verdict(not false)}")
    print(
        f"real losses not seen: {len(missed)} of {stories // 10}  (target 0)  {verdict(not missed)}"
    )
    result: dict[str, object] = {"stories": stories, "false": false, "missed": missed}
    for several, name in ((True, "two edges or more"), (False, "one edge")):
        found = delays[several] or [0.0]
        p50, p99 = quantile(found, 0.5), quantile(found, 0.99)
        print(f"users of a dead cloud are moved after, {name}: p50 {p50:g} s, p99 {p99:g} s")
        result[name] = {"p50_seconds": p50, "p99_seconds": p99}
    print(f"{stories / seconds:.0f} stories/s")
    write("false_failovers", result | {"stories_per_second": stories / seconds})
    for each in (*false, *missed)[:5]:
        print(f"  {each}")
    return 1 if false or missed else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
