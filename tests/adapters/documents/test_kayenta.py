"""Files for the judge of Kayenta are read whole, and wrong ones are refused with the key."""

import json
import math

import pytest

from crossfade.adapters.documents.kayenta import parse
from crossfade.base.errors import InputError
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

FULL = {
    "tolerance": 0.1,
    "confidence": 0.95,
    "thresholds": {"pass": 90, "marginal": 50},
    "groupWeights": {"g": 60},
    "metrics": [
        {
            "name": "errors",
            "group": "g",
            "critical": True,
            "mustHaveData": True,
            "muted": True,
            "direction": "increase",
            "nanStrategy": "replace",
            "outlierStrategy": "remove",
            "outlierFactor": 2.5,
            "effectSize": {
                "measure": "cles",
                "allowedIncrease": 0.6,
                "allowedDecrease": 0.4,
                "criticalIncrease": 0.8,
                "criticalDecrease": 0.2,
            },
            "experiment": [1, None, 2.5],
            "control": [],
        }
    ],
}


def least(**more):
    return {"metrics": [{"name": "errors", "experiment": [1], "control": [2], **more}]}


def read(config):
    return parse(json.dumps(config), "look.json")


def test_every_key_is_read():
    got = read(FULL)

    assert got.thresholds == Thresholds(90, 50)
    assert (got.tolerance, got.confidence, dict(got.group_weights)) == (0.1, 0.95, {"g": 60})
    (metric,) = got.metrics
    assert metric.experiment[::2] == (1.0, 2.5)
    assert math.isnan(metric.experiment[1])
    effect = EffectSize(EffectMeasure.CLES, 0.6, 0.4, 0.8, 0.2)
    expected = Metric("errors", metric.experiment, (), ("g",), True, True, True, Direction.INCREASE, NanStrategy.REPLACE, OutlierStrategy.REMOVE, 2.5, effect)  # fmt: skip
    assert metric == expected


def test_what_is_left_out_is_as_with_kayenta():
    assert read(least()) == Config((Metric("errors", (1.0,), (2.0,)),))
    assert read(least(effectSize=None) | {"groupWeights": None}) == read(least())


def test_a_metric_may_be_in_several_groups():
    assert read(least(groups=["g", "h"])).metrics[0].groups == ("g", "h")


@pytest.mark.parametrize("gap", ["null", "NaN", "~", '"NaN"'])
def test_a_point_without_a_value_is_nan(gap):
    text = f'{{"metrics": [{{"name": "a", "experiment": [{gap}], "control": [1]}}]}}'

    assert math.isnan(parse(text, "look.json").metrics[0].experiment[0])


def test_yaml_is_read_too():
    text = "metrics:\n- name: a\n  experiment: [1, 2]\n  control:\n  - 3\n"

    assert parse(text, "look.yaml").metrics == (Metric("a", (1.0, 2.0), (3.0,)),)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({}, "metrics: is missing"),
        ({"metrics": []}, "metrics: is empty"),
        ({"metrics": [{"name": "a"}]}, "metrics[0].experiment: is missing"),
        (least(experiment="none"), 'metrics[0].experiment: "none" is not allowed'),
        (least(experiment=[1, "many"]), 'metrics[0].experiment[1]: "many" is not allowed; allowed: a finite number'),
        (least(control=[True]), "metrics[0].control[0]: true is not allowed"),
        (least(control=[10**400]), "metrics[0].control[0]:"),
        (least(direction="up"), 'metrics[0].direction: "up" is not allowed; allowed: increase, decrease, either'),
        (least(nanStrategy="drop"), "metrics[0].nanStrategy:"),
        (least(critical="yes"), 'metrics[0].critical: "yes" is not allowed; allowed: true or false'),
        (least(effectSize={"allowedIncrese": 1}), 'did you mean "allowedIncrease"?'),
        (least(effectSize={"allowedIncrease": "x"}), "metrics[0].effectSize.allowedIncrease:"),
        (least(group="g", groups=["h"]), "metrics[0].groups: cannot go with `group`"),
        (least() | {"tolerance": -1}, "tolerance: -1 is not allowed"),
        (least() | {"confidence": 1}, "confidence: 1 is not allowed"),
        (least() | {"thresholds": {"pass": 101}}, "thresholds.pass: 101 is not allowed"),
        (least() | {"thresholds": {"pass": 50}}, "thresholds.marginal: 75 is above `pass`, 50"),
        (least() | {"groupWeights": {"g": 60, "h": 41}}, "groupWeights: are 101 together, 100 are allowed"),
        (least() | {"groupWeights": {"g": -1}}, "groupWeights.g: -1 is not allowed"),
        ({"metrics": least()["metrics"] * 2}, 'metrics: the name "errors" is given more than once'),
        ([], "a list is not allowed"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_key(config, said):
    with pytest.raises(InputError) as raised:
        read(config)

    assert said in str(raised.value)
    assert str(raised.value).startswith("look.json")
    assert "docs/guides/coming-from.md" in raised.value.hint


@pytest.mark.parametrize("text", ["", "---\n---\n", "a: 1\n---\nb: 1\n", "{", "metrics: [\t"])
def test_a_file_that_is_no_document_is_refused(text):
    with pytest.raises(InputError, match=r"^look\.json"):
        parse(text, "look.json")
