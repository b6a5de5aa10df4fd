"""Objects that a real server refuses are refused, with the field and a reason to act on."""

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossfade.sandbox.kube import schema
from crossfade.sandbox.kube.builtin import builtin, builtin_kinds
from crossfade.sandbox.kube.kinds import (
    CONFIG_MAP,
    CUSTOM_RESOURCE_DEFINITION,
    DEPLOYMENT,
    GATEWAY,
    HTTP_ROUTE,
    JOB,
    NAMESPACE,
    POD,
    SECRET,
    SERVICE,
)

CRON_JOB = builtin("batch", "v1", "CronJob")
INGRESS = builtin("networking.k8s.io", "v1", "Ingress")
ROLE_BINDING = builtin("rbac.authorization.k8s.io", "v1", "RoleBinding")
AUTOSCALER = builtin("autoscaling", "v2", "HorizontalPodAutoscaler")


def named(name="app", **more):
    return {"metadata": {"name": name, "namespace": "default"}} | more


def deployment(labels=None, **pod):
    spec = {"containers": [{"name": "a", "image": "i"}]} | pod
    return named(
        spec={
            "selector": {"matchLabels": {"app": "x"}},
            "template": {"metadata": {"labels": labels or {"app": "x"}}, "spec": spec},
        }
    )


def pod(**container):
    return named(spec={"containers": [{"name": "a", "image": "i"} | container]})


def service(*ports, **spec):
    return named(spec={"ports": list(ports)} | spec)


def route(**backend):
    rules = [{"backendRefs": [{"name": "a", "port": 80} | backend]}]
    return named(spec={"parentRefs": [{"name": "g"}], "rules": rules})


def definition(name="widgets.example.com", **spec):
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object"}},
    }
    names = {"plural": "widgets", "kind": "Widget"}
    base = {"group": "example.com", "scope": "Namespaced", "names": names, "versions": [version]}
    return named(name, spec=base | spec)


def problems(kind, obj):
    completed = schema.apply_defaults(kind, schema.tidy(kind, obj))
    return schema.validate(kind, completed)


VALID = [
    (DEPLOYMENT, deployment()),
    (POD, pod(ports=[{"containerPort": 80, "name": "http"}], env=[{"name": "A.b-c"}])),
    (SERVICE, service({"port": 80, "targetPort": "http"})),
    (SERVICE, service({"name": "a", "port": 53}, {"name": "b", "port": 53, "protocol": "UDP"})),
    (SERVICE, named(spec={"clusterIP": "None"})),
    (JOB, named(spec={"template": {"spec": pod()["spec"] | {"restartPolicy": "Never"}}})),
    (HTTP_ROUTE, route(weight=0)),
    (
        GATEWAY,
        named(
            spec={
                "gatewayClassName": "c",
                "listeners": [{"name": "h", "port": 80, "protocol": "HTTP"}],
            }
        ),
    ),
    (SECRET, named(data={"a": "Yg=="})),
    (ROLE_BINDING, named("system:x", roleRef={"kind": "Role", "name": "r"})),
    (CUSTOM_RESOURCE_DEFINITION, definition()),
    (NAMESPACE, named()),
]


@pytest.mark.parametrize(("kind", "obj"), VALID, ids=lambda value: getattr(value, "kind", ""))
def test_a_sound_object_is_accepted(kind, obj):
    assert problems(kind, obj) == []


