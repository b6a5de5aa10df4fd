"""Canaries of Flagger go on as they did."""

import pytest

from crossfade.adapters.documents.application import parse
from crossfade.adapters.importers.fates import Fate
from crossfade.core.rollout.spec import (
    Kind,
    Pause,
    SetMirror,
    SetScale,
    SetWeight,
)
from crossfade.core.traffic.split import Sticky
from crossfade.testing.imports import application, brought_in, fates, flagger


def weights(analysis):
    steps = application(flagger(analysis)).strategy.steps
    return [step.percent for step in steps if isinstance(step, SetWeight)]


@pytest.mark.parametrize(
    ("analysis", "expected"),
    [
        pytest.param({"stepWeight": 10, "maxWeight": 50}, [10, 20, 30, 40, 50], id="even"),
        pytest.param({"stepWeight": 20, "maxWeight": 50}, [20, 40, 60], id="a-whole-step-beyond"),
        pytest.param({"stepWeight": 40}, [40, 80, 100], id="up-to-everything"),
        pytest.param({"stepWeight": 60, "maxWeight": 50}, [60], id="one-step"),
        pytest.param({"stepWeights": [1, 10, 120]}, [1, 10, 100], id="written-out"),
        pytest.param({}, [], id="none"),
    ],
)
def test_weights_of_flagger_become_steps(analysis, expected):
    assert weights(analysis) == expected


def test_every_weight_of_flagger_lasts_an_interval():
    steps = application(
        flagger({"stepWeight": 50, "maxWeight": 50, "interval": "90s"})
    ).strategy.steps

    assert steps == (SetWeight(50), Pause(90))


@pytest.mark.parametrize(("interval", "seconds"), [("1m", 600), (None, 600), ("1s", 100)])
def test_iterations_of_flagger_are_blue_green(interval, seconds):
    analysis = {"iterations": 10, **({"interval": interval} if interval else {})}
    got = application(flagger(analysis)).strategy

    assert got.kind is Kind.BLUE_GREEN
    assert got.steps == (SetScale(100), Pause(seconds), SetWeight(100))


def test_a_mirror_of_flagger_comes_before_users():
    analysis = {"stepWeight": 50, "maxWeight": 50, "mirror": True, "mirrorWeight": 30}
    steps = application(flagger(analysis)).strategy.steps

    assert steps == (SetMirror(30), Pause(60), SetMirror(0), SetWeight(50), Pause(60))


def test_ways_to_be_meant_become_routes():
    match = [
        {"headers": {"x-tester": {"exact": "1"}, "user-agent": {"regex": ".*Firefox.*"}}},
        {"headers": {"cookie": {"regex": "^(.*?;)?(canary=always)(;.*)?$"}}},
    ]
    steps = application(flagger({"match": match, "iterations": 5, "interval": "1m"})).strategy.steps

    assert [len(each.matches) for each in steps[:2]] == [2, 1]
    assert steps[2:] == (Pause(300),)


def test_sessions_go_on_sticking():
    affinity = {"cookieName": "flagger-cookie", "maxAge": 21600, "secure": True}
    got = brought_in(flagger({"sessionAffinity": affinity}))

    assert parse(got.text, "x")[0].strategy.sticky == Sticky("flagger-cookie", 21600)
    assert "Canary/podinfo spec.analysis.sessionAffinity.secure" in fates(got, Fate.UNSUPPORTED)


def test_the_success_rate_of_flagger_becomes_a_limit_of_errors():
    rate = {"name": "request-success-rate", "thresholdRange": {"min": 99.5}}
    other = {"name": "request-duration", "thresholdRange": {"max": 500}}
    got = brought_in(flagger({"metrics": [other, rate]}))

    assert parse(got.text, "x")[0].analysis.threshold.max_percent == 0.5
    assert "Canary/podinfo spec.analysis.metrics[1].thresholdRange" in fates(got, Fate.CHANGED)
    assert "Canary/podinfo spec.analysis.metrics[0].thresholdRange" in fates(got, Fate.UNSUPPORTED)


def test_an_analysis_that_is_skipped_is_skipped():
    got = application(flagger({}, skipAnalysis=True)).analysis

    assert not got.judged


def test_an_analysis_that_is_not_skipped_is_told_to_be_ours():
    assert application(flagger({})).analysis.judge is not None
    assert "Canary/podinfo (analysis)" in fates(brought_in(flagger({})), Fate.CHANGED)


def test_the_route_of_flagger_is_kept():
    service = {
        "name": "front",
        "hosts": ["*", "app.example.com"],
        "gatewayRefs": [{"name": "public", "namespace": "infra"}, {"name": "second"}],
        "retries": {"attempts": 3, "perTryTimeout": "1s"},
    }
    got = brought_in(flagger({}, service))
    route = parse(got.text, "x")[0].route

    assert (route.host, route.service, route.port) == ("app.example.com", "front", 9898)
    assert (route.gateway, route.try_seconds) == ("infra/public", 1.0)
    assert "Canary/podinfo spec.service.gatewayRefs[1]" in fates(got, Fate.UNSUPPORTED)
