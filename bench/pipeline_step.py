"""What a step of a pipeline costs over a bare `sh -c`, and how many are run a second."""

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from harness import verdict, write

from crossfade import settings
from crossfade.adapters.pipelines.judging import judge
from crossfade.core.pipeline.graph import graph_of
from crossfade.core.pipeline.state import Result
from crossfade.engine.pipelines.records import Build
from crossfade.wiring_pipelines import pipelines

STEPS, MANY, ROUNDS = 40, 200, 5
"""Steps one after the other, steps side by side, and how often."""
MOST_MS = 20.0
LEAST_A_SECOND = 100.0
COMMAND = "true"


class Nobody:
    """Watches nothing."""

    def told(self, key: str, text: str) -> None: ...

    def printed(self, key: str, text: str) -> None: ...


def document(count: int, mode: str) -> str:
    """Return a pipeline of so many steps."""
    steps = "".join(f"  s{n}: {{image: alpine, commands: ['{COMMAND}']}}\n" for n in range(count))
    return f"version: '1.0'\nmode: {mode}\nsteps:\n{steps}"


async def build_ms(
    folder: Path, *, boxed: bool, mode: str = "sequential", steps: int = STEPS
) -> float:
    """Return the milliseconds a step of a whole build, the store included."""
    text = document(steps, mode)
    graph = graph_of(judge(text).pipelines[0])
    async with pipelines(settings.load({}, folder)) as opened:
        processes = opened.places.processes
        processes.isolated = processes.isolated and boxed
        build = await opened.commands.create(Build("0", "bench", text, 0.0), graph, {})
        execution = opened.execution(build, graph, Nobody())
        began = time.perf_counter()
        state = await execution.run()
        took = time.perf_counter() - began
    if state.result is not Result.SUCCESS:
        raise RuntimeError(state.result)
    return took * 1000 / steps


def bare_ms() -> float:
    """Return the milliseconds of one command in a bare shell."""
    began = time.perf_counter()
    for _ in range(STEPS):
        subprocess.run(["/bin/sh", "-c", COMMAND], check=True)
    return (time.perf_counter() - began) * 1000 / STEPS


def main() -> int:
    """Take turns, as other work on the machine disturbs both."""
    bare: list[float] = []
    over: dict[bool, list[float]] = {False: [], True: []}
    together: list[float] = []
    for _ in range(ROUNDS):
        bare.append(bare_ms())
        for boxed, taken in over.items():
            with tempfile.TemporaryDirectory() as folder:
                taken.append(asyncio.run(build_ms(Path(folder), boxed=boxed)) - bare[-1])
        with tempfile.TemporaryDirectory() as folder:
            one = build_ms(Path(folder), boxed=True, mode="parallel", steps=MANY)
            together.append(asyncio.run(one))
    plain, boxed_ms = (statistics.median(over[each]) for each in (False, True))
    quick, a_second = max(plain, boxed_ms) <= MOST_MS, 1000 / statistics.median(together)
    many = a_second >= LEAST_A_SECOND
    print(f"bare sh -c: {statistics.median(bare):.1f} ms")
    print(f"a step over it: {plain:.1f} ms, in bubblewrap {boxed_ms:.1f} ms  {verdict(quick)}")
    told = f"side by side, in bubblewrap: {a_second:.0f} steps/s (>= {LEAST_A_SECOND:g})"
    print(f"{told}  {verdict(many)}")
    print(f"limit: {MOST_MS} ms; {STEPS} steps a build, {MANY} side by side")
    print(f"medians of {ROUNDS} builds")
    figures = {"bare_ms": statistics.median(bare), "over_ms": plain, "boxed_over_ms": boxed_ms}
    write("pipeline_step", figures | {"steps_a_second": a_second})
    return 0 if quick and many else 1


if __name__ == "__main__":
    sys.exit(main())
