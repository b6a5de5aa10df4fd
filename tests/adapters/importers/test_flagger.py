"""Canaries of Flagger go on as they did."""

import pytest

from crossfade.adapters.documents.application import parse
from crossfade.adapters.importers.fates import Fate
from crossfade.base.secrets import SecretRef
from crossfade.core.analysis.queries import PrometheusQuery
from crossfade.core.analysis.sources import PrometheusSource
from crossfade.core.rollout.gates import GatePoint, HookPhase, OnFailure
from crossfade.core.rollout.notifications import Occasion, SlackChannel, WebhookChannel
from crossfade.core.rollout.spec import (
    Kind,
    Pause,
    SetMirror,
    SetScale,
    SetWeight,
)
from crossfade.core.traffic.split import Sticky
from crossfade.testing.imports import FLAGGER, application, brought_in, fates, flagger, thing


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


def webhook(kind, **more):
    return {"name": "Ask them", "type": kind, "url": "http://gate.test/open", **more}


@pytest.mark.parametrize(
    ("kind", "point"),
    [
        ("confirm-rollout", GatePoint.START),
        ("confirm-traffic-increase", GatePoint.STEP),
        ("confirm-promotion", GatePoint.PROMOTION),
    ],
)
def test_what_confirms_is_a_gate(kind, point):
    given = webhook(kind, timeout="5s", retries=2)
    (gate,) = application(flagger({"webhooks": [given]})).strategy.gates

    assert (gate.name, gate.before) == ("ask-them", point)
    assert (gate.endpoint.url, gate.endpoint.timeout_seconds, gate.endpoint.attempts) == ("http://gate.test/open", 5, 3)  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "phase", "on_failure"),
    [
        ("pre-rollout", HookPhase.PROGRESSING, OnFailure.ROLL_BACK),
        ("post-rollout", HookPhase.ENDED, OnFailure.IGNORE),
    ],
)
def test_what_comes_before_and_after_is_a_hook(kind, phase, on_failure):
    (hook,) = application(flagger({"webhooks": [webhook(kind)]})).strategy.hooks

    assert (hook.phase, hook.on_failure) == (phase, on_failure)


def test_what_hears_events_is_notified():
    (told,) = application(flagger({"webhooks": [webhook("event")]})).notifications

    assert isinstance(told.channel, WebhookChannel)
    assert Occasion.STEP in told.on


@pytest.mark.parametrize("given", [webhook("rollout"), webhook(""), webhook("rollback"), webhook("confirm-rollout", url="not an address")])  # fmt: skip
def test_webhooks_without_a_like_are_told_to_be_unsupported(given):
    got = brought_in(flagger({"webhooks": [given]}))

    assert "Canary/podinfo spec.analysis.webhooks[0].url" in fates(got, Fate.UNSUPPORTED)
    assert parse(got.text, "x")[0].strategy.gates == ()


def test_two_webhooks_of_one_name_get_two():
    got = application(
        flagger({"webhooks": [webhook("confirm-rollout"), webhook("confirm-promotion")]})
    )

    assert [each.name for each in got.strategy.gates] == ["ask-them", "ask-them-2"]


def provider(**spec):
    return thing("AlertProvider", "team", spec, api=FLAGGER, namespace="test")


def alerted(alert, *objects):
    return brought_in(flagger({"alerts": [{"name": "on call", "providerRef": {"name": "team"}, **alert}]}), *objects)  # fmt: skip


@pytest.mark.parametrize(
    ("severity", "told", "not_told"),
    [
        ("info", Occasion.STEP, None),
        ("", Occasion.STEP, None),
        ("warn", Occasion.HELD, Occasion.STEP),
        ("error", Occasion.ROLLED_BACK, Occasion.HELD),
    ],
)
def test_alerts_over_slack_are_notifications(severity, told, not_told):
    got = alerted({"severity": severity}, provider(type="slack", address="https://hooks.test/x"))
    (notification,) = parse(got.text, "x")[0].notifications

    assert notification.channel == SlackChannel("https://hooks.test/x")
    assert told in notification.on
    assert not_told not in notification.on


