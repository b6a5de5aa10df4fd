"""Plans from files."""

import json

import pytest

from crossfade.adapters.documents.analysis_plan import read_plan
from crossfade.base.errors import InputError, NotFound
from crossfade.core.analysis.plan import Metric, OnTimeout, Plan

WHOLE = """\
metrics:
- {name: errors, weight: 2, r0: 1.2, r1: 2, gate: true, phi: 1.5, rise: 0.005, harm: 1, p0: 0.01}
- {name: slow, gate: false, harm: null}
clusters: [aws, gcp]
clouds: {aws: one, gcp: two}
alpha: 0.001
beta: 0.1
cap: null
pooled: 0.6
by_cloud: 0.1
alternatives: [1.5, 3]
min_soak_s: 60
max_s: 600
budget: 50
react_s: 30
tick_s: 10
silent_s: 45
kappa: 0.4
w_min: 0.01
w_start: 0.05
w_max: 0.4
on_timeout: promote
"""


@pytest.fixture
def read(tmp_path):
    def run(text, clusters=("gcp", "aws", "gcp")):
        (tmp_path / "plan.yaml").write_text(text)
        return read_plan(tmp_path / "plan.yaml", clusters)

    return run


def test_every_key_of_a_plan_is_taken_over(read):
    assert read(WHOLE) == Plan(
        (Metric("errors", 2, 1.2, 2, True, 1.5, 0.005, 1, 0.01), Metric("slow", gate=False)),
        ("aws", "gcp"),
        {"aws": "one", "gcp": "two"},
        0.001,
        0.1,
        None,
        0.6,
        0.1,
        (1.5, 3),
        60,
        600,
        50,
        30,
        10,
        45,
        0.4,
        0.01,
        0.05,
        0.4,
        OnTimeout.PROMOTE,
    )


def test_what_is_left_out_has_its_default_and_the_clusters_are_those_of_the_record(read):
    assert read("metrics: [{name: errors}]") == Plan((Metric("errors"),), ("aws", "gcp"))


def test_json_is_read_too(read):
    assert read(json.dumps({"metrics": [{"name": "errors"}]})).metrics == (Metric("errors"),)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("metric: [{name: errors}]", r'plan.yaml:1:1: metric: unknown key "metric"'),
        ("metric: [{name: errors}]", r'did you mean "metrics"'),
        ("alpha: 0.1", r"1:1: metrics: is missing"),
        ("metrics: [{name: errors}]\nalpha: often", r'2:8: alpha: "often" is not allowed; allowed'),
        ("metrics: [{name: errors, r0: 0.5}]", r"1:30: metrics\[0\].r0: 0.5 is not allowed"),
        ("metrics: [{name: errors, r0: 2}]", r"metrics\[0\].name: errors: r1 1.5 is not allowed"),
        ("metrics: [{name: errors, r0: 1.3}]", r"below the smallest alternative, 1.25"),
        ("metrics: [{name: errors}]\nbeta: 0", r"1:1: plan: beta 0 is not allowed; allowed: betw"),
        ("metrics: [{name: errors, gate: perhaps}]", r'gate: "perhaps" is not allowed'),
        ("metrics: []", r"no metric is not allowed; allowed: one or more"),
        ("metrics: [{name: a}]\non_timeout: wait", r'on_timeout: "wait" is not allowed'),
        ("[1, 2]", r"a list is not allowed"),
        ("", r"0 documents; allowed: one"),
        ("metrics: [{name: a}]\n---\nmetrics: [{name: b}]", r"2 documents; allowed: one"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_what_is_allowed(read, text, says):
    with pytest.raises(InputError, match=says):
        read(text)


def test_a_plan_that_is_not_there_is_not_found(tmp_path):
    with pytest.raises(NotFound, match="there is no file"):
        read_plan(tmp_path / "plan.yaml", ())
