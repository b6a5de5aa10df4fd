"""Rollouts and Canaries become applications that our own reader accepts, each field accounted for."""

import json

import pytest
import yaml

from crossfade.adapters.documents.application import parse
from crossfade.adapters.importers.fates import Fate
from crossfade.adapters.importers.objects import parse_objects
from crossfade.adapters.importers.reading import Wishes, applications_of
from crossfade.base.errors import InputError
from crossfade.core.rollout.spec import Pause, SetWeight


def thing(kind, name, spec, api="argoproj.io/v1alpha1", **metadata):
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, **metadata}, "spec": spec}


def brought_in(*objects, **wishes):
    things = parse_objects(yaml.safe_dump_all(objects), "theirs.yaml")
    return applications_of(things, Wishes(**wishes))


def application(*objects):
    """Return the one application that our reader makes of what is written."""
    (made,) = parse(brought_in(*objects).text, "ours.yaml")
    return made


def fates(got, fate):
    return {f"{entry.object} {entry.path}".strip(): entry.reason for entry in got.entries if entry.fate is fate}  # fmt: skip


TEMPLATE = {
    "metadata": {"labels": {"app": "colors"}},
    "spec": {"containers": [{"name": "colors", "image": "colors:1"}]},
}


def rollout(strategy, **more):
    spec = {"selector": {"matchLabels": {"app": "colors"}}, "template": TEMPLATE, **more}
    return thing("Rollout", "colors", {**spec, "strategy": strategy}, namespace="shop")


def canary(*steps, **more):
    return rollout({"canary": {"stableService": "colors", "steps": list(steps), **more}})


SERVICE = thing("Service", "colors", {"ports": [{"port": 8000}]}, api="v1")


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
    ("strategy", "steps"),
    [
        ({}, ()),
        ({"autoPromotionEnabled": False}, (Pause(),)),
        ({"autoPromotionEnabled": False, "autoPromotionSeconds": 30}, (Pause(),)),
        ({"autoPromotionSeconds": 30}, (Pause(30),)),
    ],
)
def test_blue_green_is_a_pause_before_all_users_follow(strategy, steps):
    given = rollout({"blueGreen": {"activeService": "colors", **strategy}})

    assert application(given).strategy.steps == steps
    assert application(given).route.service == "colors"


def test_the_host_and_the_port_come_from_what_stands_beside():
    routes = {
        "VirtualService": {"hosts": ["*", "colors.example.org"], "http": [{"route": [{"destination": {"host": "colors.shop.svc.cluster.local"}}]}]},
        "Ingress": {"rules": [{"host": "colors.example.org", "http": {"paths": [{"backend": {"service": {"name": "colors"}}}]}}]},
        "HTTPRoute": {"hostnames": ["colors.example.org"], "rules": [{"backendRefs": [{"name": "colors"}]}]},
    }  # fmt: skip
    for kind, spec in routes.items():
        got = application(canary(), SERVICE, thing(kind, "any", spec, api="x/v1"))
        assert (got.route.host, got.route.port) == ("colors.example.org", 8000), kind


def test_a_route_to_something_else_is_not_ours():
    other = thing("HTTPRoute", "any", {"hostnames": ["a.example.org"], "rules": [{"backendRefs": [{"name": "b"}]}]}, api="x/v1")  # fmt: skip
    got = brought_in(canary(), other, domain="shop.example.net")

    assert parse(got.text, "x")[0].route.host == "colors.shop.example.net"
    assert "Rollout/colors (route.host)" in fates(got, Fate.CHANGED)


def metric(name, **more):
    return {"name": name, "provider": {"prometheus": {"query": "x"}}, **more}


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
    assert "Rollout/colors (analysis)" in fates(got, Fate.CHANGED)
    assert "thresholds" not in got.text


def test_the_strictest_of_several_limits_holds():
    got = judged(metric("success-1", successCondition="result > 0.9"), metric("success-2", successCondition="result > 0.99"))  # fmt: skip

    assert parse(got.text, "x")[0].analysis.threshold.max_percent == 1


FLAGGER = "flagger.app/v1beta1"


def flagger(analysis, service=None, **more):
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "podinfo"}
    spec = {"targetRef": reference, "service": {"port": 9898, **(service or {})}, "analysis": analysis, **more}  # fmt: skip
    return thing("Canary", "podinfo", spec, api=FLAGGER, namespace="test")


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
def test_iterations_of_flagger_become_one_pause(interval, seconds):
    analysis = {"iterations": 10, **({"interval": interval} if interval else {})}

    assert application(flagger(analysis)).strategy.steps == (Pause(seconds),)


def test_the_success_rate_of_flagger_becomes_a_limit_of_errors():
    rate = {"name": "request-success-rate", "thresholdRange": {"min": 99.5}}
    other = {"name": "request-duration", "thresholdRange": {"max": 500}}
    got = brought_in(flagger({"metrics": [other, rate]}))

    assert parse(got.text, "x")[0].analysis.threshold.max_percent == 0.5
    assert "Canary/podinfo spec.analysis.metrics[1].thresholdRange" in fates(got, Fate.CHANGED)
    assert "Canary/podinfo spec.analysis.metrics[0].thresholdRange" in fates(got, Fate.UNSUPPORTED)


def test_an_analysis_that_is_skipped_is_skipped():
    assert application(flagger({}, skipAnalysis=True)).analysis.threshold is None


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


