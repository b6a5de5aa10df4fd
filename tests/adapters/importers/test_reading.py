"""Files of others become applications that our own reader accepts, each object accounted for."""

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from crossfade.adapters.documents.application import parse
from crossfade.adapters.importers.fates import Fate
from crossfade.adapters.importers.objects import parse_objects
from crossfade.adapters.importers.reading import Wishes, applications_of
from crossfade.base.errors import InputError
from crossfade.core.rollout.spec import SetWeight
from crossfade.testing.imports import (
    FLAGGER,
    TEMPLATE,
    application,
    brought_in,
    canary,
    fates,
    flagger,
    metric,
    rollout,
    thing,
)

SERVICE = thing("Service", "colors", {"ports": [{"port": 8000}]}, api="v1")


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


FIELDS = [
    "webhooks",
    "type",
    "url",
    "alerts",
    "providerRef",
    "analysis",
    "canary",
    "blueGreen",
    "strategy",
    "steps",
    "setWeight",
    "pause",
    "duration",
    "setHeaderRoute",
    "match",
    "headerName",
    "headerValue",
    "exact",
    "setMirrorRoute",
    "percentage",
    "setCanaryScale",
    "replicas",
    "weight",
    "trafficRouting",
    "maxTrafficWeight",
    "istio",
    "template",
    "workloadRef",
    "name",
    "kind",
    "rollbackWindow",
    "revisions",
    "autoPromotionSeconds",
    "scaleDownDelaySeconds",
    "stableService",
    "service",
    "port",
    "gatewayRefs",
    "hosts",
    "stepWeight",
    "stepWeights",
    "maxWeight",
    "iterations",
    "interval",
    "metrics",
    "thresholdRange",
    "min",
    "sessionAffinity",
    "maxAge",
    "headers",
]
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 500)
    | st.sampled_from(["", "a", "5m", "request-success-rate"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4)
    ),
    max_leaves=20,
)


def changed_somewhere(value, parts):
    """Return a value with some of its parts replaced by something else."""
    if isinstance(value, dict):
        return {
            key: parts.pop() if parts and len(parts) % 3 == 0 else changed_somewhere(item, parts)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [changed_somewhere(item, parts) for item in value]
    return parts.pop() if parts and len(parts) % 2 else value


WHOLE = [
    canary({"setWeight": 5}, {"pause": {"duration": "1m"}}, {"setHeaderRoute": {"name": "x", "match": [{"headerName": "a", "headerValue": {"exact": "1"}}]}}, {"setMirrorRoute": {"name": "m", "match": [{}], "percentage": 5}}, {"setCanaryScale": {"replicas": 1}}, trafficRouting={"maxTrafficWeight": 1000, "istio": {}}),
    rollout({"blueGreen": {"activeService": "a", "autoPromotionSeconds": 5}}, rollbackWindow={"revisions": 2}),
    flagger({"interval": "1m", "stepWeight": 5, "maxWeight": 50, "mirror": True, "metrics": [{"name": "request-success-rate", "thresholdRange": {"min": 99}}], "match": [{"headers": {"a": {"exact": "1"}}}], "sessionAffinity": {"cookieName": "c", "maxAge": 60}}, {"gatewayRefs": [{"name": "g"}], "hosts": ["a.example.com"], "retries": {"perTryTimeout": "1s"}}),
]  # fmt: skip


@given(st.sampled_from(WHOLE), st.lists(anything, max_size=6))
def test_objects_that_somebody_got_wrong_are_imported_or_refused_and_never_break_it(whole, parts):
    spec = changed_somewhere(whole["spec"], list(parts))
    try:
        got = brought_in({**whole, "spec": spec})
    except InputError as error:
        assert error.hint  # noqa: PT017 - either outcome is right
    else:
        assert got.entries
