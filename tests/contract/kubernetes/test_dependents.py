"""Finalizers, owners, and namespaces that go with all they hold."""

import pytest

from crossfade.testing.kube_api import MERGE, eventually


def _held(name: str) -> dict:
    return {"metadata": {"name": name, "finalizers": ["example.com/hold"]}}


def _gone(api, path: str) -> bool:
    return api.call("GET", path).status_code == 404


@pytest.fixture
def release(api):
    """Take the finalizers off an object."""
    return lambda path: api.patch(path, {"metadata": {"finalizers": None}})


@pytest.fixture
def family(api, maps):
    """Make an owner and two objects that it owns; returns their paths."""

    def make(*, block: bool = False) -> tuple[str, str, str]:
        owner = api.ok("POST", maps, {"metadata": {"name": "owner"}})
        reference = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "name": "owner",
            "uid": owner["metadata"]["uid"],
        }
        if block:
            reference["blockOwnerDeletion"] = True
        for name in ("one", "two"):
            metadata = {"name": name, "ownerReferences": [reference]}
            api.ok("POST", maps, {"metadata": metadata})
        return f"{maps}/owner", f"{maps}/one", f"{maps}/two"

    return make


def test_a_finalizer_keeps_an_object_that_is_deleted(api, maps, release):
    api.ok("POST", maps, _held("m"))
    kept = api.ok("DELETE", f"{maps}/m")
    assert kept["kind"] == "ConfigMap"
    assert kept["metadata"]["deletionTimestamp"]
    again = api.ok("DELETE", f"{maps}/m")
    assert again["metadata"]["deletionTimestamp"] == kept["metadata"]["deletionTimestamp"]
    api.patch(f"{maps}/m", {"data": {"still": "here"}})
    release(f"{maps}/m")
    assert _gone(api, f"{maps}/m")


def test_no_finalizer_is_added_to_a_deleted_object(api, maps, release):
    api.ok("POST", maps, _held("m"))
    api.ok("DELETE", f"{maps}/m")
    patch = {"metadata": {"finalizers": ["example.com/hold", "example.com/late"]}}
    assert api.call("PATCH", f"{maps}/m", patch, content_type=MERGE).status_code in (403, 422)
    release(f"{maps}/m")


def test_the_end_of_a_held_object_is_watched_as_a_change_and_a_deletion(api, maps, release):
    made = api.ok("POST", maps, _held("m"))
    with api.watch(maps, resourceVersion=made["metadata"]["resourceVersion"]) as events:
        api.ok("DELETE", f"{maps}/m")
        release(f"{maps}/m")
        assert next(events)["type"] == "MODIFIED"
        assert next(events)["type"] == "DELETED"


def test_what_an_owner_leaves_behind_is_collected(api, family):
    owner, one, two = family()
    api.ok("DELETE", owner, {"propagationPolicy": "Background"})
    assert _gone(api, owner)
    eventually(lambda: _gone(api, one) and _gone(api, two))


def test_foreground_deletion_takes_the_owner_last(api, family, release):
    owner, one, two = family(block=True)
    api.patch(one, {"metadata": {"finalizers": ["example.com/hold"]}})
    kept = api.ok("DELETE", owner, {"propagationPolicy": "Foreground"})
    assert kept["metadata"]["finalizers"] == ["foregroundDeletion"]
    eventually(lambda: _gone(api, two))
    eventually(lambda: "deletionTimestamp" in api.get(one)["metadata"])
    assert not _gone(api, owner)
    release(one)
    eventually(lambda: _gone(api, one) and _gone(api, owner))


def test_orphans_stay_without_their_owner(api, family):
    owner, one, two = family()
    api.ok("DELETE", owner, {"propagationPolicy": "Orphan"})
    eventually(lambda: _gone(api, owner))
    for path in (one, two):
        eventually(lambda path=path: "ownerReferences" not in api.get(path)["metadata"])


def test_an_object_of_two_owners_goes_with_the_last(api, maps):
    references = []
    for name in ("first", "second"):
        made = api.ok("POST", maps, {"metadata": {"name": name}})
        uid = made["metadata"]["uid"]
        references.append({"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": uid})
    api.ok("POST", maps, {"metadata": {"name": "child", "ownerReferences": references}})
    api.ok("DELETE", f"{maps}/first")
    eventually(lambda: len(api.get(f"{maps}/child")["metadata"]["ownerReferences"]) == 1)
    api.ok("DELETE", f"{maps}/second")
    eventually(lambda: _gone(api, f"{maps}/child"))


def test_an_object_whose_owner_never_was_is_collected(api, maps):
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "none", "uid": "no-such-uid"}
    api.ok("POST", maps, {"metadata": {"name": "child", "ownerReferences": [reference]}})
    eventually(lambda: _gone(api, f"{maps}/child"))


def test_a_bad_propagation_policy_is_refused(api, maps):
    api.ok("POST", maps, {"metadata": {"name": "m"}})
    api.refused(422, "DELETE", f"{maps}/m", {"propagationPolicy": "Sideways"})


def test_a_namespace_goes_with_all_it_holds(api, namespace, maps, release):
    api.ok("POST", maps, _held("m"))
    path = f"/api/v1/namespaces/{namespace}"
    going = api.ok("DELETE", path)
    assert going["status"]["phase"] == "Terminating"
    status = api.refused(403, "POST", maps, {"metadata": {"name": "late"}})
    assert "because it is being terminated" in status["message"]
    eventually(lambda: "deletionTimestamp" in api.get(f"{maps}/m")["metadata"])
    assert not _gone(api, path)
    release(f"{maps}/m")
    eventually(lambda: _gone(api, path))


def test_a_namespace_has_its_name_as_label_and_an_account(api, namespace):
    found = api.get(f"/api/v1/namespaces/{namespace}")
    assert found["metadata"]["labels"]["kubernetes.io/metadata.name"] == namespace
    assert found["status"]["phase"] == "Active"
    assert api.get(f"/api/v1/namespaces/{namespace}/serviceaccounts/default")
    api.refused(409, "POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
