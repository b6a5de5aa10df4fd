"""Rollouts of Argo go on as they did."""

import pytest

from crossfade.adapters.documents.application import parse
from crossfade.adapters.importers.fates import Fate
from crossfade.base.secrets import SecretRef
from crossfade.core.analysis.queries import CloudWatchQuery, DatadogQuery, PrometheusQuery, WebQuery
from crossfade.core.analysis.sources import DatadogSource, PrometheusSource
from crossfade.core.rollout.spec import (
    Analyse,
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


NOT_ASKED = {"provider": {"newRelic": {"query": "x"}}}
PROMETHEUS = {"provider": {"prometheus": {"address": "http://prometheus.test:9090", "query": "up"}}}


def template(*metrics, kind="AnalysisTemplate", name="good", **more):
    return thing(kind, name, {"metrics": list(metrics), **more})


ANALYSIS = {"templates": [{"templateName": "good"}]}


def judged(*metrics, kind="AnalysisTemplate"):
    return brought_in(canary(analysis=ANALYSIS), template(*metrics, kind=kind))


@pytest.mark.parametrize("kind", ["AnalysisTemplate", "ClusterAnalysisTemplate"])
@pytest.mark.parametrize(
    ("name", "condition", "percent"),
    [
        ("success-rate", "result[0] >= 0.95", 5),
        ("success-rate", "result > 0.999", 0.1),
        ("error-rate", "result[0] <= 0.02", 2),
    ],
)
def test_a_success_rate_that_cannot_be_asked_becomes_a_limit_of_errors(
    kind, name, condition, percent
):
    got = judged(metric(name, successCondition=condition, **NOT_ASKED), kind=kind)

    assert parse(got.text, "x")[0].analysis.threshold.max_percent == percent
    path = f"{kind}/good spec.metrics[0].successCondition"
    assert f"at most {percent:g} % errors" in fates(got, Fate.CHANGED)[path]
    assert "newRelic" in fates(got, Fate.UNSUPPORTED)[f"{kind}/good spec.metrics[0].provider"]


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
def test_other_metrics_that_cannot_be_asked_are_not_guessed_at(name, condition):
    got = judged(metric(name, successCondition=condition, **NOT_ASKED))

    assert "AnalysisTemplate/good spec.metrics[0].successCondition" in fates(got, Fate.UNSUPPORTED)
    assert "Rollout/colors spec.strategy.canary.analysis" in fates(got, Fate.UNSUPPORTED)
    assert "thresholds" not in got.text
    assert "runs" not in got.text


def test_the_strictest_of_several_limits_holds():
    rates = [metric(f"success-{rate}", successCondition=f"result > {rate}", **NOT_ASKED) for rate in (0.9, 0.99)]  # fmt: skip

    assert parse(judged(*rates).text, "x")[0].analysis.threshold.max_percent == 1


LIMITS = {
    "successCondition": "result[0] >= 0.95",
    "interval": "5m",
    "count": "3",
    "failureLimit": 1,
    "initialDelay": "1m",
    "consecutiveErrorLimit": 2,
}


def test_a_step_that_analyses_waits_for_a_run():
    got = brought_in(canary({"setWeight": 5}, {"analysis": ANALYSIS}), template(metric("success-rate", **LIMITS, **PROMETHEUS)))  # fmt: skip
    (made,) = parse(got.text, "x")
    (run,) = made.analysis.runs
    (one,) = run.metrics

    assert made.strategy.steps == (SetWeight(5), Analyse("good"))
    assert (run.background, one.query) == (False, PrometheusQuery("up"))
    assert one.source == PrometheusSource("http://prometheus.test:9090")
    assert (one.success, one.count, one.interval_seconds, one.failure_limit) == ("result[0] >= 0.95", 3, 300, 1)  # fmt: skip
    assert "AnalysisTemplate/good spec.metrics[0].failureLimit" in fates(got, Fate.KEPT)
    assert "AnalysisTemplate/good spec.metrics[0].provider.prometheus.query" in fates(
        got, Fate.KEPT
    )
    assert "Rollout/colors spec.strategy.canary.steps[1].analysis.templates" in fates(
        got, Fate.KEPT
    )


def test_an_analysis_beside_the_steps_goes_on_beside_them():
    got = judged(metric("any", interval="1m", **PROMETHEUS))

    assert parse(got.text, "x")[0].analysis.runs[0].background


def test_two_steps_with_one_template_wait_for_runs_of_their_own():
    made = application(canary({"analysis": ANALYSIS}, {"analysis": ANALYSIS}), template(metric("any", **PROMETHEUS)))  # fmt: skip

    assert made.strategy.steps == (Analyse("good"), Analyse("good-2"))
    assert [run.name for run in made.analysis.runs] == ["good", "good-2"]


def test_analyses_around_a_switch_stay_around_it():
    strategy = {"activeService": "colors", "prePromotionAnalysis": ANALYSIS, "postPromotionAnalysis": ANALYSIS, "autoPromotionEnabled": False}  # fmt: skip
    made = application(rollout({"blueGreen": strategy}), template(metric("any", **PROMETHEUS)))

    assert made.strategy.steps == (SetScale(100), Analyse("good"), Pause(), SetWeight(100), Analyse("good-2"))  # fmt: skip


def test_arguments_stay_arguments_and_those_that_mean_a_revision_mean_it():
    args = [
        {"name": "path", "value": "/"},
        {"name": "limit", "value": "0.9"},
        {"name": "service"},
        {"name": "hash"},
        {"name": "token", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
    ]
    query = "{{args.path}} {{ args.service }} {{args.hash}}"
    one = metric("any", successCondition="result > {{args.limit}}", provider={"prometheus": {"query": query}})  # fmt: skip
    analysis = ANALYSIS | {
        "args": [
            {"name": "path", "value": "/api"},
            {"name": "service", "value": "colors-canary.shop.svc"},
            {"name": "hash", "valueFrom": {"podTemplateHashValue": "Latest"}},
        ]
    }
    got = brought_in(canary({"analysis": analysis}, canaryService="colors-canary"), template(one, args=args))  # fmt: skip
    (run,) = parse(got.text, "x")[0].analysis.runs

    assert run.metrics[0].query == PrometheusQuery(
        "{{args.path}} {{service}}.shop.svc {{revision}}"
    )
    assert run.metrics[0].success == "result > 0.9"
    assert run.arguments == {"path": "/api"}
    assert "AnalysisTemplate/good spec.args[4]" in fates(got, Fate.UNSUPPORTED)


def test_metrics_in_a_dry_run_stay_in_one():
    metrics = [metric(name, **PROMETHEUS) for name in ("a1", "a2", "b")]
    analysis = ANALYSIS | {"dryRun": [{"metricName": "a.*"}]}
    (run,) = application(canary({"analysis": analysis}), template(*metrics)).analysis.runs

    assert [each.dry_run for each in run.metrics] == [True, True, False]


@pytest.mark.parametrize(
    ("provider", "query", "source"),
    [
        (
            {"web": {"url": "https://a.test/x", "method": "POST", "jsonPath": "{$.ok}", "jsonBody": {"a": 1}, "timeoutSeconds": 5, "headers": [{"key": "x-a", "value": "b"}]}},
            WebQuery("https://a.test/x", "POST", {"x-a": "b"}, {"a": 1}, "{$.ok}", 5.0),
            None,
        ),
        (
            {"datadog": {"query": "avg:x{*}", "interval": "10m", "apiVersion": "v1"}},
            DatadogQuery("avg:x{*}", interval_seconds=600),
            DatadogSource(SecretRef("datadog-api-key"), SecretRef("datadog-app-key")),
        ),
        (
            {"cloudWatch": {"metricDataQueries": [{"id": "e", "metricStat": {"period": 300}}]}},
            CloudWatchQuery(({"Id": "e", "MetricStat": {"Period": 300}},)),
            None,
        ),
    ],
)  # fmt: skip
def test_sources_that_there_are_here_are_asked_the_same(provider, query, source):
    (run,) = application(canary({"analysis": ANALYSIS}), template(metric("any", provider=provider))).analysis.runs  # fmt: skip

    assert (run.metrics[0].query, run.metrics[0].source) == (query, source)


@pytest.mark.parametrize(
    "broken",
    [
        {"provider": {"prometheus": {"query": "x", "rangeQuery": {"step": "1m"}}}},
        {"provider": {"prometheus": {"address": "http://a.test"}}},
        {"provider": {"web": {"url": "no address"}}},
        {"provider": {"web": {"url": "http://a.test", "body": "text"}}},
        {"provider": {"datadog": {}}},
        {"provider": {"cloudWatch": {}}},
        {"provider": {"job": {"spec": {}}}},
        {"provider": {}},
        {"provider": {"web": {}, "job": {}}},
        {**PROMETHEUS, "successCondition": "result matches 'x'"},
        {**PROMETHEUS, "count": "{{args.many}}"},
        {**PROMETHEUS, "interval": "soon"},
    ],
)
def test_a_metric_that_cannot_be_asked_is_told_with_the_reason(broken):
    good = metric("good", **PROMETHEUS)
    got = brought_in(canary({"analysis": ANALYSIS}), template(good, metric("bad", **broken)))
    (run,) = parse(got.text, "x")[0].analysis.runs

    assert [each.name for each in run.metrics] == ["good"]
    assert fates(got, Fate.UNSUPPORTED)["AnalysisTemplate/good spec.metrics[1].provider"]


def test_credentials_are_not_taken_over():
    basic = {"authentication": {"basicAuth": {"username": "u", "password": "hunter2"}}}
    provider = {"prometheus": {"address": "http://a.test", "query": "x", **basic}}
    got = brought_in(canary({"analysis": ANALYSIS}), template(metric("any", provider=provider)))

    assert "hunter2" not in got.text
    path = "AnalysisTemplate/good spec.metrics[0].provider.prometheus.authentication"
    assert "references" in fates(got, Fate.UNSUPPORTED)[path]


def test_an_analysis_whose_template_is_not_there_is_told():
    got = brought_in(canary({"setWeight": 5}, {"analysis": ANALYSIS}))

    path = "Rollout/colors spec.strategy.canary.steps[1].analysis"
    assert fates(got, Fate.UNSUPPORTED)[path] == "its template good is not in the files"
    assert parse(got.text, "x")[0].strategy.steps == (SetWeight(5),)
