"""Rendered objects made a revision's own: what would break for users if it were done wrong."""

from copy import deepcopy

import pytest

from crossfade.base.errors import InputError
from crossfade.core.release.kinds import labels_of, name_of
from crossfade.core.release.manifests import prepare, require_port, service_of
from crossfade.testing.objects import deployment, service, thing

APPLICATION = "colors"
REVISION = "r1234567"
RELEASE = "colors-r1234567"


def prepared(*objects):
    return prepare(list(objects), APPLICATION, REVISION)


def only(*objects):
    return prepared(*objects).objects[0]


def refused(*objects):
    with pytest.raises(InputError) as raised:
        prepared(*objects)
    return str(raised.value)


@pytest.mark.parametrize(
    ("api", "kind"),
    [
        ("networking.k8s.io/v1", "Ingress"),
        ("gateway.networking.k8s.io/v1", "HTTPRoute"),
        ("gateway.networking.k8s.io/v1", "GRPCRoute"),
        ("networking.istio.io/v1beta1", "VirtualService"),
        ("networking.istio.io/v1beta1", "DestinationRule"),
    ],
)
def test_a_chart_cannot_lead_users_past_the_applications_route(api, kind):
    got = prepared(thing(kind, RELEASE, api), deployment(RELEASE))
    assert [each["kind"] for each in got.objects] == ["Deployment"]
    assert got.removed == (f"{kind}/{RELEASE}",)


def test_a_route_of_another_api_group_stays():
    assert prepared(thing("Route", RELEASE, "serving.knative.dev/v1")).removed == ()


def test_every_object_and_pod_can_be_found_by_its_revision():
    got = only(deployment(RELEASE))
    expected = {"crossfade.dev/application": "colors", "crossfade.dev/revision": REVISION}
    assert expected.items() <= labels_of(got).items()
    assert expected.items() <= labels_of(got["spec"]["template"]).items()


def test_pods_of_jobs_that_a_cron_job_makes_can_be_found_too():
    pod = {"spec": {"containers": []}}
    cron = thing("CronJob", RELEASE, "batch/v1", spec={"jobTemplate": {"spec": {"template": pod}}})
    template = only(cron)["spec"]["jobTemplate"]["spec"]["template"]
    assert labels_of(template)["crossfade.dev/revision"] == REVISION


def test_the_callers_objects_are_not_changed():
    given_objects = [deployment("web"), service("web")]
    before = deepcopy(given_objects)
    prepared(*given_objects)
    assert given_objects == before


def container(**rest):
    return deployment(RELEASE, containers=[{"name": "c", **rest}])


def test_all_problems_are_told_at_once():
    message = refused(
        thing("CustomResourceDefinition", "a.b"),
        thing("Namespace", "own"),
        thing("Service", "api"),
        container(args=["api:80"]),
    )
    assert "CustomResourceDefinition/a.b" in message
    assert "Namespace/own" in message
    assert "spec.shared" in message
    assert "names Service/api" in message


def test_a_hook_with_a_fixed_name_is_refused_because_helm_shows_it_to_nobody():
    hook = thing("Job", "migrate", "batch/v1")
    hook["metadata"]["annotations"] = {"helm.sh/hook": "pre-install,pre-upgrade"}
    assert "the hook Job/migrate" in refused(hook)


def test_a_hook_that_uses_a_renamed_object_is_refused():
    hook = deployment(RELEASE, serviceAccountName="robot")
    hook["metadata"]["annotations"] = {"helm.sh/hook": "pre-install"}
    assert "refers to an object" in refused(hook, thing("ServiceAccount", "robot"))


def test_a_test_of_the_chart_may_have_a_fixed_name():
    test = thing("Pod", "smoke", spec={"containers": []})
    test["metadata"]["annotations"] = {"helm.sh/hook": "test"}
    assert prepared(test).renamed == ()


@pytest.mark.parametrize(
    ("spec", "gone"),
    [
        ({"type": "NodePort", "ports": [{"port": 80, "nodePort": 30080}]}, "nodePort"),
        ({"clusterIP": "10.0.0.9", "clusterIPs": ["10.0.0.9"]}, "clusterIP"),
        ({"loadBalancerIP": "1.2.3.4"}, "loadBalancerIP"),
    ],
)
def test_an_address_that_only_one_revision_can_have_is_dropped_and_said(spec, gone):
    got = prepared(service(RELEASE, **spec))
    assert gone not in str(got.objects[0])
    assert any(gone in note for note in got.notes)


def test_a_headless_service_stays_headless():
    assert only(service(RELEASE, clusterIP="None"))["spec"]["clusterIP"] == "None"


def test_items_of_a_list_are_objects_of_their_own():
    got = prepared({"apiVersion": "v1", "kind": "List", "items": [thing("ConfigMap", "a")]})
    assert name_of(got.objects[0]) == f"{RELEASE}-a"


@pytest.mark.parametrize(
    ("broken", "what"),
    [
        ({"kind": "Service"}, "no kind or apiVersion"),
        ({"apiVersion": "v1", "kind": "Service"}, "no metadata.name"),
        ({"apiVersion": "v1", "kind": "Service", "metadata": {"name": 5}}, "no metadata.name"),
    ],
)
def test_an_object_that_is_none_is_refused(broken, what):
    assert what in refused(broken)


def test_an_object_that_is_rendered_twice_is_refused():
    assert "rendered 2 times" in refused(thing("ConfigMap", "a"), thing("ConfigMap", "a"))


class TestServiceOf:
    def rendered(self, release, *names):
        return [service(name.format(release)) for name in names]

    @pytest.mark.parametrize(
        ("asked", "names", "expected"),
        [
            ("colors", ("{}",), RELEASE),
            ("colors-web", ("{}-api", "{}-web"), f"{RELEASE}-web"),
            ("web", ("{}-api", "web"), f"{RELEASE}-web"),
        ],
    )
    def test_users_reach_the_same_service_in_every_revision(self, asked, names, expected):
        before, after = self.rendered("colors", *names), self.rendered(RELEASE, *names)
        assert service_of(asked, before, after, RELEASE) == expected
        assert (
            service_of(asked, before, prepare(after, APPLICATION, REVISION).objects, RELEASE)
            == expected
        )

    def test_a_service_that_is_not_there_is_refused_with_those_that_are(self):
        before, after = self.rendered("colors", "{}-a"), self.rendered(RELEASE, "{}-a")
        with pytest.raises(InputError) as raised:
            service_of("colors", before, after, RELEASE)
        assert "colors-a" in raised.value.hint


def test_a_route_to_a_port_that_the_service_lacks_is_refused_with_those_it_has():
    with pytest.raises(InputError) as raised:
        require_port([service("web"), service("api", ports=[])], "web", 8080)
    assert "80" in raised.value.hint
    require_port([service("web")], "web", 80)
