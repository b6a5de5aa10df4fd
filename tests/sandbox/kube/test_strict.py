"""Typing mistakes in manifests are found where they are, and empty values are not stored."""

import pytest

from crossfade.sandbox.kube import schema
from crossfade.sandbox.kube.kinds import CONFIG_MAP, DEPLOYMENT, HTTP_ROUTE, POD, SERVICE, Kind


def deployment(**spec):
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"}, "spec": spec}


def template(**pod):
    return {"template": {"spec": pod}}


@pytest.mark.parametrize(
    ("kind", "obj", "paths"),
    [
        pytest.param(DEPLOYMENT, deployment(replicass=1), ["spec.replicass"], id="in-the-spec"),
        pytest.param(
            DEPLOYMENT,
            deployment(**template(containers=[{"name": "a"}, {"imagee": "b"}])),
            ["spec.template.spec.containers[1].imagee"],
            id="in-an-item-of-a-list",
        ),
        pytest.param(
            POD,
            {"spec": {"volumes": [{"name": "v", "emptyDir": {"mediums": ""}}], "x": 1}, "y": 2},
            ["spec.volumes[0].emptyDir.mediums", "spec.x", "y"],
            id="several-and-in-an-embedded-structure",
        ),
        pytest.param(
            CONFIG_MAP, {"metadata": {"labels": {"any": "key"}}, "data": {"a": "b"}}, [], id="maps"
        ),
        pytest.param(
            HTTP_ROUTE,
            {"spec": {"rules": [{"backendRefs": [{"name": "a", "wieght": 1}]}]}},
            ["spec.rules[0].backendRefs[0].wieght"],
            id="in-a-route",
        ),
        pytest.param(Kind("example.com", "v1", "W", "ws"), {"x": 1}, [], id="unknown-kind"),
    ],
)
def test_an_unknown_field_is_named_by_its_path(kind, obj, paths):
    assert schema.unknown_fields(kind, obj) == paths


@pytest.mark.parametrize(
    ("kind", "obj", "message"),
    [
        pytest.param(
            DEPLOYMENT,
            deployment(replicas="3"),
            'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal '
            "string into Go struct field DeploymentSpec.spec.replicas of type int32",
            id="text-for-a-number",
        ),
        pytest.param(
            POD,
            {"spec": {"containers": {"name": "a"}}},
            "cannot unmarshal object into Go struct field PodSpec.spec.containers",
            id="object-for-a-list",
        ),
        pytest.param(
            POD,
            {"spec": {"containers": [{"env": [{"name": "A", "value": 1}]}]}},
            "cannot unmarshal number into Go struct field EnvVar.spec.containers.env.value of type "
            "string",
            id="number-for-a-text",
        ),
        pytest.param(
            POD,
            {"spec": {"containers": [{"resources": {"limits": {"cpu": "much"}}}]}},
            "quantities must match the regular expression",
            id="no-quantity",
        ),
        pytest.param(
            SERVICE,
            {"spec": {"ports": [{"port": 80, "targetPort": "http"}, {"targetPort": 80}]}},
            "",
            id="a-port-may-be-a-number-or-a-name",
        ),
        pytest.param(
            POD,
            {"spec": {"containers": [{"resources": {"limits": {"cpu": 0.5, "memory": "1Gi"}}}]}},
            "",
            id="a-quantity-may-be-a-number",
        ),
        pytest.param(POD, {"spec": {"containers": None, "hostNetwork": True}}, "", id="null"),
    ],
)
def test_a_wrong_type_is_told(kind, obj, message):
    found = schema.type_error(kind, obj)
    assert message in found
    assert bool(message) == bool(found)


def test_what_says_nothing_is_not_stored():
    obj = deployment(
        replicas=0,
        minReadySeconds=0,
        paused=False,
        unknown=1,
        strategy={},
        **template(
            containers=[
                {"name": "a", "env": [], "ports": None, "resources": {"limits": {"cpu": 1}}}
            ],
            volumes=[{"name": "v", "emptyDir": {}}],
            nodeSelector={},
        ),
    )
    obj["metadata"]["creationTimestamp"] = None
    assert schema.tidy(DEPLOYMENT, obj) == deployment(
        replicas=0,
        strategy={},
        **template(
            containers=[{"name": "a", "resources": {"limits": {"cpu": "1"}}}],
            volumes=[{"name": "v", "emptyDir": {}}],
        ),
    )


@pytest.mark.parametrize(
    ("kind", "path", "keys", "ownership", "merge_key"),
    [
        (DEPLOYMENT, "spec.template.spec.containers", ("name",), "map", "name"),
        (
            DEPLOYMENT,
            "spec.template.spec.containers.ports",
            ("containerPort", "protocol"),
            "map",
            "containerPort",
        ),
        (SERVICE, "spec.ports", ("port", "protocol"), "map", "port"),
        (
            DEPLOYMENT,
            "spec.template.spec.containers.volumeMounts",
            ("mountPath",),
            "map",
            "mountPath",
        ),
        (DEPLOYMENT, "spec.template.spec.containers.args", (), "atomic", ""),
        (DEPLOYMENT, "spec.template.spec.tolerations", (), "atomic", ""),
        (DEPLOYMENT, "spec.selector", (), "atomic", ""),
        (SERVICE, "spec.selector", (), "atomic", ""),
        (DEPLOYMENT, "metadata.labels", (), "granular", ""),
        (DEPLOYMENT, "metadata.finalizers", (), "set", ""),
        (DEPLOYMENT, "metadata.ownerReferences", ("uid",), "map", "uid"),
        (DEPLOYMENT, "spec.strategy", (), "granular", ""),
        (DEPLOYMENT, "spec.replicas", (), "atomic", ""),
        (HTTP_ROUTE, "spec.rules", (), "atomic", ""),
        (DEPLOYMENT, "spec.nonsense.deeper", (), "granular", ""),
    ],
)
def test_writers_share_lists_by_the_keys_of_their_items(kind, path, keys, ownership, merge_key):
    steps = path.split(".")
    assert schema.list_map_keys(kind, steps) == keys
    assert schema.ownership(kind, steps) == ownership
    assert schema.merge_key(kind, steps) == merge_key


def test_a_share_of_0_is_not_a_share_left_out():
    """A revision with weight 0 would get users otherwise: the default is 1."""
    backends = [{"name": "blue", "weight": 100}, {"name": "green", "weight": 0, "group": ""}]
    route = {"spec": {"rules": [{"backendRefs": backends}]}}

    assert schema.tidy(HTTP_ROUTE, route) == route
