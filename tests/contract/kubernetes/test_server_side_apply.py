"""Server-side apply: fields have owners."""

import pytest

from crossfade.testing.kube_api import APPLY


@pytest.fixture
def apply(api):
    """Apply an object as one manager."""

    def call(path: str, body: dict, manager: str = "one", code: int = 0, **params: str) -> dict:
        query = {"fieldManager": manager} | params
        if code:
            return api.refused(code, "PATCH", path, body, content_type=APPLY, params=query)
        return api.ok("PATCH", path, body, content_type=APPLY, params=query)

    return call


def _map(**data: str) -> dict:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": data}


@pytest.fixture
def web(deployment):
    """A Deployment that no controller touches."""
    body = deployment(replicas=0)
    body["spec"]["paused"] = True
    return body


def test_apply_creates_what_is_not_there(api, maps, apply):
    query = {"fieldManager": "one"}
    answer = api.call("PATCH", f"{maps}/m", _map(a="1"), content_type=APPLY, params=query)
    assert answer.status_code == 201
    entry = answer.json()["metadata"]["managedFields"][0]
    assert (entry["manager"], entry["operation"]) == ("one", "Apply")
    assert (entry["apiVersion"], entry["fieldsType"]) == ("v1", "FieldsV1")
    assert entry["fieldsV1"]["f:data"]["f:a"] == {}
    again = apply(f"{maps}/m", _map(a="1"))
    assert again["metadata"]["resourceVersion"] == answer.json()["metadata"]["resourceVersion"]


def test_apply_adds_and_changes_its_own_fields(maps, apply):
    apply(f"{maps}/m", _map(a="1", b="2"))
    assert apply(f"{maps}/m", _map(a="3", b="2", c="4"))["data"] == {"a": "3", "b": "2", "c": "4"}


def test_fields_that_are_no_longer_applied_are_removed(maps, apply):
    apply(f"{maps}/m", _map(a="1", b="2"))
    assert apply(f"{maps}/m", _map(b="2"))["data"] == {"b": "2"}


def test_fields_that_another_applies_too_stay(maps, apply):
    apply(f"{maps}/m", _map(a="1", b="2"))
    apply(f"{maps}/m", _map(a="1"), "two")
    assert apply(f"{maps}/m", _map(b="2"))["data"] == {"a": "1", "b": "2"}
    assert apply(f"{maps}/m", _map(), "two")["data"] == {"b": "2"}


def test_a_field_of_another_manager_is_a_conflict(maps, apply):
    apply(f"{maps}/m", _map(a="1"))
    status = apply(f"{maps}/m", _map(a="2"), "two", code=409)
    assert status["reason"] == "Conflict"
    assert status["message"] == 'Apply failed with 1 conflict: conflict with "one": .data.a'
    cause = status["details"]["causes"][0]
    assert (cause["reason"], cause["field"]) == ("FieldManagerConflict", ".data.a")


def test_several_conflicts_are_told_at_once(maps, apply):
    apply(f"{maps}/m", _map(a="1", b="1"))
    message = apply(f"{maps}/m", _map(a="2", b="2"), "two", code=409)["message"]
    assert message == 'Apply failed with 2 conflicts: conflicts with "one":\n- .data.a\n- .data.b'


def test_force_takes_the_field(maps, apply):
    apply(f"{maps}/m", _map(a="1", b="1"))
    now = apply(f"{maps}/m", _map(a="2"), "two", force="true")
    assert now["data"] == {"a": "2", "b": "1"}
    apply(f"{maps}/m", _map(a="3", b="1"), code=409)


def test_a_plain_write_takes_what_it_changes(api, maps, apply):
    apply(f"{maps}/m", _map(a="1", b="1"))
    api.patch(f"{maps}/m", {"data": {"a": "2"}}, fieldManager="hand")
    status = apply(f"{maps}/m", _map(a="1", b="1"), code=409)
    assert status["message"].startswith(
        'Apply failed with 1 conflict: conflict with "hand" using v1'
    )
    assert status["message"].endswith(": .data.a")


def test_a_value_that_is_the_same_is_shared(api, maps, apply):
    apply(f"{maps}/m", _map(a="1"))
    now = apply(f"{maps}/m", _map(a="1"), "two")
    assert {entry["manager"] for entry in now["metadata"]["managedFields"]} == {"one", "two"}


def test_lists_are_merged_by_their_keys(deployments, web, apply):
    path = f"{deployments}/web"
    apply(path, web)
    side = {"name": "side", "image": "x"}
    theirs = {key: web[key] for key in ("apiVersion", "kind")} | {
        "metadata": {"name": "web"},
        "spec": {"template": {"spec": {"containers": [side]}}},
    }
    now = apply(path, theirs, "two")
    assert [one["name"] for one in _containers(now)] == ["main", "side"]
    theirs["spec"]["template"]["spec"]["containers"] = [side | {"image": "y"}]
    assert _containers(apply(path, theirs, "two"))[1]["image"] == "y"
    del theirs["spec"]
    now = apply(path, theirs, "two")
    assert [one["name"] for one in _containers(now)] == ["main"]


