"""Watches, and lists at a version."""

from itertools import islice

import pytest


@pytest.fixture
def start(api, maps):
    """The version that the collection has before the test changes it."""
    return api.get(maps)["metadata"]["resourceVersion"]


def _told(events, count):
    return [(event["type"], event["object"]["metadata"]["name"]) for event in islice(events, count)]


def test_a_watch_tells_what_happens_after_a_version(api, maps, start):
    api.ok("POST", maps, {"metadata": {"name": "a"}})
    api.patch(f"{maps}/a", {"data": {"k": "v"}})
    with api.watch(maps, resourceVersion=start) as events:
        assert _told(events, 2) == [("ADDED", "a"), ("MODIFIED", "a")]
        api.ok("DELETE", f"{maps}/a")
        gone = next(events)
        assert gone["type"] == "DELETED"
        assert gone["object"]["data"] == {"k": "v"}
        assert int(gone["object"]["metadata"]["resourceVersion"]) > int(start)
        api.ok("POST", maps, {"metadata": {"name": "b"}})
        assert _told(events, 1) == [("ADDED", "b")]


def test_a_watch_without_a_version_begins_with_what_is_there(api, maps):
    api.ok("POST", maps, {"metadata": {"name": "a", "labels": {"suite": "s"}}})
    for version in ({}, {"resourceVersion": "0"}):
        with api.watch(maps, labelSelector="suite=s", **version) as events:
            assert _told(events, 1) == [("ADDED", "a")]


def test_a_watch_is_told_versions_that_only_grow(api, maps, start):
    with api.watch(maps, resourceVersion=start) as events:
        for number in range(5):
            api.ok("POST", maps, {"metadata": {"name": f"m{number}"}})
        versions = [int(next(events)["object"]["metadata"]["resourceVersion"]) for _ in range(5)]
    assert versions == sorted(set(versions))


def test_a_watch_of_a_selector_sees_objects_come_and_go(api, maps, start):
    with api.watch(maps, resourceVersion=start, labelSelector="on=yes") as events:
        api.ok("POST", maps, {"metadata": {"name": "a"}})
        api.patch(f"{maps}/a", {"metadata": {"labels": {"on": "yes"}}})
        api.patch(f"{maps}/a", {"data": {"k": "v"}})
        api.patch(f"{maps}/a", {"metadata": {"labels": {"on": "no"}}})
        api.ok("DELETE", f"{maps}/a")
        api.ok("POST", maps, {"metadata": {"name": "b", "labels": {"on": "yes"}}})
        told = _told(events, 4)
    assert told == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a"), ("ADDED", "b")]


def test_a_watch_of_one_name_sees_nothing_else(api, maps, start):
    with api.watch(maps, resourceVersion=start, fieldSelector="metadata.name=b") as events:
        api.ok("POST", maps, {"metadata": {"name": "a"}})
        api.ok("POST", maps, {"metadata": {"name": "b"}})
        assert _told(events, 1) == [("ADDED", "b")]


def test_a_watch_of_a_namespace_sees_no_other(api, maps, start):
    with api.watch(maps, resourceVersion=start) as events:
        elsewhere = "/api/v1/namespaces/default/configmaps"
        other = api.ok("POST", elsewhere, {"metadata": {"generateName": "contract-"}})
        api.ok("DELETE", f"{elsewhere}/{other['metadata']['name']}")
        api.ok("POST", maps, {"metadata": {"name": "mine"}})
        assert _told(events, 1) == [("ADDED", "mine")]


def test_a_watch_ends_in_time_with_a_bookmark(api, maps, start):
    api.ok("POST", maps, {"metadata": {"name": "a"}})
    query = {"allowWatchBookmarks": "true", "timeoutSeconds": "3", "resourceVersion": start}
    with api.watch(maps, **query) as events:
        told = list(events)
    assert told[0]["type"] == "ADDED"
    marks = [event["object"] for event in told if event["type"] == "BOOKMARK"]
    assert marks, "a client that only gets events of others would have to list again"
    assert marks[-1]["kind"] == "ConfigMap"
    assert int(marks[-1]["metadata"]["resourceVersion"]) >= int(
        told[0]["object"]["metadata"]["resourceVersion"]
    )


def test_a_watch_continues_from_a_bookmark(api, maps, start):
    query = {"allowWatchBookmarks": "true", "timeoutSeconds": "3", "resourceVersion": start}
    with api.watch(maps, **query) as events:
        mark = next(event for event in events if event["type"] == "BOOKMARK")
    api.ok("POST", maps, {"metadata": {"name": "a"}})
    version = mark["object"]["metadata"]["resourceVersion"]
    with api.watch(maps, resourceVersion=version) as events:
        assert _told(events, 1) == [("ADDED", "a")]


def test_a_watch_can_tell_where_the_beginning_ends(api, maps):
    api.ok("POST", maps, {"metadata": {"name": "a", "labels": {"suite": "s"}}})
    query = {
        "sendInitialEvents": "true",
        "resourceVersionMatch": "NotOlderThan",
        "allowWatchBookmarks": "true",
        "labelSelector": "suite=s",
    }
    answer = api.call("GET", maps, params=query | {"watch": "true", "timeoutSeconds": "2"})
    if answer.status_code == 422:
        return  # a server whose watch cache is off does not have it, and says so
    with api.watch(maps, **query) as events:
        assert _told(events, 1) == [("ADDED", "a")]
        mark = next(events)
    assert mark["type"] == "BOOKMARK"
    assert mark["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"] == "true"


def test_a_version_that_makes_no_sense_is_refused(api, maps):
    api.refused(400, "GET", maps, params={"resourceVersion": "x"})
    # Which error a watch gets is not held: the real server says 500 for it, and Crossfade only
    # ever sends versions that it was told.
    answer = api.call("GET", maps, params={"watch": "1", "resourceVersion": "x"})
    assert answer.is_error
    assert "resourceVersion: Invalid value" in answer.json()["message"]


def test_a_version_of_the_future_is_refused(api, maps):
    status = api.refused(504, "GET", maps, params={"resourceVersion": "999999999999"})
    assert "Too large resource version" in status["message"]


def test_a_list_can_show_an_older_version(api, maps):
    api.ok("POST", maps, {"metadata": {"name": "a", "labels": {"suite": "s"}}, "data": {"k": "1"}})
    then = api.get(maps)["metadata"]["resourceVersion"]
    api.patch(f"{maps}/a", {"data": {"k": "2"}})
    exact = {"resourceVersion": then, "resourceVersionMatch": "Exact", "labelSelector": "suite=s"}
    assert [item["data"] for item in api.get(maps, **exact)["items"]] == [{"k": "1"}]


def test_a_version_that_is_no_longer_known_is_gone(api, maps):
    """A server that still knows its first version tells everything since instead."""
    api.ok("POST", maps, {"metadata": {"name": "a"}})
    with api.watch(maps, resourceVersion="1") as events:
        first = next(events)
    if first["type"] == "ERROR":
        assert (first["object"]["code"], first["object"]["reason"]) == (410, "Expired")
    else:
        assert first["type"] == "ADDED"


def test_a_single_object_is_given_and_not_watched(api, maps, start):
    """Whoever waits for changes of one object watches the collection, with a field selector."""
    made = api.ok("POST", maps, {"metadata": {"name": "a"}})
    assert api.get(f"{maps}/a", watch="1", resourceVersion=start) == made
    api.refused(404, "GET", f"{maps}/none", params={"watch": "1"})
