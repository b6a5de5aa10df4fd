"""
Looks for documents and expressions on which the pipeline language breaks or hangs, and for logs
that give secrets away.

    python tools/fuzz_pipelines.py --documents 100000 --expressions 100000 --lines 100000 --seed 1

Prints what was tried and the longest time; ends with 1 when anything was raised, or took longer
than a second, or leaked.
"""

import argparse
import json
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from random import Random

from crossfade.adapters.pipelines.judging import judge
from crossfade.core.pipeline.checked import checked
from crossfade.core.pipeline.document import Pipeline
from crossfade.core.pipeline.expression.evaluate import evaluate
from crossfade.core.pipeline.expression.values import Value
from crossfade.core.pipeline.graph import graph_of
from crossfade.core.pipeline.run import begin, decide, runs
from crossfade.core.pipeline.state import RunSight, Seen, Status
from crossfade.core.pipeline.tree import Mark, grown
from crossfade.core.pipeline.variables import Source, Variable
from crossfade.testing import secret_logs
from crossfade.testing.pipeline_documents import documents, mutated, scrambled

LONGEST_SECONDS = 1.0
_TEXTS = 5
"""One document of so many goes through YAML, which takes most of the time."""
_SPELLINGS = (
    '1 2.5 .5 1e3 \'a\' "b" "" true false null this x steps steps.a.result ( ) [ ] , ; . ? : + '
    "- * / % == != < > <= >= && || ! ~ | === upper( trim( match( replace( substring( Member( "
    "Variable( Number( String( 'a', '(a+)+$', false) '[^' \\ @ # ${{X}} \u00e9 \U0001f600"
)
_PIECES = _SPELLINGS.split()
_VARIABLES: dict[str, Value] = {
    "x": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!",
    "steps": {"a": {"result": "success"}},
}


def play(pipeline: Pipeline, random: Random) -> str:
    """Run a pipeline in which things fail and machines are lost; return how it ends."""
    graph = graph_of(pipeline)
    state = begin({"CF_BRANCH": Variable("CF_BRANCH", "main", Source.TRIGGER)})
    seen, now = Seen(), 0.0
    for _ in range(200):
        decision = decide(graph, state, seen, now)
        state = decision.want
        if state.ended:
            return state.result.value
        wanted = runs(graph, state)
        statuses = [Status.SUCCEEDED, Status.SUCCEEDED, Status.FAILED, Status.LOST]
        sights = {run.key: RunSight(run.number, random.choice(statuses)) for run in wanted}
        terminate = "fuzz" if random.random() < 0.02 else ""
        seen = Seen(sights, {}, terminate)
        now = decision.wake_at if decision.wake_at is not None and not wanted else now + 1
    raise RuntimeError(f"the build does not end: {decision.reason}")


def document(random: Random) -> str:
    """Judge one mutated document, and run it when it is accepted; return what came of it."""
    tree = mutated(random.choice(SEEDS), random)
    if random.randrange(_TEXTS) == 0:
        text = json.dumps(tree, ensure_ascii=random.random() < 0.5, indent=random.choice([None, 1]))
        judged = judge(scrambled(text, random) if random.random() < 0.7 else text)
        outcome, pipelines = judged.verdict.value, judged.pipelines
    else:
        result = checked(grown(tree, Mark(1, 1)))
        outcome = result.findings.verdict.value
        pipelines = (result.pipeline,) if result.pipeline is not None else ()
    for pipeline in pipelines:
        outcome = play(pipeline, random)
    return outcome


def expression(random: Random) -> str:
    """Evaluate one expression; return what came of it."""
    pieces = random.choices(_PIECES, k=random.randint(1, 14))
    text = random.choice(("", " ")).join(pieces)
    if random.random() < 0.05:
        text *= random.randint(1, 400)
    verdict = evaluate(text, _VARIABLES)
    return str(verdict.result).lower() if verdict.valid else "invalid"


def log(random: Random) -> str:
    """Mask one log; return what came of it.  Raises RuntimeError when a secret can be read."""
    made = secret_logs.log(random)
    if made.leaks:
        raise RuntimeError(f"leaked: {made.leaks[:3]} in {made.printed!r}")
    return f"of {secret_logs.LINES} lines masked"


def fuzz(what: Callable[[Random], str], count: int, seed: int) -> bool:
    """Try so many inputs; return whether all went well."""
    outcomes: Counter[str] = Counter()
    longest, well = 0.0, True
    for number in range(count):
        random = Random(f"{seed}/{number}")  # noqa: S311 - the same inputs each time
        started = time.process_time()
        try:
            outcomes[what(random)] += 1
        except Exception:
            well = False
            sys.stdout.write(f"{what.__name__} {seed}/{number}: {traceback.format_exc()}\n")
        took = time.process_time() - started
        if took > LONGEST_SECONDS:
            well = False
            sys.stdout.write(f"{what.__name__} {seed}/{number}: took {took:.2f} s\n")
        longest = max(longest, took)
    told = ", ".join(f"{each} {many}" for each, many in outcomes.most_common())
    sys.stdout.write(f"{count} {what.__name__}s: {told}; longest {longest:.3f} s\n")
    return well


SEEDS = documents()


def main() -> int:
    """Run all and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--expressions", type=int, default=100_000)
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    results = (
        fuzz(expression, options.expressions, options.seed),
        fuzz(document, options.documents, options.seed),
        fuzz(log, -(-options.lines // secret_logs.LINES), options.seed),
    )
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