def test_an_address_in_a_secret_stays_a_secret():
    got = alerted({}, provider(type="slack", secretRef={"name": "slack-url"}, channel="ops"))
    (notification,) = parse(got.text, "x")[0].notifications

    assert notification.channel == SlackChannel(SecretRef("slack-url"))
    assert "give the hub a secret slack-url" in fates(got, Fate.CHANGED)["AlertProvider/team spec.secretRef"]  # fmt: skip
    assert "AlertProvider/team spec.channel" in fates(got, Fate.UNSUPPORTED)


@pytest.mark.parametrize("objects", [[], [provider(type="msteams", address="https://x.test/y")], [provider(type="slack")]])  # fmt: skip
def test_alerts_that_cannot_be_told_are_said_so(objects):
    got = alerted({"severity": "error"}, *objects)

    assert "Canary/podinfo spec.analysis.alerts[0].providerRef" in fates(got, Fate.UNSUPPORTED)
    assert "notifications" not in got.text


QUERY = """
100 - sum(rate(http{ns="{{ namespace }}", workload="{{ target }}", code="{{ variables.code }}"}[{{ interval }}]))
"""


def template(**more):
    spec = {"provider": {"type": "prometheus", "address": "http://prometheus.test:9090"}, "query": QUERY}  # fmt: skip
    return thing("MetricTemplate", "errors", {**spec, **more}, api=FLAGGER, namespace="test")


CHECK = {
    "name": "Not Found",
    "templateRef": {"name": "errors"},
    "templateVariables": {"code": "404"},
    "thresholdRange": {"min": 1, "max": 99.5},
    "interval": "30s",
}


def test_metrics_of_templates_are_checked_beside_the_steps():
    got = brought_in(flagger({"metrics": [CHECK], "interval": "2m", "threshold": 5}), template())
    (run,) = parse(got.text, "x")[0].analysis.runs
    (one,) = run.metrics

    assert (run.background, one.name) == (True, "not-found")
    assert one.query == PrometheusQuery(
        '100 - sum(rate(http{ns="{{namespace}}", workload="{{release}}-podinfo", code="404"}[30s]))'
    )
    assert one.source == PrometheusSource("http://prometheus.test:9090")
    assert one.success == "last(result) >= 1 && last(result) <= 99.5"
    assert (one.interval_seconds, one.failure_limit) == (120, 4)
    assert "MetricTemplate/errors spec.query" in fates(got, Fate.KEPT)
    assert "Canary/podinfo spec.analysis.metrics[0].templateRef" in fates(got, Fate.KEPT)


def test_a_query_in_the_canary_is_checked_too():
    metric = {"name": "own", "query": "up", "thresholdRange": {"max": 5}}
    given = flagger({"metrics": [metric]}, metricsServer="http://prometheus.test:9090")
    (run,) = application(given).analysis.runs

    assert run.metrics[0].query == PrometheusQuery("up")
    assert (run.metrics[0].success, run.metrics[0].failure_limit) == ("last(result) <= 5", 0)


@pytest.mark.parametrize(
    ("metric", "objects"),
    [
        pytest.param(CHECK, [], id="no-template"),
        pytest.param(CHECK, [template(provider={"type": "newrelic"})], id="no-such-source"),
        pytest.param(CHECK, [template(query="x{{ ingress }}")], id="a-placeholder-without-meaning"),
        pytest.param(
            {**CHECK, "templateVariables": {}}, [template()], id="a-variable-without-value"
        ),
        pytest.param({**CHECK, "thresholdRange": {}}, [template()], id="no-limit"),
    ],
)
def test_metrics_that_cannot_be_asked_are_told(metric, objects):
    got = brought_in(flagger({"metrics": [metric]}), *objects)

    assert "Canary/podinfo spec.analysis.metrics[0].templateRef" in fates(got, Fate.UNSUPPORTED)
    assert "runs" not in got.text