def test_an_item_of_a_list_is_removed_by_its_owner(deployments, web, apply):
    path = f"{deployments}/web"
    _containers(web)[0]["env"] = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
    apply(path, web)
    _containers(web)[0]["env"] = [{"name": "B", "value": "3"}]
    assert _containers(apply(path, web))[0]["env"] == [{"name": "B", "value": "3"}]


def test_conflicts_in_lists_name_the_item(deployments, web, apply):
    path = f"{deployments}/web"
    apply(path, web)
    _containers(web)[0]["image"] = "other"
    status = apply(path, web, "two", code=409)
    field = '.spec.template.spec.containers[name="main"].image'
    assert status["details"]["causes"][0]["field"] == field


def test_ports_are_known_by_number_and_protocol(api, namespace, apply):
    path = f"/api/v1/namespaces/{namespace}/services/s"
    ports = [{"name": "a", "port": 80}, {"name": "b", "port": 80, "protocol": "UDP"}]
    body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}}
    apply(path, body | {"spec": {"ports": ports}})
    ports[0]["targetPort"] = 8080
    now = apply(path, body | {"spec": {"ports": ports}})
    assert [port["targetPort"] for port in now["spec"]["ports"]] == [8080, 80]
    now = apply(path, body | {"spec": {"ports": ports[:1]}})
    assert [port["name"] for port in now["spec"]["ports"]] == ["a"]


def test_a_scale_belongs_to_whoever_scales(api, deployments, web, apply):
    path = f"{deployments}/web"
    apply(path, web)
    api.patch(f"{path}/scale", {"spec": {"replicas": 2}}, fieldManager="hand")
    status = apply(path, web, code=409)
    assert 'conflict with "hand" with subresource "scale" using apps/v1' in status["message"]
    del web["spec"]["replicas"]
    assert apply(path, web)["spec"]["replicas"] == 2


def test_apply_needs_a_manager_and_a_whole_object(api, maps, apply):
    path = f"{maps}/m"
    answer = api.call("PATCH", path, _map(a="1"), content_type=APPLY)
    assert answer.status_code in (400, 422)
    assert "fieldManager" in answer.json()["message"]
    apply(path, {"metadata": {"name": "m"}}, code=400)
    apply(path, _map() | {"metadata": {"name": "other"}}, code=400)
    owned = _map() | {"metadata": {"name": "m", "managedFields": [{"manager": "x"}]}}
    apply(path, owned, code=400)


def test_apply_takes_yaml(api, maps):
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: m\ndata:\n  a: '1'\n"
    query = {"fieldManager": "one"}
    made = api.ok("PATCH", f"{maps}/m", content=text.encode(), content_type=APPLY, params=query)
    assert made["data"] == {"a": "1"}


@pytest.mark.parametrize("validation", ["Strict", "Warn", "Ignore"])
def test_apply_refuses_unknown_fields_whatever_is_asked_for(api, maps, validation):
    body = _map(a="1") | {"dataa": {}}
    query = {"fieldManager": "one", "fieldValidation": validation}
    answer = api.call("PATCH", f"{maps}/m", body, content_type=APPLY, params=query)
    # Which error is not held: the real server finds out only when it compares owners, and says
    # 500. Crossfade relies on a refusal that names the field, and on nothing being made.
    assert answer.is_error
    assert "dataa" in answer.json()["message"]
    api.refused(404, "GET", f"{maps}/m")


def test_apply_can_be_tried_without_a_change(api, maps, apply):
    apply(f"{maps}/m", _map(a="1"))
    assert apply(f"{maps}/m", _map(a="2"), dryRun="All")["data"] == {"a": "2"}
    assert api.get(f"{maps}/m")["data"] == {"a": "1"}


def test_ownership_can_be_reset(api, maps, apply):
    apply(f"{maps}/m", _map(a="1"))
    now = api.patch(f"{maps}/m", {"metadata": {"managedFields": [{}]}})
    assert not now["metadata"].get("managedFields")


def test_what_was_there_before_the_first_apply_belongs_to_its_writer(api, maps, apply):
    api.ok("POST", maps, _map(a="1"), params={"fieldManager": "hand"})
    apply(f"{maps}/m", _map(a="2"), code=409)
    apply(f"{maps}/m", _map(a="1"))


def _containers(obj: dict) -> list[dict]:
    return obj["spec"]["template"]["spec"]["containers"]
