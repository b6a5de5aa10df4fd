"""Strategies to replay: a plan and steps, or the steps of an application file."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from crossfade.adapters.documents.analysis_plan import PLAN_FIELDS, one_tree
from crossfade.adapters.documents.analysis_plan import plan_of as plan_of_keys
from crossfade.adapters.documents.application import parse
from crossfade.adapters.documents.files import read_text
from crossfade.adapters.documents.problems import Problems
from crossfade.adapters.documents.shapes import (
    Duration,
    Field,
    ListOf,
    Number,
    Places,
    Read,
    Record,
)
from crossfade.base.errors import InputError
from crossfade.base.ids import ClusterName
from crossfade.core.analysis.backtest import Level
from crossfade.core.analysis.counters import ERRORS
from crossfade.core.analysis.evidence import metrics_of, plan_of
from crossfade.core.analysis.plan import Plan
from crossfade.core.application import Application
from crossfade.core.rollout.spec import Pause, Ramp, SetWeight, Step


@dataclass(frozen=True, slots=True)
class Spec:
    """A strategy."""

    plan: Plan
    levels: tuple[Level, ...]
    """A fixed ramp; (): the risk-budget ramp."""
    passed_over: tuple[str, ...] = ()
    """Steps that a record cannot replay: they pass at once."""


def _check_step(step: Read, places: Places) -> None:
    entries = places.record.value
    if isinstance(entries, Mapping) and len(entries) != 1:
        places.problems.add(places.record.at, places.path, "a step is one of setWeight and pause")


_STEP = Record(
    {
        "setWeight": Field(Number(0, 100), "Percent of users for the canary."),
        "pause": Field(
            Record({"duration": Field(Duration(), "How long.", default="for ever")}), "Wait."
        ),
    },
    check=_check_step,
)
_SPEC = Record({**PLAN_FIELDS, "steps": Field(ListOf(_STEP, "a list of steps"), "A fixed ramp.")})


def read_spec(path: Path, clusters: Iterable[ClusterName], metrics: Sequence[str]) -> Spec:
    """
    Return the strategy of a file, for a record of these clusters and metrics.

    An application file is judged as its `analysis` says, on what the record has of that.  Raises
    InputError that lists everything that is wrong, each with line and column.
    """
    text, problems = read_text(path), Problems(str(path))
    tree = one_tree(text, problems)
    if isinstance(tree.value, Mapping) and "kind" in tree.value:
        return _of_application(parse(text, str(path))[0], clusters, metrics, str(path))
    values = cast(Read, _SPEC.read(tree, "", problems))
    problems.refuse_if_any()
    steps = cast("tuple[Read, ...]", values.pop("steps", ()))
    plan = plan_of_keys(values, clusters, tree.at, problems)
    problems.refuse_if_any()
    return Spec(cast(Plan, plan), _levels(steps))


def _of_application(
    application: Application, clusters: Iterable[ClusterName], metrics: Sequence[str], file: str
) -> Spec:
    """Return how the application is judged, as far as the record has what it is judged by."""
    judge = application.analysis.judge
    known = [each for each in metrics if each == ERRORS or each.startswith("slow")]
    judged = metrics_of(judge, dict.fromkeys(known)) if judge else ()
    if judge is None or not judged:
        asked = ", ".join(judge.metrics) if judge else "nothing"
        raise InputError(
            f"{file}: its `analysis` judges {asked}, and the record has {', '.join(metrics)}",
            hint="name `errors` or `latency` in `spec.analysis.metrics`; events of latency begin "
            "with `slow`, as slow_500ms",
        )
    steps = application.strategy.steps
    ramp = next((each for each in steps if isinstance(each, Ramp)), None)
    plan = plan_of(judge, dict.fromkeys(clusters, ""), judged, ramp.max_percent if ramp else 50.0)
    replayed = (Ramp,) if ramp else (SetWeight, Pause)
    others = dict.fromkeys(each.step for each in steps if not isinstance(each, replayed))
    return Spec(plan, () if ramp else _levels_of(steps), tuple(others))


def _levels_of(steps: Sequence[Step]) -> tuple[Level, ...]:
    plain: list[Read] = []
    for each in steps:
        if isinstance(each, SetWeight):
            plain.append({"setWeight": each.percent})
        elif isinstance(each, Pause):
            plain.append({"pause": {} if each.seconds is None else {"duration": each.seconds}})
    return _levels(plain)


def _levels(steps: Sequence[Read]) -> tuple[Level, ...]:
    """Return the shares that steps give to the canary, each with the pauses that follow it."""
    found: list[Level] = []
    for step in steps:
        if "setWeight" in step:
            found.append(Level(cast(int, step["setWeight"]) / 100))
        elif "pause" in step:
            before = found.pop() if found else Level(0.0)
            found.append(Level(before.weight, _longer(before, cast(Read, step["pause"]))))
    return tuple(found)


def _longer(level: Level, pause: Read) -> float | None:
    if level.seconds is None or "duration" not in pause:
        return None
    return level.seconds + cast(float, pause["duration"])
