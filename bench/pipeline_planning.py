"""What planning costs: a graph of 10,000 steps from the document to the end of the build."""

import sys
import time
from collections.abc import Callable

from harness import verdict, write

from crossfade.core.pipeline.document import Block, Mode, Pipeline, Step, Wanted, When
from crossfade.core.pipeline.graph import graph_of
from crossfade.core.pipeline.run import begin, decide, runs
from crossfade.core.pipeline.state import Result, RunSight, Seen, State, Status

SMALL, LARGE = 1_000, 10_000
ENDING_AT_ONCE = 8
"""Runs whose end is seen at one look."""
MOST_MS_PER_STEP, MOST_GROWTH = 1.0, 3.0


def layers(count: int) -> Pipeline:
    """Return a graph in which every step waits for two earlier ones."""
    names = [f"step-{number}" for number in range(count)]
    steps = (
        Step(
            name,
            when=When(steps=(Wanted(names[i - 10]), Wanted(names[i - 7]))) if i >= 10 else None,
        )
        for i, name in enumerate(names)
    )
    return Pipeline(Block(tuple(steps), Mode.PARALLEL))


def chain(count: int) -> Pipeline:
    """Return steps one after the other."""
    return Pipeline(Block(tuple(Step(f"step-{number}") for number in range(count))))


def fan(count: int) -> Pipeline:
    """Return one step that all others wait for, and one that waits for all of them."""
    middle = tuple(
        Step(f"step-{number}", when=When(steps=(Wanted("first"),))) for number in range(count)
    )
    last = Step("last", when=When(steps=tuple(Wanted(step.name) for step in middle)))
    return Pipeline(Block((Step("first"), *middle, last), Mode.PARALLEL))


def play(pipeline: Pipeline) -> tuple[float, float, int]:
    """Return the seconds for layout and decisions of a whole build, and how many decisions."""
    started = time.process_time()
    graph = graph_of(pipeline)
    layout = time.process_time() - started
    state: State = begin({})
    seen, looks, deciding = Seen(), 0, 0.0
    while not state.ended:
        started = time.process_time()
        state = decide(graph, state, seen, float(looks)).want
        deciding += time.process_time() - started
        wanted = runs(graph, state)[:ENDING_AT_ONCE]
        seen = Seen({run.key: RunSight(run.number, Status.SUCCEEDED) for run in wanted})
        looks += 1
    if state.result is not Result.SUCCESS:
        raise RuntimeError(state.result)
    return layout, deciding, looks


def main() -> int:
    """Measure processor time, as other work on the machine disturbs the clock."""
    shapes: dict[str, Callable[[int], Pipeline]] = {"layers": layers, "chain": chain, "fan": fan}
    results, good = {}, True
    print(f"{'graph':8} {'layout':>9} {'decisions':>10} {'ms a step':>10} {'growth':>7}")
    for name, shape in shapes.items():
        _, small, _ = play(shape(SMALL))
        layout, large, looks = play(shape(LARGE))
        per_step = (layout + large) * 1000 / LARGE
        growth = (large / LARGE) / (small / SMALL)
        fine = per_step < MOST_MS_PER_STEP and growth < MOST_GROWTH
        good = good and fine
        results[name] = {"ms_per_step": per_step, "growth": growth, "looks": looks}
        figures = f"{layout:8.2f}s {large:9.2f}s {per_step:10.3f} {growth:6.1f}x"
        print(f"{name:8} {figures}  {verdict(fine)}")
    print(f"limits: {MOST_MS_PER_STEP} ms a step, {MOST_GROWTH}x the cost a step at {SMALL} steps")
    write("pipeline_planning", results)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
