"""Strategies to replay: a plan and steps, or the steps of an application file."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from crossfade.adapters.documents.analysis_plan import PLAN_FIELDS, one_tree, plan_of
from crossfade.adapters.documents.analysis_shapes import plain
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
from crossfade.adapters.documents.tree import Located
from crossfade.base.ids import ClusterName
from crossfade.base.units import parse_duration
from crossfade.core.analysis.backtest import Level
from crossfade.core.analysis.plan import Metric, Plan, usual_metrics


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

    An application file is judged by the usual plan on all metrics of the record.  Raises
    InputError that lists everything that is wrong, each with line and column.
    """
    text, problems = read_text(path), Problems(str(path))
    tree = one_tree(text, problems)
    if isinstance(tree.value, Mapping) and "kind" in tree.value:
        parse(text, str(path))
        return _of_application(tree, clusters, metrics)
    values = cast(Read, _SPEC.read(tree, "", problems))
    problems.refuse_if_any()
    steps = cast("tuple[Read, ...]", values.pop("steps", ()))
    plan = plan_of(values, clusters, tree.at, problems)
    problems.refuse_if_any()
    return Spec(cast(Plan, plan), _levels(steps))


def _of_application(tree: Located, clusters: Iterable[ClusterName], metrics: Sequence[str]) -> Spec:
    found: object = plain(tree)
    for key in ("spec", "rollout", "canary", "steps"):
        found = found.get(key) if isinstance(found, dict) else None
    steps = [_plain_step(each) for each in found] if isinstance(found, list) else []
    names = [name for each in steps for name in each]
    others = tuple(dict.fromkeys(name for name in names if name not in ("setWeight", "pause")))
    usual = {each.name: each for each in usual_metrics(None)}
    ordered = sorted(metrics, key=lambda name: name not in usual)  # the first one counts as harm
    chosen = tuple(usual.get(name) or Metric(name) for name in ordered)
    return Spec(Plan(chosen, tuple(sorted(set(clusters)))), _levels(steps), others)


def _plain_step(step: Mapping[str, object]) -> Read:
    pause = step.get("pause")
    if not isinstance(pause, dict) or "duration" not in pause:
        return dict(step)
    return {**step, "pause": {"duration": parse_duration(str(pause["duration"]))}}


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
