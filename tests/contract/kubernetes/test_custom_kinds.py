"""Kinds that a CustomResourceDefinition adds."""

import secrets
from collections.abc import Iterator

import pytest

from crossfade.testing.kube_api import APPLY, MERGE, STRATEGIC, eventually

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
SPEC = {
    "type": "object",
    "required": ["size"],
    "properties": {
        "size": {"type": "integer", "minimum": 1, "maximum": 9},
        "mode": {"type": "string", "enum": ["fast", "slow"], "default": "slow"},
        "name": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 5},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "parts": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["id"],
            "items": {
                "type": "object",
                "required": ["id"],
                "properties": {"id": {"type": "string"}, "value": {"type": "integer"}},
            },
        },
    },
}


def _definition(group: str, **more: object) -> dict:
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {
            "openAPIV3Schema": {
                "type": "object",
                "properties": {
                    "spec": SPEC,
                    "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                },
            }
        },
        "subresources": {
            "status": {},
            "scale": {"specReplicasPath": ".spec.size", "statusReplicasPath": ".status.size"},
        },
        "additionalPrinterColumns": [
            {"name": "Size", "type": "integer", "jsonPath": ".spec.size"},
            {"name": "Ready", "type": "string", "jsonPath": ".status.ready"},
        ],
    }
    names = {"kind": "Widget", "plural": "widgets", "singular": "widget", "shortNames": ["wd"]}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"widgets.{group}"},
        "spec": {
            "group": group,
            "names": names,
            "scope": "Namespaced",
            "versions": [version | more],
        },
    }


@pytest.fixture
def group(api) -> Iterator[str]:
    """A group with the kind Widget."""
    name = f"g{secrets.token_hex(4)}.example.com"
    path = f"{DEFINITIONS}/widgets.{name}"
    api.ok("POST", DEFINITIONS, _definition(name))

    def served() -> bool:
        # A definition that the server has not looked at yet can have `conditions: null`.
        conditions = api.get(path).get("status", {}).get("conditions") or ()
        return any(one["type"] == "Established" and one["status"] == "True" for one in conditions)

    eventually(served)
    eventually(lambda: api.call("GET", f"/apis/{name}/v1/widgets").is_success)
    yield name
    api.call("DELETE", path)


@pytest.fixture
def widgets(group, namespace) -> str:
    """The path of the Widgets of the test's namespace."""
    return f"/apis/{group}/v1/namespaces/{namespace}/widgets"


@pytest.fixture
def widget(group):
    """Make a Widget."""

    def make(called: str = "w", **spec: object) -> dict:
        return {
            "apiVersion": f"{group}/v1",
            "kind": "Widget",
            "metadata": {"name": called},
            "spec": {"size": 3} | spec,
        }

    return make


def test_objects_are_served_as_of_any_other_kind(api, group, widgets, widget):
    made = api.ok("POST", widgets, widget())
    assert (made["apiVersion"], made["kind"]) == (f"{group}/v1", "Widget")
    assert made["metadata"]["generation"] == 1
    found = api.get(widgets)
    assert found["kind"] == "WidgetList"
    assert found["items"] == [made]
    api.ok("DELETE", f"{widgets}/w")
    status = api.refused(404, "GET", f"{widgets}/w")
    assert status["message"] == f'widgets.{group} "w" not found'


def test_unknown_fields_are_dropped_except_where_all_may_be(api, widgets, widget):
    made = api.ok("POST", widgets, widget(free={"any": [1, {"x": None}]}, extra=1))
    assert made["spec"]["free"]["any"][0] == 1
    assert "extra" not in made["spec"]
    strict = {"fieldValidation": "Strict"}
    status = api.refused(400, "POST", widgets, widget("v", extra=1), params=strict)
    assert 'unknown field "spec.extra"' in status["message"]


def test_defaults_of_the_schema_are_filled_in(api, widgets, widget):
    assert api.ok("POST", widgets, widget())["spec"]["mode"] == "slow"


@pytest.mark.parametrize(
    ("spec", "field", "text"),
    [
        ({"size": "3"}, "spec.size", "must be of type integer"),
        ({"size": 0}, "spec.size", "should be greater than or equal to 1"),
        ({"size": 10}, "spec.size", "should be less than or equal to 9"),
        ({"mode": "odd"}, "spec.mode", 'Unsupported value: "odd"'),
        ({"name": "A"}, "spec.name", "should match"),
        ({"name": "abcdef"}, "spec.name", "Too long"),
        ({"parts": [{"value": 1}]}, "spec.parts[0].id", "Required value"),
    ],
)
def test_values_that_the_schema_forbids_are_refused(api, widgets, widget, spec, field, text):
    status = api.refused(422, "POST", widgets, widget(**spec))
    causes = {cause["field"]: cause["message"] for cause in status["details"]["causes"]}
    assert text in causes[field]


