"""Environments: what a container's manifest promises is what its process gets."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.sandbox.kube.api import open_api
from crossfade.sandbox.kube.direct_client import DirectClient
from crossfade.sandbox.kube.kinds import CONFIG_MAP, SECRET
from crossfade.sandbox.kube.kubelet.environment import PodFacts, environment, expand
from crossfade.sandbox.kube.kubelet.references import ConfigError

FACTS = PodFacts("127.0.0.1", {8080: 23456, 9090: 23457}, {"cpu": "8", "memory": "16Gi"})


def pod(**container):
    ports = [{"name": "http", "containerPort": 8080}, {"containerPort": 9090}]
    one = {"name": "main", "image": "host", "ports": ports, **container}
    meta = {
        "name": "web-1",
        "namespace": "default",
        "uid": "u-1",
        "labels": {"app": "web"},
        "annotations": {"note": "n"},
    }
    return {"metadata": meta, "spec": {"nodeName": "n0", "containers": [one]}}


async def resolved(body, *objects):
    client = DirectClient(open_api())
    for kind, obj in objects:
        await client.create(kind, obj)
    return await environment(client, body, body["spec"]["containers"][0], FACTS)


async def test_ports_are_told_by_number_and_name():
    env = await resolved(pod())
    assert (env["PORT"], env["PORT_8080"], env["PORT_HTTP"]) == ("23456", "23456", "23456")
    assert env["PORT_9090"] == "23457"
    assert env["HOST"] == "127.0.0.1"


async def test_a_program_that_is_told_its_container_port_gets_the_real_one():
    assert (await resolved(pod(env=[{"name": "PORT", "value": "9090"}])))["PORT"] == "23457"
    assert (await resolved(pod(env=[{"name": "PORT", "value": "1234"}])))["PORT"] == "1234"


async def test_variables_refer_to_earlier_ones():
    entries = [
        {"name": "A", "value": "1"},
        {"name": "B", "value": "$(A)-$(PORT)"},
        {"name": "C", "value": "$$(A) $(UNKNOWN)"},
    ]
    env = await resolved(pod(env=entries))
    assert env["B"] == "1-23456"
    assert env["C"] == "$(A) $(UNKNOWN)"


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ({"fieldRef": {"fieldPath": "metadata.name"}}, "web-1"),
        ({"fieldRef": {"fieldPath": "metadata.labels['app']"}}, "web"),
        ({"fieldRef": {"fieldPath": "metadata.annotations['note']"}}, "n"),
        ({"fieldRef": {"fieldPath": "spec.nodeName"}}, "n0"),
        ({"fieldRef": {"fieldPath": "status.podIP"}}, "127.0.0.1"),
        ({"resourceFieldRef": {"resource": "limits.cpu"}}, "2"),
        ({"resourceFieldRef": {"resource": "requests.memory", "divisor": "1Mi"}}, "64"),
        ({"resourceFieldRef": {"resource": "limits.memory", "divisor": "1Gi"}}, "16"),
    ],
)
async def test_fields_of_the_pod_are_filled_in(source, value):
    resources = {"limits": {"cpu": "1500m"}, "requests": {"memory": "64Mi"}}
    body = pod(env=[{"name": "X", "valueFrom": source}], resources=resources)
    assert (await resolved(body))["X"] == value


async def test_keys_come_from_config_maps_and_secrets():
    settings = {"metadata": {"name": "settings"}, "data": {"colour": "blue"}}
    keys = {"metadata": {"name": "keys"}, "data": {"KEY": base64.b64encode(b"s3cret").decode()}}
    body = pod(
        envFrom=[{"prefix": "S_", "configMapRef": {"name": "settings"}}],
        env=[
            {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "KEY"}}},
            {
                "name": "NONE",
                "valueFrom": {
                    "configMapKeyRef": {"name": "settings", "key": "no", "optional": True}
                },
            },
        ],
    )
    env = await resolved(body, (CONFIG_MAP, settings), (SECRET, keys))
    assert (env["S_colour"], env["KEY"]) == ("blue", "s3cret")
    assert "NONE" not in env


@pytest.mark.parametrize(
    ("container", "message"),
    [
        ({"envFrom": [{"secretRef": {"name": "keys"}}]}, 'secret "keys" not found'),
        (
            {"env": [{"name": "X", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}}]},
            'configmap "c" not found',
        ),
        (
            {"env": [{"name": "X", "valueFrom": {"fieldRef": {"fieldPath": "spec.nope"}}}]},
            "unsupported fieldPath: spec.nope",
        ),
    ],
)
async def test_what_is_missing_is_named(container, message):
    with pytest.raises(ConfigError, match=message):
        await resolved(pod(**container))


@given(st.text(alphabet="$()AB", max_size=12))
def test_expansion_never_fails_and_leaves_plain_text_alone(text):
    result = expand(text, {"A": "1"})
    if "$" not in text:
        assert result == text
