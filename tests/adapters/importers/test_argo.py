"""Rollouts of Argo go on as they did."""

import pytest

from crossfade.adapters.documents.application import parse
from crossfade.adapters.importers.fates import Fate
from crossfade.core.rollout.spec import (
    Kind,
    Pause,
    SetHeaderRoute,
    SetMirror,
    SetScale,
    SetWeight,
)
from crossfade.core.traffic.split import HeaderMatch, MatchKind, Sticky
from crossfade.testing.imports import application, brought_in, canary, fates, metric, rollout, thing


def test_steps_of_a_canary_are_kept():
    got = application(canary({"setWeight": 5}, {"pause": {"duration": "1h"}}, {"setWeight": 50}, {"pause": {}}, {"pause": {"duration": 30}}))  # fmt: skip

    assert got.strategy.steps == (SetWeight(5), Pause(3600), SetWeight(50), Pause(), Pause(30))


def test_times_that_argo_takes_for_granted_are_written_out():
    got = application(canary({"setWeight": 5})).strategy

    assert (got.deadlines.ready_seconds, got.keep_old_seconds) == (600, 30)


def test_times_are_kept():
    strategy = {"canary": {"scaleDownDelaySeconds": 90}}
    got = application(rollout(strategy, progressDeadlineSeconds=120)).strategy

    assert (got.deadlines.ready_seconds, got.keep_old_seconds) == (120, 90)


def test_finer_weights_become_percents_and_never_nobody():
    given = canary({"setWeight": 1}, {"setWeight": 255}, trafficRouting={"maxTrafficWeight": 1000})

    assert application(given).strategy.steps == (SetWeight(1), SetWeight(26))
    assert "1 of 1000 is 1 percent" in str(fates(brought_in(given), Fate.CHANGED))


@pytest.mark.parametrize(
    ("strategy", "between"),
    [
        ({}, ()),
        ({"autoPromotionEnabled": False}, (Pause(),)),
        ({"autoPromotionEnabled": False, "autoPromotionSeconds": 30}, (Pause(),)),
        ({"autoPromotionSeconds": 30}, (Pause(30),)),
    ],
)
def test_blue_green_promotes_as_it_did(strategy, between):
    got = application(rollout({"blueGreen": {"activeService": "colors", **strategy}}))

    assert got.strategy.kind is Kind.BLUE_GREEN
    assert got.strategy.steps == (SetScale(100), *between, SetWeight(100))
    assert got.route.service == "colors"


def test_scales_become_a_part_of_all_pods():
    given = rollout(
        {"canary": {"steps": [
            {"setCanaryScale": {"replicas": 3}},
            {"setCanaryScale": {"weight": 25}},
            {"setCanaryScale": {"weight": 200}},
            {"setCanaryScale": {"matchTrafficWeight": True}},
        ]}},
        replicas=8,
    )  # fmt: skip
    steps = application(given).strategy.steps

    assert steps == (SetScale(38), SetScale(25), SetScale(100), SetScale(None))


def test_a_scale_in_pods_of_an_unknown_number_is_not_supported():
    got = brought_in(canary({"setCanaryScale": {"replicas": 3}}))

    assert "Rollout/colors spec.strategy.canary.steps[0].setCanaryScale" in fates(
        got, Fate.UNSUPPORTED
    )


def header_route(name, *matches):
    return {"setHeaderRoute": {"name": name, **({"match": list(matches)} if matches else {})}}


def by(header, **value):
    return {"headerName": header, "headerValue": value}


A, B = HeaderMatch("a", "1"), HeaderMatch("b", "2", MatchKind.PREFIX)


def test_header_routes_are_kept_and_taken_away_again():
    steps = application(
        canary(header_route("x", by("a", exact="1")), header_route("x"))
    ).strategy.steps

    assert steps == (SetHeaderRoute("x", (A,)), SetHeaderRoute("x"))