INVALID = [
    pytest.param(DEPLOYMENT, deployment({"app": "y"}), "spec.template.metadata.labels",
                 "`selector` does not match template `labels`", id="selector-misses-its-pods"),
    pytest.param(DEPLOYMENT, named(spec={}), "spec.selector", "Required value", id="no-selector"),
    pytest.param(DEPLOYMENT, deployment(restartPolicy="Never"),
                 "spec.template.spec.restartPolicy", 'supported values: "Always"', id="never"),
    pytest.param(DEPLOYMENT, named("Colors", spec=deployment()["spec"]), "metadata.name",
                 "a lowercase RFC 1123 subdomain must consist of", id="capital-letter"),
    pytest.param(SERVICE, service({"port": 80}) | {"metadata": {"name": "1st"}}, "metadata.name",
                 "a DNS-1035 label must consist of", id="service-starts-with-a-digit"),
    pytest.param(NAMESPACE, named("a.b"), "metadata.name", "a lowercase RFC 1123 label",
                 id="dot-in-a-namespace"),
    pytest.param(POD, named(spec={}), "spec.containers", "Required value", id="no-container"),
    pytest.param(POD, pod(image=""), "spec.containers[0].image", "Required value", id="no-image"),
    pytest.param(POD, pod(ports=[{"containerPort": 0}]),
                 "spec.containers[0].ports[0].containerPort",
                 "must be between 1 and 65535, inclusive", id="port-zero"),
    pytest.param(POD, pod(volumeMounts=[{"name": "v", "mountPath": "/"}]),
                 "spec.containers[0].volumeMounts[0].name", 'Not found: "v"', id="no-such-volume"),
    pytest.param(POD, pod(readinessProbe={}), "spec.containers[0].readinessProbe",
                 "must specify a handler type", id="probe-of-nothing"),
    pytest.param(POD, pod(livenessProbe={"tcpSocket": {"port": 1}, "successThreshold": 2}),
                 "spec.containers[0].livenessProbe.successThreshold", "must be 1", id="liveness"),
    pytest.param(POD, pod(resources={"limits": {"cpu": "1"}, "requests": {"cpu": "1500m"}}),
                 "spec.containers[0].resources.requests", "less than or equal to cpu limit of 1",
                 id="request-above-its-limit"),
    pytest.param(POD, named(spec={"containers": [{"name": "a", "image": "i"}] * 2}),
                 "spec.containers[1].name", 'Duplicate value: "a"', id="two-of-one-name"),
    pytest.param(SERVICE, named(spec={}), "spec.ports", "Required value", id="no-ports"),
    pytest.param(SERVICE, service({"port": 80}, {"port": 81}), "spec.ports[0].name",
                 "Required value", id="ports-without-names"),
    pytest.param(SERVICE, service({"port": 80}, type="Cluster"), "spec.type",
                 'Unsupported value: "Cluster"', id="no-such-type"),
    pytest.param(JOB, named(spec={"template": {"spec": pod()["spec"]}}),
                 "spec.template.spec.restartPolicy", 'valid values: "OnFailure", "Never"',
                 id="job-that-always-restarts"),
    pytest.param(CRON_JOB, named(spec={"schedule": "* * *", "jobTemplate": {}}), "spec.schedule",
                 "expected exactly 5 fields, found 3", id="schedule"),
    pytest.param(INGRESS, named(spec={"rules": [{"http": {"paths": [{"path": "/"}]}}]}),
                 "spec.rules[0].http.paths[0].pathType", "must be specified", id="path-type"),
    pytest.param(ROLE_BINDING, named(roleRef={"kind": "User", "name": "x"}), "roleRef.kind",
                 "Unsupported value", id="role"),
    pytest.param(AUTOSCALER, named(spec={"scaleTargetRef": {"kind": "A", "name": "b"}}),
                 "spec.maxReplicas", "must be greater than 0", id="autoscaler"),
    pytest.param(CONFIG_MAP, named(data={"a b": ""}), "data[a b]", "a valid config key", id="key"),
    pytest.param(SECRET, named(data={"a": "?"}), "data[a]", "illegal base64", id="not-base64"),
    pytest.param(SECRET, named(data={"a": "AAAA" * 400_000}), "data", "Too long", id="too-large"),
    pytest.param(HTTP_ROUTE, route(weight=-1), "spec.rules[0].backendRefs[0].weight",
                 "should be greater than or equal to 0", id="negative-weight"),
    pytest.param(HTTP_ROUTE, route(port=None), "spec.rules[0].backendRefs[0]",
                 "Must have port for Service reference", id="backend-without-port"),
    pytest.param(HTTP_ROUTE, named(spec={"parentRefs": [{}]}), "spec.parentRefs[0].name",
                 "Required value", id="route-to-nowhere"),
    pytest.param(GATEWAY, named(spec={"listeners": []}), "spec.gatewayClassName", "Required value",
                 id="no-gateway-class"),
    pytest.param(CUSTOM_RESOURCE_DEFINITION, definition("widget.example.com"), "metadata.name",
                 'must be spec.names.plural+"."+spec.group', id="name-of-a-definition"),
    pytest.param(CUSTOM_RESOURCE_DEFINITION, definition(versions=[]), "spec.versions",
                 "exactly one version marked as storage", id="no-stored-version"),
    pytest.param(CONFIG_MAP, {"metadata": {"name": "a", "labels": {"a": "-"}}}, "metadata.labels",
                 "a valid label must be", id="label"),
    pytest.param(CONFIG_MAP, {"metadata": {"name": "a", "annotations": {"a/b/c": ""}}},
                 "metadata.annotations", "RFC 1123 subdomain", id="annotation"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "obj", "field", "reason"), INVALID)
def test_a_broken_rule_is_told_with_its_field(kind, obj, field, reason):
    found = problems(kind, obj)
    assert any(where == field and reason in why for where, why in found), found


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)


def places(value, path=()):
    yield path
    items = value.items() if isinstance(value, dict) else ()
    items = enumerate(value) if isinstance(value, list) else items
    for key, item in items:
        yield from places(item, (*path, key))


@settings(max_examples=200)
@given(st.data())
def test_an_object_with_anything_anywhere_is_judged_and_does_not_crash(data):
    kind, obj = data.draw(st.sampled_from(VALID))
    obj = copy.deepcopy(obj)
    path = data.draw(st.sampled_from([path for path in places(obj) if path]))
    holder = obj
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = data.draw(JSON)
    schema.unknown_fields(kind, obj)
    schema.type_error(kind, obj)
    for field, why in problems(kind, obj):
        assert isinstance(field, str)
        assert why


@pytest.mark.parametrize("kind", builtin_kinds(), ids=lambda kind: kind.kind)
def test_an_empty_object_of_any_kind_is_judged_and_does_not_crash(kind):
    for obj in ({"metadata": {"name": "a"}}, {"metadata": {"name": "a"}, "spec": {}, "status": {}}):
        problems(kind, obj)
