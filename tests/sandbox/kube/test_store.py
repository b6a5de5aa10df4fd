"""Objects, versions and history, over restarts too."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossfade.sandbox.kube.client import ApiError, Change
from crossfade.sandbox.kube.store import Store


def _obj(name: str, **more: object) -> dict:
    return {"metadata": {"name": name, "namespace": "n", "uid": f"uid-{name}"}, **more}


def _versions(store: Store) -> list[tuple[str, str]]:
    found = store.objects("things")
    return [(obj["metadata"]["name"], obj["metadata"]["resourceVersion"]) for obj in found]


def test_each_change_has_a_version_of_its_own():
    store = Store()
    one = store.put("things", _obj("a"))
    two = store.put("others", _obj("b"))
    assert int(two["metadata"]["resourceVersion"]) > int(one["metadata"]["resourceVersion"])
    assert store.revision == int(two["metadata"]["resourceVersion"])


def test_objects_are_found_by_namespace_in_the_order_of_names():
    store = Store()
    for name in ("c", "a", "b"):
        store.put("things", _obj(name))
    elsewhere = _obj("x")
    elsewhere["metadata"]["namespace"] = "m"
    store.put("things", elsewhere)
    names = [obj["metadata"]["name"] for obj in store.objects("things", "n")]
    assert names == ["a", "b", "c"]
    assert len(store.objects("things")) == 4
    assert store.objects("nothing") == []


def test_history_tells_what_changed_since():
    store = Store()
    store.put("things", _obj("a"))
    then = store.revision
    store.put("things", _obj("a", data=1))
    store.put("others", _obj("x"))
    store.remove("things", _obj("a"))
    events = store.events_after("things", then)
    assert [event.change for event in events] == [Change.MODIFIED, Change.DELETED]
    assert events[1].previous["data"] == 1
    assert store.events_after("things", store.revision) == []


def test_history_ends_somewhere_and_says_so():
    store = Store(window=10)
    start = store.revision
    for number in range(50):
        store.put("things", _obj("a", data=number))
    with pytest.raises(ApiError) as caught:
        store.events_after("things", start)
    assert (caught.value.code, caught.value.reason) == (410, "Expired")
    assert len(store.events_after("things", store.revision - 10)) == 10
    assert store.events_after("others", start) == [], "others' changes use up nobody's history"


def test_a_version_of_the_future_is_an_error():
    store = Store()
    with pytest.raises(ApiError) as caught:
        store.events_after("things", 100)
    assert caught.value.code == 504


def test_a_restart_loses_nothing(tmp_path):
    path = tmp_path / "objects.journal"
    store = Store(path)
    store.put("things", _obj("a"))
    then = store.revision
    store.put("things", _obj("b"))
    store.remove("things", _obj("a"))
    revision, versions = store.revision, _versions(store)
    store.close()
    again = Store(path)
    assert (again.revision, _versions(again)) == (revision, versions)
    changes = [event.change for event in again.events_after("things", then)]
    assert changes == [Change.ADDED, Change.DELETED], "watchers go on after a restart"
    again.close()


def test_a_store_that_was_compacted_loses_nothing_but_history(tmp_path):
    path = tmp_path / "objects.journal"
    store = Store(path)
    for number in range(60):
        store.put("things", _obj("a", data="x" * 100_000, number=number))
    assert path.stat().st_size < 5_000_000
    revision = store.revision
    store.close()
    again = Store(path)
    assert again.revision == revision
    assert again.get("things", "n", "a")["number"] == 59
    with pytest.raises(ApiError):
        again.events_after("things", 2)
    again.close()


def test_dependents_are_known_by_the_uid_of_their_owner():
    store = Store()
    child = _obj("child")
    child["metadata"]["ownerReferences"] = [{"uid": "uid-a"}, {"uid": "uid-b"}]
    store.put("things", child)
    assert store.dependents("uid-a") == (("things", "n", "child"),)
    store.put("things", _obj("child"))
    assert store.dependents("uid-a") == ()
    assert store.dependents("uid-b") == ()


def test_those_who_wait_for_changes_are_woken_by_their_collection_alone():
    store = Store()
    with store.waker("things") as waker:
        store.put("others", _obj("a"))
        assert not waker.is_set()
        store.put("things", _obj("a"))
        assert waker.is_set()


actions = st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.integers(0, 9)), max_size=30)


@settings(max_examples=60, deadline=None)
@given(actions=actions, at=st.integers(0, 30))
def test_every_moment_can_be_looked_at_again(actions, at):
    store, moments = Store(), []
    for name, remove, value in actions:
        if remove and store.get("things", "n", name):
            store.remove("things", store.get("things", "n", name))
        else:
            store.put("things", _obj(name, data=value))
        moments.append((store.revision, store.objects("things")))
    for revision, objects in moments[at : at + 3]:
        assert store.objects_at("things", None, revision) == objects
        assert store.objects_at("things", "n", revision) == objects


@settings(max_examples=30, deadline=None)
@given(actions=actions)
def test_every_history_is_the_same_after_a_restart(actions, tmp_path_factory):
    path = tmp_path_factory.mktemp("store") / "journal"
    store = Store(path)
    for name, remove, value in actions:
        if remove and store.get("things", "n", name):
            store.remove("things", store.get("things", "n", name))
        else:
            store.put("things", _obj(name, data=value))
    expected = store.objects("things"), store.revision
    told = store.events_after("things", 1)
    store.close()
    again = Store(path)
    assert (again.objects("things"), again.revision) == expected
    assert again.events_after("things", 1) == told
    again.close()
