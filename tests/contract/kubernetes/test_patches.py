"""JSON patch, merge patch and strategic merge patch."""

import pytest

from crossfade.testing.kube_api import JSON_PATCH, MERGE, STRATEGIC


@pytest.fixture
def paused(api, deployments, deployment):
    """The path of a Deployment that no controller touches."""
    body = deployment(replicas=0)
    body["spec"]["paused"] = True
    body["metadata"]["annotations"] = {"a": "1", "b": "2"}
    spec = body["spec"]["template"]["spec"]
    spec["containers"][0] |= {
        "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
        "ports": [{"containerPort": 80, "name": "http"}],
    }
    spec["containers"].append({"name": "side", "image": "x"})
    spec["volumes"] = [{"name": "v", "emptyDir": {}}]
    api.ok("POST", deployments, body)
    return f"{deployments}/web"


def _pod(obj):
    return obj["spec"]["template"]["spec"]


def test_a_merge_patch_sets_removes_and_replaces_lists(api, paused):
    patch = {"metadata": {"annotations": {"a": None, "c": "3"}}}
    now = api.patch(paused, patch)
    assert now["metadata"]["annotations"] == {"b": "2", "c": "3"}
    one = {"name": "only", "image": "y"}
    now = api.patch(paused, {"spec": {"template": {"spec": {"containers": [one]}}}}, MERGE)
    assert [container["name"] for container in _pod(now)["containers"]] == ["only"]


def test_a_strategic_patch_merges_lists_by_their_keys(api, paused):
    main = {"name": "main", "image": "new", "env": [{"name": "B", "value": "3"}, {"name": "C"}]}
    now = api.patch(paused, {"spec": {"template": {"spec": {"containers": [main]}}}}, STRATEGIC)
    containers = {container["name"]: container for container in _pod(now)["containers"]}
    assert containers.keys() == {"main", "side"}
    assert containers["main"]["image"] == "new"
    assert containers["main"]["command"]
    env = {one["name"]: one.get("value") for one in containers["main"]["env"]}
    assert env == {"A": "1", "B": "3", "C": None}


def test_a_strategic_patch_deletes_and_replaces_when_told(api, paused):
    gone = {"name": "side", "$patch": "delete"}
    now = api.patch(paused, {"spec": {"template": {"spec": {"containers": [gone]}}}}, STRATEGIC)
    assert [container["name"] for container in _pod(now)["containers"]] == ["main"]
    volumes = [{"$patch": "replace"}, {"name": "w", "emptyDir": {}}]
    now = api.patch(paused, {"spec": {"template": {"spec": {"volumes": volumes}}}}, STRATEGIC)
    assert [volume["name"] for volume in _pod(now)["volumes"]] == ["w"]
    now = api.patch(
        paused, {"metadata": {"annotations": {"$patch": "replace", "z": "9"}}}, STRATEGIC
    )
    assert now["metadata"]["annotations"] == {"z": "9"}


def test_a_strategic_patch_swaps_strategies(api, paused):
    strategy = {"$retainKeys": ["type"], "type": "Recreate"}
    now = api.patch(paused, {"spec": {"strategy": strategy}}, STRATEGIC)
    assert now["spec"]["strategy"] == {"type": "Recreate"}


def test_a_strategic_patch_orders_as_told(api, paused):
    order = [{"name": "side"}, {"name": "main"}]
    patch = {"$setElementOrder/containers": order, "containers": [{"name": "side", "image": "z"}]}
    now = api.patch(paused, {"spec": {"template": {"spec": patch}}}, STRATEGIC)
    assert [container["name"] for container in _pod(now)["containers"]] == ["side", "main"]


def test_finalizers_are_merged_and_removed_one_by_one(api, maps):
    finalizers = ["example.com/a", "example.com/b"]
    api.ok("POST", maps, {"metadata": {"name": "m", "finalizers": finalizers}})
    patch = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["example.com/a"]}}
    now = api.patch(f"{maps}/m", patch, STRATEGIC)
    assert now["metadata"]["finalizers"] == ["example.com/b"]
    now = api.patch(f"{maps}/m", {"metadata": {"finalizers": ["example.com/c"]}}, STRATEGIC)
    assert set(now["metadata"]["finalizers"]) == {"example.com/b", "example.com/c"}
    api.patch(f"{maps}/m", {"metadata": {"finalizers": None}})


def test_a_json_patch_does_one_thing_after_the_other(api, paused):
    patch = [
        {"op": "test", "path": "/metadata/annotations/a", "value": "1"},
        {"op": "remove", "path": "/metadata/annotations/a"},
        {"op": "add", "path": "/metadata/annotations/x~1y", "value": "z"},
        {"op": "copy", "from": "/metadata/annotations/b", "path": "/metadata/annotations/c"},
        {"op": "move", "from": "/metadata/annotations/c", "path": "/metadata/annotations/d"},
        {"op": "add", "path": "/spec/template/spec/containers/0/env/-", "value": {"name": "C"}},
        {"op": "replace", "path": "/spec/template/spec/containers/1/image", "value": "new"},
    ]
    now = api.patch(paused, patch, JSON_PATCH)
    assert now["metadata"]["annotations"] == {"b": "2", "x/y": "z", "d": "2"}
    assert [one["name"] for one in _pod(now)["containers"][0]["env"]] == ["A", "B", "C"]
    assert _pod(now)["containers"][1]["image"] == "new"


def test_a_json_patch_that_does_not_fit_changes_nothing(api, paused):
    before = api.get(paused)
    for patch in (
        [{"op": "test", "path": "/spec/replicas", "value": 7}],
        [{"op": "remove", "path": "/metadata/labels/none"}],
        [{"op": "replace", "path": "/spec/template/spec/containers/9/image", "value": "x"}],
    ):
        api.refused(422, "PATCH", paused, patch, content_type=JSON_PATCH)
    api.refused(400, "PATCH", paused, {"op": "add"}, content_type=JSON_PATCH)
    now = api.get(paused)
    # Not the version, which a controller may have changed by a write of the status.
    assert now["spec"] == before["spec"]
    assert now["metadata"]["generation"] == before["metadata"]["generation"]
    assert now["metadata"].get("labels") == before["metadata"].get("labels")


def test_a_patch_of_an_older_version_is_a_conflict(api, maps):
    old = api.ok("POST", maps, {"metadata": {"name": "m"}})["metadata"]["resourceVersion"]
    api.patch(f"{maps}/m", {"data": {"k": "1"}})
    patch = {"metadata": {"resourceVersion": old}, "data": {"k": "2"}}
    status = api.refused(409, "PATCH", f"{maps}/m", patch, content_type=MERGE)
    assert status["reason"] == "Conflict"


def test_patches_need_an_object_a_type_and_sense(api, maps, paused):
    api.refused(404, "PATCH", f"{maps}/none", {"data": {}}, content_type=MERGE)
    api.refused(415, "PATCH", paused, {"spec": {}}, content_type="application/json")
    api.refused(400, "PATCH", paused, content=b"{", content_type=MERGE)
    wrong = {"spec": {"replicas": "many"}}
    assert api.call("PATCH", paused, wrong, content_type=STRATEGIC).status_code in (400, 422)


def test_a_patch_cannot_rename(api, maps):
    api.ok("POST", maps, {"metadata": {"name": "m"}})
    api.refused(400, "PATCH", f"{maps}/m", {"metadata": {"name": "n"}}, content_type=MERGE)
