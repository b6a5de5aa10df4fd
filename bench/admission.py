"""
How long does it take to say whether a large fleet survives the loss of its largest clouds?

    python bench/admission.py
"""

import random
import sys
import time

from harness import quantile, verdict, write

from crossfade.base.ids import ApplicationName, ClusterName
from crossfade.core.failover.capacity import Need, Room, admit

CLUSTERS, APPLICATIONS, RUNS = 100, 1000, 20
TARGET_SECONDS = 0.1


def fleet(seed: int) -> tuple[list[Room], list[Need]]:
    """Return a fleet on which every application runs on every cluster: the most work there is."""
    draw = random.Random(seed)  # noqa: S311 - a made-up fleet, no secret
    names = [ClusterName(f"cluster-{number}") for number in range(CLUSTERS)]
    rooms = [Room(name, f"cloud-{number % 12}", 1_000_000) for number, name in enumerate(names)]
    needs = [
        Need(
            ApplicationName(f"app-{number}"),
            demand=draw.randint(2000, 4500),
            reserved={name: draw.randint(0, 100) for name in names},
            survive=draw.randint(0, 2),
        )
        for number in range(APPLICATIONS)
    ]
    return rooms, needs


def main() -> int:
    """Measure; return the exit code."""
    seconds = []
    for seed in range(RUNS):
        rooms, needs = fleet(seed)
        start = time.perf_counter()
        admission = admit(rooms, needs)
        seconds.append(time.perf_counter() - start)
        assert admission.shortfalls, "this fleet should lack something"
    p50, worst = quantile(seconds, 0.5), max(seconds)
    good = worst <= TARGET_SECONDS
    print(
        f"admission of {APPLICATIONS} applications on {CLUSTERS} clusters: p50 {p50 * 1000:.0f} ms,"
        f" worst {worst * 1000:.0f} ms  (target {TARGET_SECONDS * 1000:.0f} ms)  {verdict(good)}"
    )
    write("admission", {"p50_seconds": p50, "worst_seconds": worst})
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
