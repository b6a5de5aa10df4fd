"""Strategies to replay, from files."""

import pytest

from crossfade.adapters.documents.backtest_spec import read_spec
from crossfade.base.errors import InputError
from crossfade.core.analysis.backtest import Level

APPLICATION = """\
apiVersion: crossfade.dev/v1alpha1
kind: Application
metadata: {name: colors}
spec:
  source: {chart: chart}
  route: {host: colors.example.com, service: colors}
  rollout:
    canary:
      steps:
      - setWeight: 10
      - pause: {duration: 2m}
      - setWeight: 50
      - pause: {}
"""


@pytest.fixture
def read(tmp_path):
    def run(text, metrics=("errors",)):
        (tmp_path / "spec.yaml").write_text(text)
        return read_spec(tmp_path / "spec.yaml", ("gcp",), metrics)

    return run


def test_a_plan_without_steps_is_the_risk_budget(read):
    assert read("metrics: [{name: errors}]").levels == ()


def test_steps_are_shares_with_the_pauses_that_follow_them(read):
    steps = "[{pause: {duration: 5}}, {setWeight: 5}, {pause: {duration: 1m}}, {setWeight: 50}]"

    assert read(f"metrics: [{{name: errors}}]\nsteps: {steps}").levels == (
        Level(0.0, 5.0),
        Level(0.05, 60.0),
        Level(0.5, 0.0),
    )


def test_an_application_file_is_replayed_by_its_steps(read):
    found = read(APPLICATION)

    assert found.levels == (Level(0.1, 120.0), Level(0.5, None))
    assert [each.name for each in found.plan.metrics] == ["errors"]
    assert found.plan.clusters == ("gcp",)


def test_an_application_is_judged_as_its_analysis_says(read):
    analysis = """  analysis:
    metrics: [errors, latency]
    budget: 50
    alpha: 0.02
    tolerance: 1.2
    dispersion: {errors: 3}
    minDuration: 5m
"""
    found = read(APPLICATION + analysis, ("apdex", "errors", "slow_500ms"))

    plan = found.plan
    assert (plan.budget, plan.alpha, plan.min_soak_s) == (50, 0.02, 300)
    assert [(each.name, each.r0, each.phi) for each in plan.metrics] == [
        ("errors", 1.2, 3.0),
        ("slow_500ms", 1.2, 1.0),
    ]


def test_what_the_application_does_not_ask_for_decides_nothing(read):
    only_latency = read(APPLICATION + "  analysis: {metrics: [latency]}\n", ("errors", "slow_9ms"))

    assert [each.name for each in only_latency.plan.metrics] == ["slow_9ms"]


def test_an_application_with_a_ramp_is_replayed_by_its_ramp(read):
    steps = APPLICATION[APPLICATION.index("      steps:") :]
    found = read(APPLICATION.replace(steps, "      ramp: {maxWeight: 30}\n"))

    assert (found.levels, found.plan.w_max) == ((), 0.3)


@pytest.mark.parametrize(
    ("analysis", "metrics"),
    [("  analysis: {metrics: []}\n", ("errors",)), ("", ("apdex",))],
)
def test_a_record_without_anything_that_the_application_is_judged_by_is_refused(
    read, analysis, metrics
):
    with pytest.raises(InputError, match=r"its `analysis` judges .*, and the record has"):
        read(APPLICATION + analysis, metrics)


def test_errors_are_what_counts_as_harm_whatever_else_was_recorded(read):
    plan = read(APPLICATION, ("apdex", "errors", "slow")).plan

    assert [(each.name, plan.harm_of(each)) for each in plan.metrics] == [
        ("errors", 1.0),
        ("slow", 0.0),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("metrics: [{name: a}]\nsteps: [{setWeight: 500}]", r"2:21: steps\[0\].setWeight: 500 is"),
        ("metrics: [{name: a}]\nsteps: [{}]", r"a step is one of setWeight and pause"),
        ("steps: []", r"metrics: is missing"),
        (APPLICATION.replace("chart: chart", "chart: 5"), r"spec.source.chart: 5 is no text"),
    ],
)
def test_a_mistake_is_told_with_its_place(read, text, says):
    with pytest.raises(InputError, match=says):
        read(text)
