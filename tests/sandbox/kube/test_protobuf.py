"""Bodies that stock kubectl and helm send in protobuf are read as what they would be in JSON."""

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossfade.sandbox.kube import fields, protobuf
from crossfade.sandbox.kube.client import ApiError

RECORDS = json.loads(Path(__file__).with_name("wire_bodies.json").read_text())
BODIES = [base64.b64decode(record["body"]) for record in RECORDS]


def without_nulls(value):
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def varint(number: int) -> bytes:
    number &= (1 << 64) - 1
    text = b""
    while number > 127:
        text += bytes([number & 127 | 128])
        number >>= 7
    return text + bytes([number])


def entry(number: int, value: bytes | str | int) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def body(api_version: str, kind: str, message: bytes) -> bytes:
    meta = entry(1, api_version) + entry(2, kind)
    return protobuf.MAGIC + entry(1, meta) + entry(2, message) + entry(3, "") + entry(4, "")


@pytest.mark.parametrize(
    "record",
    [pytest.param(record, id=record["command"]) for record in RECORDS if "json" in record],
)
def test_what_kubectl_creates_is_the_object_that_it_prints(record):
    assert protobuf.decode(base64.b64decode(record["body"])) == without_nulls(record["json"])


def decoded(command: str, method: str) -> dict:
    for record in RECORDS:
        if record["command"] == command and record["request"].startswith(method):
            return protobuf.decode(base64.b64decode(record["body"]))
    raise AssertionError(command)


def test_a_release_of_helm_keeps_its_labels_and_data():
    secret = decoded("helm install", "POST")
    assert secret["kind"] == "Secret"
    assert secret["type"] == "helm.sh/release.v1"
    assert secret["metadata"]["labels"]["owner"] == "helm"
    assert base64.b64decode(base64.b64decode(secret["data"]["release"])).startswith(b"\x1f\x8b")


def test_the_options_of_a_deletion_are_read():
    assert decoded("helm uninstall", "DELETE") == {"kind": "DeleteOptions", "apiVersion": "v1"}
    message = entry(1, 0) + entry(4, "Foreground") + entry(2, entry(1, "uid-1"))
    options = protobuf.decode(body("apps/v1", "DeleteOptions", message))
    assert options["gracePeriodSeconds"] == 0, "immediately is not the same as by default"
    assert options["propagationPolicy"] == "Foreground"
    assert options["preconditions"] == {"uid": "uid-1"}


def test_questions_about_rights_are_read():
    review = decoded("auth can-i create deployments.apps --subresource=scale", "POST")
    attributes = review["spec"]["resourceAttributes"]
    assert (attributes["verb"], attributes["subresource"]) == ("create", "scale")


def test_a_wanted_zero_is_kept_and_an_unset_one_is_not():
    spec = entry(1, 0) + entry(5, 0) + entry(7, 0)
    deployment = protobuf.decode(body("apps/v1", "Deployment", entry(2, spec)))
    assert deployment["spec"] == {"replicas": 0}


def test_special_types_look_as_in_json():
    moment = entry(1, 1_700_000_000) + entry(2, 5_000)
    event = entry(10, moment) + entry(6, entry(1, 1_700_000_000)) + entry(8, -1)
    decoded_event = protobuf.decode(body("v1", "Event", event))
    assert decoded_event["eventTime"] == "2023-11-14T22:13:20.000005Z"
    assert decoded_event["firstTimestamp"] == "2023-11-14T22:13:20Z"
    assert decoded_event["count"] == -1
    port = entry(3, 80) + entry(4, entry(1, 1) + entry(3, "http"))
    service = protobuf.decode(body("v1", "Service", entry(2, entry(1, port))))
    assert service["spec"]["ports"] == [{"port": 80, "targetPort": "http"}]
    entry_of_fields = entry(1, "x") + entry(7, entry(1, '{"f:data":{}}'))
    owned = protobuf.decode(body("v1", "ConfigMap", entry(1, entry(17, entry_of_fields))))
    assert owned["metadata"]["managedFields"] == [{"manager": "x", "fieldsV1": {"f:data": {}}}]
    limits = entry(1, entry(1, "cpu") + entry(2, entry(1, "500m")))
    quota = protobuf.decode(body("v1", "ResourceQuota", entry(2, limits)))
    assert quota["spec"]["hard"] == {"cpu": "500m"}


def test_numbers_in_a_list_may_be_packed():
    context = entry(4, varint(7) + varint(8)) + entry(4, 9)
    pod = protobuf.decode(body("v1", "Pod", entry(2, entry(14, context))))
    assert pod["spec"]["securityContext"]["supplementalGroups"] == [7, 8, 9]


def test_embedded_structures_are_among_their_owners_fields():
    volume = entry(1, "data") + entry(2, entry(2, b""))
    pod = protobuf.decode(body("v1", "Pod", entry(2, entry(1, volume))))
    assert pod["spec"]["volumes"] == [{"name": "data", "emptyDir": {}}]


