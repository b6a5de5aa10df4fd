"""What is not given is filled in as a real server does: clients read it back and rely on it."""

import copy

import pytest

from crossfade.sandbox.kube import schema
from crossfade.sandbox.kube.builtin import builtin
from crossfade.sandbox.kube.kinds import (
    DEPLOYMENT,
    HTTP_ROUTE,
    JOB,
    POD,
    SECRET,
    SERVICE,
    Kind,
)


def named(**more):
    return {"metadata": {"name": "x", "namespace": "default"}} | more


def filled(kind, obj):
    before = copy.deepcopy(obj)
    result = schema.apply_defaults(kind, obj)
    assert obj == before, "the argument was changed"
    assert schema.apply_defaults(kind, result) == result, "a second time changes something"
    return result


def container(**more):
    return {"name": "a", "image": "app"} | more


def test_a_deployment_rolls_by_quarters():
    spec = filled(DEPLOYMENT, named(spec={"template": {"spec": {"containers": []}}}))["spec"]
    assert spec["replicas"] == 1
    assert spec["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"},
    }
    assert (spec["revisionHistoryLimit"], spec["progressDeadlineSeconds"]) == (10, 600)


def test_a_wish_for_none_is_respected():
    spec = filled(DEPLOYMENT, named(spec={"replicas": 0, "strategy": {"type": "Recreate"}}))["spec"]
    assert spec["replicas"] == 0
    assert spec["strategy"] == {"type": "Recreate"}


def test_a_template_of_pods_is_complete_but_not_yet_a_pod():
    spec = {"containers": [container(ports=[{"containerPort": 80}])], "volumes": [{"name": "v"}]}
    pod = filled(DEPLOYMENT, named(spec={"template": {"spec": spec}}))["spec"]["template"]["spec"]
    assert pod["restartPolicy"] == "Always"
    assert pod["dnsPolicy"] == "ClusterFirst"
    assert pod["terminationGracePeriodSeconds"] == 30
    assert pod["volumes"] == [{"name": "v", "emptyDir": {}}]
    assert pod["containers"][0]["ports"] == [{"containerPort": 80, "protocol": "TCP"}]
    assert pod["containers"][0]["terminationMessagePath"] == "/dev/termination-log"
    assert "serviceAccountName" not in pod
    assert "tolerations" not in pod


def test_a_pod_gets_an_account_and_patience_with_its_node():
    pod = filled(POD, named(spec={"containers": [container()]}))["spec"]
    assert pod["serviceAccountName"] == pod["serviceAccount"] == "default"
    assert {item["key"] for item in pod["tolerations"]} == {
        "node.kubernetes.io/not-ready",
        "node.kubernetes.io/unreachable",
    }
    assert pod["enableServiceLinks"] is True


def test_a_limit_is_also_a_request_in_a_pod():
    resources = {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}}
    pod = filled(POD, named(spec={"containers": [container(resources=resources)]}))["spec"]
    assert pod["containers"][0]["resources"]["requests"] == {"cpu": "500m", "memory": "1Gi"}


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("app", "Always"),
        ("app:latest", "Always"),
        ("app:1.0", "IfNotPresent"),
        ("registry:5000/app", "Always"),
        ("registry:5000/app:1.0", "IfNotPresent"),
        ("app@sha256:00", "IfNotPresent"),
    ],
)
def test_an_image_with_a_fixed_tag_is_not_pulled_again(image, policy):
    pod = filled(POD, named(spec={"containers": [container(image=image)]}))["spec"]
    assert pod["containers"][0]["imagePullPolicy"] == policy


def test_a_probe_has_its_times():
    probe = {"httpGet": {"port": 80}}
    pod = filled(POD, named(spec={"containers": [container(readinessProbe=probe)]}))["spec"]
    assert pod["containers"][0]["readinessProbe"] == {
        "httpGet": {"port": 80, "path": "/", "scheme": "HTTP"},
        "timeoutSeconds": 1,
        "periodSeconds": 10,
        "successThreshold": 1,
        "failureThreshold": 3,
    }