def test_matches_that_istio_takes_as_alternatives_become_routes_of_their_own():
    written = (header_route("x", by("a", exact="1"), by("b", prefix="2")), header_route("x"))
    istio = {"trafficRouting": {"istio": {"virtualService": {"name": "v"}}}}

    assert application(canary(*written, **istio)).strategy.steps == (
        SetHeaderRoute("x", (A,)),
        SetHeaderRoute("x-2", (B,)),
        SetHeaderRoute("x"),
        SetHeaderRoute("x-2"),
    )
    assert application(canary(*written)).strategy.steps == (
        SetHeaderRoute("x", (A, B)),
        SetHeaderRoute("x"),
    )


def test_a_name_that_no_route_may_have_is_changed():
    got = brought_in(canary(header_route("Set Header!", by("a", exact="1"))))

    assert parse(got.text, "x")[0].strategy.steps == (SetHeaderRoute("set-header", (A,)),)
    assert "its name becomes set-header" in str(fates(got, Fate.CHANGED))


def test_mirrors_begin_and_end():
    match = [{"path": {"prefix": "/"}}]
    given = canary({"setMirrorRoute": {"name": "m", "match": match, "percentage": 35}}, {"setMirrorRoute": {"name": "m"}})  # fmt: skip

    assert application(given).strategy.steps == (SetMirror(35), SetMirror(0))
    assert "a mirror has no match here" in str(fates(brought_in(given), Fate.CHANGED))


def test_how_many_old_revisions_are_kept_is_kept():
    strategy = {"canary": {"scaleDownDelayRevisionLimit": 2}}
    got = application(rollout(strategy, rollbackWindow={"revisions": 3})).strategy

    assert (got.keep_limit, got.revision_window) == (2, 3)


def test_more_than_an_application_may_have_is_the_most_that_it_may():
    got = brought_in(rollout({"canary": {}}, rollbackWindow={"revisions": 30}))

    assert parse(got.text, "x")[0].strategy.revision_window == 9
    assert "9 is the most, instead of 30" in str(fates(got, Fate.CHANGED))


def test_users_that_stick_go_on_sticking():
    routing = {
        "trafficRouting": {"alb": {"stickinessConfig": {"enabled": True, "durationSeconds": 90}}}
    }

    assert application(canary(**routing)).strategy.sticky == Sticky("crossfade-revision", 90)


def judged(*metrics, kind="AnalysisTemplate"):
    template = thing(kind, "good", {"metrics": list(metrics)})
    return brought_in(canary(analysis={"templates": [{"templateName": "good"}]}), template)


@pytest.mark.parametrize("kind", ["AnalysisTemplate", "ClusterAnalysisTemplate"])
@pytest.mark.parametrize(
    ("name", "condition", "percent"),
    [
        ("success-rate", "result[0] >= 0.95", 5),
        ("success-rate", "result > 0.999", 0.1),
        ("error-rate", "result[0] <= 0.02", 2),
    ],
)
def test_a_success_rate_becomes_a_limit_of_errors(kind, name, condition, percent):
    got = judged(metric(name, successCondition=condition), kind=kind)

    assert parse(got.text, "x")[0].analysis.threshold.max_percent == percent
    path = f"{kind}/good spec.metrics[0].successCondition"
    assert f"at most {percent:g} % errors" in fates(got, Fate.CHANGED)[path]


@pytest.mark.parametrize(
    ("name", "condition"),
    [
        ("success-rate", "result[0] >= 95"),
        ("success-rate", "result[0] <= 0.95"),
        ("latency", "result[0] >= 0.95"),
        ("success-rate", "all(result, # > 0.95)"),
        ("success-rate", "result >"),
    ],
)
def test_other_metrics_are_not_guessed_at(name, condition):
    got = judged(metric(name, successCondition=condition))

    assert "AnalysisTemplate/good spec.metrics[0].successCondition" in fates(got, Fate.UNSUPPORTED)
    assert "thresholds" not in got.text


def test_the_strictest_of_several_limits_holds():
    got = judged(metric("success-1", successCondition="result > 0.9"), metric("success-2", successCondition="result > 0.99"))  # fmt: skip

    assert parse(got.text, "x")[0].analysis.threshold.max_percent == 1