def test_a_schema_of_a_definition_keeps_its_alternatives():
    items = entry(5, "array") + entry(24, entry(1, entry(5, "string")))
    free = entry(5, "object") + entry(30, entry(1, 1))
    schema = b"".join(
        entry(29, entry(1, name) + entry(2, inner)) for name, inner in (("a", items), ("b", free))
    )
    version = entry(1, "v1") + entry(4, entry(1, schema))
    definition = protobuf.decode(
        body("apiextensions.k8s.io/v1", "CustomResourceDefinition", entry(2, entry(7, version)))
    )
    found = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    assert found["a"] == {"type": "array", "items": {"type": "string"}}
    assert found["b"] == {"type": "object", "additionalProperties": True}


def test_fields_of_a_newer_kubernetes_are_left_out():
    message = entry(1, entry(1, "x") + entry(999, "new")) + entry(500, 1)
    assert protobuf.decode(body("v1", "ConfigMap", message))["metadata"] == {"name": "x"}


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b'{"kind": "Pod"}', id="json"),
        pytest.param(protobuf.MAGIC, id="only-the-prefix"),
        pytest.param(body("v1", "Nonsense", b""), id="unknown-kind"),
        pytest.param(body("v1", "ConfigMap", b"\x0a\xff"), id="length-beyond-the-end"),
        pytest.param(body("v1", "ConfigMap", b"\x0b"), id="a-group"),
        pytest.param(body("v1", "ConfigMap", b"\x80" * 20), id="endless-number"),
        pytest.param(body("v1", "ConfigMap", entry(1, 5)), id="number-for-a-message"),
        pytest.param(body("v1", "ConfigMap", entry(1, entry(1, b"\xff"))), id="not-utf-8"),
        pytest.param(
            body("v1", "Event", entry(10, entry(1, 1 << 60))), id="a-time-beyond-the-calendar"
        ),
        pytest.param(
            body("v1", "ConfigMap", entry(1, entry(17, entry(7, entry(1, "{"))))), id="bad-json"
        ),
        pytest.param(
            body("v1", "ConfigMap", entry(1, entry(17, entry(7, entry(1, "NaN"))))),
            id="not-a-number",
        ),
    ],
)
def test_what_cannot_be_read_is_a_bad_request(data):
    with pytest.raises(ApiError) as caught:
        protobuf.decode(data)
    assert caught.value.code == 400


def test_a_schema_nested_without_end_is_refused_and_does_not_crash():
    schema = b""
    for _ in range(2000):
        schema = entry(28, schema)
    version = entry(4, entry(1, schema))
    data = body("apiextensions.k8s.io/v1", "CustomResourceDefinition", entry(2, entry(7, version)))
    with pytest.raises(ApiError, match="nested too deeply"):
        protobuf.decode(data)


def decodes_or_refuses(data: bytes) -> None:
    try:
        value = protobuf.decode(data)
    except ApiError as error:
        if error.code != 400:
            raise
    else:
        json.dumps(value, allow_nan=False)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data):
    decodes_or_refuses(data)
    decodes_or_refuses(protobuf.MAGIC + data)
    decodes_or_refuses(body("v1", "Pod", data))
    decodes_or_refuses(body("apiextensions.k8s.io/v1", "CustomResourceDefinition", data))


@settings(max_examples=300)
@given(st.sampled_from(BODIES), st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255))))
def test_bodies_damaged_on_the_way_are_read_or_refused(data, damage):
    changed = bytearray(data)
    for place, byte in damage:
        changed[place % len(changed)] = byte
    decodes_or_refuses(bytes(changed))
    decodes_or_refuses(data[: damage[0][0] % len(data)] if damage else data)


LEAVES = st.one_of(st.integers(-(2**63), 2**63 - 1), st.binary(max_size=20), st.text(max_size=8))
MESSAGES = st.recursive(
    st.lists(st.tuples(st.integers(1, 46), LEAVES), max_size=6).map(
        lambda pairs: b"".join(entry(number, value) for number, value in pairs)
    ),
    lambda inner: st.lists(st.tuples(st.integers(1, 46), inner), max_size=5).map(
        lambda pairs: b"".join(entry(number, value) for number, value in pairs)
    ),
    max_leaves=12,
)
KINDS = [
    ("v1", "Pod"),
    ("v1", "Node"),
    ("v1", "Service"),
    ("v1", "Event"),
    ("apps/v1", "Deployment"),
    ("batch/v1", "CronJob"),
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    ("certificates.k8s.io/v1", "CertificateSigningRequest"),
    ("coordination.k8s.io/v1", "Lease"),
    ("policy/v1", "Eviction"),
]


@settings(max_examples=400)
@given(st.sampled_from(KINDS), MESSAGES)
def test_well_formed_messages_with_any_content_are_read_or_refused(kind, message):
    decodes_or_refuses(body(*kind, message))


def test_every_kind_that_tools_send_has_wire_numbers():
    for api_version, kind in KINDS:
        structure = protobuf.structure_of(api_version, kind)
        assert structure is not None, kind
        assert structure.by_number, kind
    scale = fields.structure("autoscaling/v1.Scale")
    assert scale is not None
    assert scale.by_number[2].name == "spec"
