"""What one tick of the sequential judge costs: 5 clusters, 5 metrics, a busy service."""

import json
import random
import sys
import time

from canary_world import binomial
from harness import quantile, verdict, write

from crossfade.base.codec import from_json, to_json
from crossfade.base.ids import ClusterName
from crossfade.core.analysis.counts import Window
from crossfade.core.analysis.plan import Metric, Plan
from crossfade.core.analysis.sequential import State, update
from crossfade.core.analysis.verdict import Moment, decide

CLUSTERS = tuple(ClusterName(f"cluster-{number}") for number in range(5))
METRICS = tuple(Metric(f"metric-{number}") for number in range(5))
TICKS, LIMIT_MS = 400, 1.0


def windows(rng: random.Random, number: int) -> list[Window]:
    """Return the windows of one tick."""
    return [
        Window(
            number,
            cluster,
            300,
            2700,
            {m.name: (binomial(rng, 300, 0.005), binomial(rng, 2700, 0.005)) for m in METRICS},
        )
        for cluster in CLUSTERS
    ]


def main() -> int:
    """Measure processor time, as other work on the machine disturbs the clock."""
    rng, plan, state = random.Random(1), Plan(METRICS, CLUSTERS), State(0.0)  # noqa: S311
    times = []
    for number in range(1, TICKS + 1):
        tick = windows(rng, number)
        begin = time.process_time()
        for window in tick:
            state = update(state, plan, window)
        decide(state, plan, Moment(15.0 * number, 1000, 0.1, 0.0))
        times.append((time.process_time() - begin) * 1000)
    text = json.dumps(to_json(state))
    begin = time.process_time()
    from_json(State, json.loads(text))
    read_ms = (time.process_time() - begin) * 1000
    half, p99 = quantile(times, 0.5), quantile(times, 0.99)
    print(
        f"one tick, 5 clusters x 5 metrics   {half:.2f} ms, p99 {p99:.2f} ms, limit {LIMIT_MS} ms"
    )
    print(
        f"state                              {len(text) / 1024:.1f} KiB, read in {read_ms:.1f} ms"
    )
    print(f"verdict                            {verdict(half < LIMIT_MS)}")
    result = {"median_ms": half, "p99_ms": p99, "state_bytes": len(text), "read_ms": read_ms}
    write("analysis_tick", result)
    return 0 if half < LIMIT_MS else 1


if __name__ == "__main__":
    sys.exit(main())
