"""Files for `crossfade analysis kayenta`: read, checked whole, turned into the judge's config."""

from typing import cast

from crossfade.adapters.documents.analysis_shapes import OrNull, Series
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
from crossfade.adapters.documents.tree import read_tree
from crossfade.core.analysis.kayenta import (
    Config,
    Direction,
    EffectMeasure,
    EffectSize,
    Metric,
    NanStrategy,
    OutlierStrategy,
    Thresholds,
)

_GROUP = Text("the name of a group", longest=253)
_SIZE = OrNull(Number(0, 1e9, whole=False))
_SCORE = Number(0, 100, whole=False)

_EFFECT = Record(
    {
        "measure": Field(
            Choice(tuple(EffectMeasure)),
            "Ratio of the means, or the probability that the canary is above.",
            default="meanRatio",
        ),
        "allowedIncrease": Field(_SIZE, "Rises below it do not count.", default="no effect"),
        "allowedDecrease": Field(_SIZE, "Falls above it do not count.", default="no effect"),
        "criticalIncrease": Field(_SIZE, "Rises from it on are critical.", default="no effect"),
        "criticalDecrease": Field(_SIZE, "Falls down to it are critical.", default="no effect"),
    }
)


def _check_metric(metric: Read, places: Places) -> None:
    if "group" in metric and "groups" in metric:
        places.wrong("groups", "cannot go with `group`; leave one of them out")


_METRIC = Record(
    {
        "name": Field(Text("a name", longest=253), "Name in the answer.", required=True),
        "group": Field(_GROUP, "Group it counts in.", default="default"),
        "groups": Field(ListOf(_GROUP), "Groups it counts in, when they are several."),
        "critical": Field(Flag(), "Whether it fails the canary by itself.", default="false"),
        "mustHaveData": Field(Flag(), "Whether silence counts as bad.", default="false"),
        "muted": Field(Flag(), "Whether it is only told, not counted.", default="false"),
        "direction": Field(
            Choice(tuple(Direction)), "In which direction it gets worse.", default="either"
        ),
        "nanStrategy": Field(
            Choice(tuple(NanStrategy)),
            "Whether points without a value are left out, or 0.",
            default="remove",
        ),
        "outlierStrategy": Field(
            Choice(tuple(OutlierStrategy)), "Whether outliers stay.", default="keep"
        ),
        "outlierFactor": Field(
            Number(0.01, 1e6, whole=False), "How many quartile ranges away.", default="3"
        ),
        "effectSize": Field(OrNull(_EFFECT), "How large an effect must be."),
        "experiment": Field(Series(), "Points of the canary.", required=True),
        "control": Field(Series(), "Points of the baseline.", required=True),
    },
    check=_check_metric,
)


def _check_config(config: Read, places: Places) -> None:
    if "metrics" in config and not config["metrics"]:
        places.wrong("metrics", "is empty; a canary is judged by one metric at least")
    weights = cast("dict[str, float]", config.get("groupWeights") or {})
    if sum(weights.values()) > 100 + 1e-9:
        places.wrong("groupWeights", f"are {sum(weights.values()):g} together, 100 are allowed")
    names = [each.get("name") for each in cast("tuple[Read, ...]", config.get("metrics", ()))]
    for name in sorted({str(name) for name in names if names.count(name) > 1}):
        places.wrong("metrics", f'the name "{name}" is given more than once')


def _check_thresholds(thresholds: Read, places: Places) -> None:
    given = {"pass": 95.0, "marginal": 75.0} | cast("dict[str, float]", thresholds)
    if given["marginal"] > given["pass"]:
        what = f"{given['marginal']:g} is above `pass`, {given['pass']:g}"
        places.wrong("marginal", what)


KAYENTA = Record(
    {
        "tolerance": Field(
            Number(0, 1e6, whole=False),
            "Part of the estimated shift that the shift must surely exceed.",
            default="0.25",
        ),
        "confidence": Field(
            Number(0.01, 0.999999, whole=False), "Of the interval, two-sided.", default="0.98"
        ),
        "thresholds": Field(
            Record(
                {
                    "pass": Field(_SCORE, "From it on a canary passes.", default="95"),
                    "marginal": Field(_SCORE, "Below it a canary fails.", default="75"),
                },
                check=_check_thresholds,
            ),
            "Scores, 0 to 100.",
        ),
        "groupWeights": Field(
            OrNull(MapOf(_GROUP, _SCORE)),
            "Percent of the score; groups without one share what is left.",
        ),
        "metrics": Field(ListOf(_METRIC), "What is judged.", required=True),
    },
    check=_check_config,
)


def parse(text: str, file: str) -> Config:
    """Return the config; `file` is its name in messages.  Raises InputError with all problems."""
    problems = Problems(file, "docs/guides/coming-from.md shows such a file")
    trees = read_tree(text, problems)
    if len(trees) != 1 and not problems.found:
        problems.add(Mark(1, 1), "", f"has {len(trees)} documents, one is wanted")
    read = KAYENTA.read(trees[0], "", problems) if trees else None
    problems.refuse_if_any()
    return _config(cast(Read, read))


def _config(read: Read) -> Config:
    thresholds = cast("dict[str, float]", read.get("thresholds", {}))
    return Config(
        metrics=tuple(_metric(each) for each in cast("tuple[Read, ...]", read["metrics"])),
        thresholds=Thresholds(thresholds.get("pass", 95.0), thresholds.get("marginal", 75.0)),
        group_weights=cast("dict[str, float]", read.get("groupWeights") or {}),
        tolerance=cast(float, read.get("tolerance", 0.25)),
        confidence=cast(float, read.get("confidence", 0.98)),
    )


def _metric(read: Read) -> Metric:
    groups = (read["group"],) if "group" in read else read.get("groups") or ("default",)
    return Metric(
        name=str(read["name"]),
        experiment=cast("tuple[float, ...]", read["experiment"]),
        control=cast("tuple[float, ...]", read["control"]),
        groups=cast("tuple[str, ...]", groups),
        critical=bool(read.get("critical")),
        must_have_data=bool(read.get("mustHaveData")),
        muted=bool(read.get("muted")),
        direction=Direction(str(read.get("direction", Direction.EITHER))),
        nan_strategy=NanStrategy(str(read.get("nanStrategy", NanStrategy.REMOVE))),
        outlier_strategy=OutlierStrategy(str(read.get("outlierStrategy", OutlierStrategy.KEEP))),
        outlier_factor=cast(float, read.get("outlierFactor", 3.0)),
        effect=_effect(cast(Read, read.get("effectSize") or {})),
    )


def _effect(read: Read) -> EffectSize:
    def limit(key: str) -> float | None:
        return cast("float | None", read.get(key))

    return EffectSize(
        EffectMeasure(str(read.get("measure", EffectMeasure.MEAN_RATIO))),
        allowed_increase=limit("allowedIncrease"),
        allowed_decrease=limit("allowedDecrease"),
        critical_increase=limit("criticalIncrease"),
        critical_decrease=limit("criticalDecrease"),
    )