def chart(got):
    (one,) = got.applications
    return {place: yaml.safe_load(text) for place, text in one.chart.items() if place != "values.yaml"}  # fmt: skip


def test_the_chart_has_a_deployment_instead_of_the_rollout():
    files = chart(brought_in(rollout({"canary": {"stableService": "colors"}}, replicas=3), SERVICE))
    deployment = files["templates/deployment-colors.yaml"]

    assert (deployment["apiVersion"], deployment["kind"]) == ("apps/v1", "Deployment")
    assert deployment["spec"]["replicas"] == 3
    assert deployment["spec"]["template"] == TEMPLATE
    assert "strategy" not in deployment["spec"]
    assert files["templates/service-colors.yaml"]["kind"] == "Service"
    assert files["Chart.yaml"]["name"] == "colors"


def test_the_workload_that_a_rollout_refers_to_gets_the_rollouts_pods():
    deployment = thing("Deployment", "old", {"replicas": 0, "template": TEMPLATE}, api="apps/v1", uid="1")  # fmt: skip
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "old"}
    given = thing("Rollout", "colors", {"workloadRef": reference, "replicas": 4, "strategy": {}})
    files = chart(brought_in(given, deployment))

    assert files["templates/deployment-old.yaml"]["spec"]["replicas"] == 4
    assert files["templates/deployment-old.yaml"]["metadata"] == {"name": "old"}


def test_the_chart_has_the_service_that_flagger_made():
    spec = {"selector": {"matchLabels": {"app": "podinfo"}}, "template": TEMPLATE}
    files = chart(brought_in(flagger({}, {"targetPort": "http"}), thing("Deployment", "podinfo", spec, api="apps/v1")))  # fmt: skip
    service = files["templates/service-podinfo.yaml"]["spec"]

    assert service["selector"] == {"app": "podinfo"}
    assert service["ports"] == [{"name": "http", "port": 9898, "targetPort": "http"}]


def test_braces_of_others_are_not_taken_for_helms():
    template = json.loads(json.dumps(TEMPLATE))
    template["spec"]["containers"][0]["args"] = ["{{ .Name }}"]
    got = brought_in(thing("Rollout", "colors", {"template": template, "strategy": {}}))
    written = got.applications[0].chart["templates/deployment-colors.yaml"]

    assert '{{ "{{" }} .Name {{ "}}" }}' in written


def test_every_object_of_the_files_is_accounted_for():
    others = [
        thing("Secret", "password", {}, api="v1"),
        thing("MetricTemplate", "latency", {"provider": {"type": "prometheus"}}, api=FLAGGER),
        thing("AnalysisTemplate", "unused", {"metrics": [metric("any")]}),
        thing("DestinationRule", "colors", {}, api="networking.istio.io/v1"),
    ]
    got = brought_in(canary(), SERVICE, *others)
    told = {entry.object for entry in got.entries}

    assert told >= {"Rollout/colors", "Service/colors", "Secret/password", "MetricTemplate/latency", "AnalysisTemplate/unused", "DestinationRule/colors"}  # fmt: skip


def test_lists_as_kubectl_gives_them_are_read():
    listed = {"apiVersion": "v1", "kind": "List", "items": [canary({"setWeight": 7}), SERVICE]}

    assert application(listed).strategy.steps == (SetWeight(7),)


def test_several_become_one_file():
    got = brought_in(canary(), flagger({}))

    assert [each.name for each in parse(got.text, "x")] == ["colors", "podinfo"]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("", "is empty; Kubernetes objects are wanted"),
        ("- 1", "is no Kubernetes object"),
        ("metadata: {name: a}", "kind: is missing"),
        ("kind: Rollout", "metadata.name: is missing: the Rollout needs a name"),
        ("kind: [", "is not valid YAML"),
        ("kind: Service\nmetadata: {name: a}", "there is no Rollout of argoproj.io and no Canary of flagger.app; found: Service"),
        ("apiVersion: flagger.app/v1\nkind: Rollout\nmetadata: {name: a}", "found: Rollout"),
    ],
)  # fmt: skip
def test_files_without_anything_to_import_are_refused(written, said):
    with pytest.raises(InputError, match=said):
        applications_of(parse_objects(written, "theirs.yaml"), Wishes())


def test_a_name_that_no_application_may_have_is_told():
    with pytest.raises(InputError, match="the application made of Rollout/Colors"):
        brought_in(thing("Rollout", "Colors", {"strategy": {}}))


@pytest.mark.parametrize("spec", [{}, {"strategy": None}, {"strategy": {"canary": {"steps": 5}}}, {"strategy": {"canary": {"steps": [5, {}, {"setWeight": "x"}, {"pause": {"duration": "soon"}}]}}}, {"strategy": {"blueGreen": {}}}])  # fmt: skip
def test_rollouts_that_are_not_as_they_should_be_do_not_break_anything(spec):
    assert brought_in(thing("Rollout", "colors", spec)).text


@pytest.mark.parametrize("spec", [{}, {"analysis": None}, {"service": 5}, {"targetRef": []}, {"analysis": {"stepWeights": ["x"], "metrics": [5], "interval": 7}}])  # fmt: skip
def test_canaries_that_are_not_as_they_should_be_do_not_break_anything(spec):
    assert brought_in(thing("Canary", "podinfo", spec, api=FLAGGER)).text
