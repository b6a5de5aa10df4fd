"""Plans of the sequential judge, read from YAML or JSON with line and key of what is wrong."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

from crossfade.adapters.documents.analysis_shapes import OrNull
from crossfade.adapters.documents.files import read_text
from crossfade.adapters.documents.problems import Mark, Problems
from crossfade.adapters.documents.shapes import (
    Choice,
    Field,
    Flag,
    ListOf,
    MapOf,
    Number,
    Places,
    Read,
    Record,
    Text,
)
from crossfade.adapters.documents.tree import Located, read_tree
from crossfade.base.ids import ClusterName
from crossfade.core.analysis.plan import Metric, OnTimeout, Plan


def _share(low: float = 0.0) -> Number:
    return Number(low, 1, whole=False)


def _number(low: float, high: float) -> Number:
    return Number(low, high, whole=False)


_NAME = Text("a name", r"[!-~]+", 253)
_YEAR = 366 * 86400.0


def _check_metric(metric: Read, places: Places) -> None:
    if "name" in metric:
        try:
            Metric(**cast(Any, metric))
        except ValueError as error:
            places.wrong("name", str(error))


METRIC = Record(
    {
        "name": Field(_NAME, "As the windows call it.", required=True),
        "weight": Field(_number(0, 1e6), "Share of the evidence, relative.", default="1"),
        "r0": Field(_number(1, 1e3), "Ratio that is tolerated.", default="1.1"),
        "r1": Field(_number(1, 1e6), "Ratio that must not be promoted.", default="1.5"),
        "gate": Field(Flag(), "Whether promotion waits for it.", default="true"),
        "phi": Field(_number(1, 1e3), "Dispersion, from A/A replays.", default="1"),
        "rise": Field(_share(), "Share below which any canary is good.", default="0"),
        "harm": Field(OrNull(_number(0, 1e6)), "Harmed requests per event.", default="1, 0, 0, …"),
        "p0": Field(OrNull(_share()), "Stable's share, from history.", default="as measured"),
    },
    check=_check_metric,
)

PLAN_FIELDS = {
    "metrics": Field(ListOf(METRIC, "a list of metrics"), "What is judged.", required=True),
    "clusters": Field(ListOf(_NAME, "a list of names"), "Clusters.", default="as recorded"),
    "clouds": Field(MapOf(_NAME, _NAME), "Cloud of each cluster.", default="none"),
    "alpha": Field(_share(), "Risk of rolling back a good canary.", default="0.01"),
    "beta": Field(_share(), "Risk of promoting a bad canary.", default="0.05"),
    "cap": Field(OrNull(_number(1, 1e9)), "The most that a window may add.", default="20"),
    "pooled": Field(_share(), "Weight of evidence over all clusters.", default="0.7"),
    "by_cloud": Field(_share(), "Weight of evidence by cloud.", default="0"),
    "alternatives": Field(
        ListOf(_number(1, 1e6), "a list of ratios"), "Ratios that are looked for.", default="1.25 …"
    ),
    "min_soak_s": Field(_number(0, _YEAR), "Soonest promotion.", default="600"),
    "max_s": Field(_number(0, _YEAR), "Longest analysis.", default="10800"),
    "budget": Field(_number(0, 1e12), "Harmed requests at most.", default="300"),
    "react_s": Field(_number(0, _YEAR), "From harm to users moved.", default="60"),
    "tick_s": Field(_number(0, _YEAR), "Length of a window.", default="15"),
    "silent_s": Field(_number(0, _YEAR), "When a cluster counts as silent.", default="90"),
    "kappa": Field(_share(), "Share of the budget at stake.", default="0.5"),
    "w_min": Field(_share(), "Smallest share of users.", default="0.002"),
    "w_start": Field(_share(), "Largest first share of users.", default="0.1"),
    "w_max": Field(_share(), "Share at which promotion is decided.", default="0.5"),
    "on_timeout": Field(Choice(tuple(OnTimeout)), "What follows `max_s`.", default="pause"),
}
PLAN = Record(PLAN_FIELDS)


def read_plan(path: Path, clusters: Iterable[ClusterName]) -> Plan:
    """
    Return the plan of a file; `clusters` are judged when it names none.

    Raises InputError that lists everything that is wrong, each with line and column.
    """
    problems = Problems(str(path))
    tree = one_tree(read_text(path), problems)
    values = cast(Read, PLAN.read(tree, "", problems))
    problems.refuse_if_any()
    plan = plan_of(values, clusters, tree.at, problems)
    problems.refuse_if_any()
    return cast(Plan, plan)


def one_tree(text: str, problems: Problems) -> Located:
    """Return the only document of the text; anything else is a problem, refused at once."""
    trees = read_tree(text, problems)
    if len(trees) != 1 and not problems.found:
        problems.add(Mark(1, 1), "", f"{len(trees)} documents; allowed: one")
    problems.refuse_if_any()
    return trees[0]


def plan_of(
    values: Read, clusters: Iterable[ClusterName], at: Mark, problems: Problems
) -> Plan | None:
    """Return the plan of keys that are right by themselves; None with a problem if not together."""
    given = cast(Any, dict(values))
    given["metrics"] = tuple(Metric(**each) for each in given["metrics"])
    given.setdefault("clusters", tuple(sorted(set(clusters))))
    if "on_timeout" in given:
        given["on_timeout"] = OnTimeout(given["on_timeout"])
    try:
        return Plan(**given)
    except ValueError as error:
        problems.add(at, "", str(error))
        return None