def test_a_missing_field_is_named(api, widgets, widget):
    body = widget()
    body["spec"] = {}
    status = api.refused(422, "POST", widgets, body)
    assert "spec.size: Required value" in status["message"]


def test_the_status_is_apart(api, widgets, widget):
    made = api.ok("POST", widgets, widget() | {"status": {"ready": "no"}})
    assert "status" not in made
    now = api.patch(f"{widgets}/w/status", {"status": {"ready": "yes"}, "spec": {"size": 5}})
    assert now["status"] == {"ready": "yes"}
    assert (now["spec"]["size"], now["metadata"]["generation"]) == (3, 1)
    now = api.patch(f"{widgets}/w", {"spec": {"size": 5}, "status": {"ready": "no"}})
    assert now["status"] == {"ready": "yes"}
    assert now["metadata"]["generation"] == 2


def test_an_update_needs_a_version(api, widgets, widget):
    api.ok("POST", widgets, widget())
    status = api.refused(422, "PUT", f"{widgets}/w", widget(size=4))
    assert "metadata.resourceVersion" in status["message"]


def test_strategic_patches_are_not_for_custom_kinds(api, widgets, widget):
    api.ok("POST", widgets, widget())
    api.refused(415, "PATCH", f"{widgets}/w", {"spec": {"size": 4}}, content_type=STRATEGIC)
    assert api.patch(f"{widgets}/w", {"spec": {"size": 4}}, MERGE)["spec"]["size"] == 4


def test_apply_merges_lists_by_the_keys_of_the_schema(api, widgets, widget):
    def apply(manager: str, *parts: dict) -> list[dict]:
        body = widget(parts=list(parts))
        query = {"fieldManager": manager}
        now = api.ok("PATCH", f"{widgets}/w", body, content_type=APPLY, params=query)
        return now["spec"]["parts"]

    apply("one", {"id": "a", "value": 1})
    assert apply("two", {"id": "b", "value": 2}) == [
        {"id": "a", "value": 1},
        {"id": "b", "value": 2},
    ]
    assert apply("one", {"id": "c"}) == [{"id": "b", "value": 2}, {"id": "c"}]


def test_a_custom_kind_can_be_scaled(api, widgets, widget):
    api.ok("POST", widgets, widget())
    scaled = api.patch(f"{widgets}/w/scale", {"spec": {"replicas": 6}})
    assert (scaled["kind"], scaled["spec"]["replicas"]) == ("Scale", 6)
    assert api.get(f"{widgets}/w")["spec"]["size"] == 6


def test_a_custom_kind_is_watched(api, widgets, widget):
    start = api.get(widgets)["metadata"]["resourceVersion"]
    with api.watch(widgets, resourceVersion=start) as events:
        api.ok("POST", widgets, widget())
        told = next(events)
    assert (told["type"], told["object"]["kind"]) == ("ADDED", "Widget")


def test_a_custom_kind_is_discovered(api, group):
    def listed() -> list[dict]:
        resources = api.get(f"/apis/{group}/v1")["resources"]
        return [one for one in resources if one["name"] == "widgets"]

    [resource] = eventually(listed)
    assert (resource["kind"], resource["shortNames"]) == ("Widget", ["wd"])
    eventually(lambda: group in {one["name"] for one in api.get("/apis")["groups"]})
    paths = eventually(lambda: api.get("/openapi/v3")["paths"].get(f"apis/{group}/v1"))
    assert "/openapi/v3/" in paths["serverRelativeURL"]


def test_rows_have_the_columns_of_the_definition(api, widgets, widget):
    api.ok("POST", widgets, widget())
    table = api.ok("GET", widgets, accept="application/json;as=Table;v=v1;g=meta.k8s.io")
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Size", "Ready"]
    assert table["rows"][0]["cells"][:2] == ["w", 3]


def test_a_changed_definition_is_obeyed(api, group, widgets, widget):
    path = f"{DEFINITIONS}/widgets.{group}"
    definition = api.get(path)
    schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    schema["properties"]["spec"]["properties"]["size"]["maximum"] = 99
    api.patch(path, {"spec": {"versions": definition["spec"]["versions"]}})
    eventually(lambda: api.call("POST", widgets, widget(size=50)).is_success)


def test_a_removed_definition_takes_its_objects_along(api, group, widgets, widget):
    body = widget()
    body["metadata"]["finalizers"] = ["example.com/hold"]
    api.ok("POST", widgets, body)
    path = f"{DEFINITIONS}/widgets.{group}"
    api.ok("DELETE", path)
    eventually(lambda: "deletionTimestamp" in api.get(f"{widgets}/w")["metadata"])
    assert api.get(path)["metadata"]["deletionTimestamp"]
    api.patch(f"{widgets}/w", {"metadata": {"finalizers": None}})
    eventually(lambda: api.call("GET", path).status_code == 404)
    eventually(lambda: api.call("GET", widgets).status_code == 404)