def test_a_service_has_an_address_that_stays():
    first = filled(SERVICE, named(spec={"ports": [{"port": 80}]}))["spec"]
    assert first["type"] == "ClusterIP"
    assert first["ports"] == [{"port": 80, "protocol": "TCP", "targetPort": 80}]
    assert first["clusterIP"].startswith("10.")
    assert first["clusterIPs"] == [first["clusterIP"]]
    again = filled(SERVICE, named(spec={"ports": [{"port": 81}]}))["spec"]
    assert again["clusterIP"] == first["clusterIP"]


def test_addresses_of_services_differ():
    found = set()
    for number in range(200):
        obj = {"metadata": {"name": f"s{number}", "namespace": "default"}, "spec": {}}
        found.add(filled(SERVICE, obj)["spec"]["clusterIP"])
    assert len(found) > 195


def test_services_of_other_types_get_what_they_need():
    node = filled(SERVICE, named(spec={"type": "NodePort", "ports": [{"port": 80}]}))["spec"]
    assert 30000 <= node["ports"][0]["nodePort"] <= 32767
    headless = filled(SERVICE, named(spec={"clusterIP": "None", "ports": []}))["spec"]
    assert headless["clusterIPs"] == ["None"]
    away = filled(SERVICE, named(spec={"type": "ExternalName", "externalName": "a.b"}))["spec"]
    assert "clusterIP" not in away


def test_a_job_runs_once_and_knows_its_pods():
    obj = named(spec={"template": {"spec": {"containers": []}}})
    obj["metadata"]["uid"] = "u-1"
    job = filled(JOB, obj)["spec"]
    assert (job["completions"], job["parallelism"], job["backoffLimit"]) == (1, 1, 6)
    assert job["selector"] == {"matchLabels": {"batch.kubernetes.io/controller-uid": "u-1"}}
    assert job["template"]["metadata"]["labels"]["job-name"] == "x"


def test_plain_texts_of_a_secret_become_data():
    secret = filled(SECRET, named(stringData={"a": "b"}, data={"c": "ZA=="}))
    assert secret["data"] == {"a": "Yg==", "c": "ZA=="}
    assert "stringData" not in secret
    assert secret["type"] == "Opaque"


def test_a_route_matches_every_path_and_weighs_its_backends():
    rules = [{"backendRefs": [{"name": "a", "port": 80}]}]
    spec = filled(HTTP_ROUTE, named(spec={"parentRefs": [{"name": "g"}], "rules": rules}))["spec"]
    assert spec["parentRefs"] == [
        {"name": "g", "group": "gateway.networking.k8s.io", "kind": "Gateway"}
    ]
    assert spec["rules"] == [
        {
            "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
            "backendRefs": [{"name": "a", "port": 80, "group": "", "kind": "Service", "weight": 1}],
        }
    ]


@pytest.mark.parametrize(
    ("api_version", "kind", "spec", "wanted"),
    [
        ("apps/v1", "StatefulSet", {}, {"podManagementPolicy": "OrderedReady", "replicas": 1}),
        ("apps/v1", "DaemonSet", {}, {"revisionHistoryLimit": 10}),
        ("batch/v1", "CronJob", {}, {"concurrencyPolicy": "Allow", "suspend": False}),
        ("autoscaling/v2", "HorizontalPodAutoscaler", {}, {"minReplicas": 1}),
        ("networking.k8s.io/v1", "NetworkPolicy", {}, {"policyTypes": ["Ingress"]}),
        ("v1", "PersistentVolumeClaim", {}, {"volumeMode": "Filesystem"}),
    ],
)
def test_other_kinds_are_completed_too(api_version, kind, spec, wanted):
    group, _, version = api_version.rpartition("/")
    found = builtin(group, version, kind)
    assert filled(found, named(spec=spec))["spec"].items() >= wanted.items()


def test_values_of_a_wrong_type_do_no_harm():
    for value in ("text", 1, True, None, [1], {"a": 1}):
        schema.apply_defaults(DEPLOYMENT, named(spec=value))
        schema.apply_defaults(POD, named(spec={"containers": value, "tolerations": value}))
        schema.apply_defaults(SERVICE, named(spec={"ports": [value], "type": "NodePort"}))
        schema.apply_defaults(SECRET, named(stringData=value, data=value))


def test_a_kind_of_a_definition_is_left_alone():
    obj = named(spec={"replicas": None})
    assert schema.apply_defaults(Kind("example.com", "v1", "W", "ws"), obj) is obj
