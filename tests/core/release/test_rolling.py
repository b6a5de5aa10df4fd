"""Revisions in place: which pods change, and what stands in the way back."""

from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.core.release.rolling import (
    IN_PLACE_LABEL,
    NOBODY,
    Part,
    partition,
    parts,
    prepare_in_place,
    reached,
    shifts,
    stuck,
)
from crossfade.core.release.sizing import SCALE, scale_of


def stateful_set(replicas=3, first=0, name="db", revision="red"):
    return {
        "kind": "StatefulSet",
        "metadata": {"name": name, "uid": name, "labels": {IN_PLACE_LABEL: revision}},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "db"}},
            "template": {"metadata": {"labels": {"app": "db"}}, "spec": {"containers": []}},
            "updateStrategy": {"rollingUpdate": {"partition": first}},
        },
    }


def pod(number, revision, ready=True, owner="db", **metadata):
    condition = {"type": "Ready", "status": str(ready)}
    labels = {"crossfade.dev/revision": revision}
    owners = [{"uid": owner}]
    metadata = {"name": f"db-{number}", "labels": labels, "ownerReferences": owners, **metadata}
    return {"metadata": metadata, "status": {"conditions": [condition]}}


@pytest.mark.parametrize(
    ("replicas", "percent", "first"),
    [(10, 0, 10), (10, 5, 9), (10, 50, 5), (10, 100, 0), (3, 34, 1), (1, 1, 0), (0, 50, 0)],
)
def test_the_share_of_pods_that_change_is_rounded_up(replicas, percent, first):
    assert partition(replicas, percent) == first


@given(st.integers(0, 50), st.integers(0, 100), st.integers(0, 100))
def test_a_greater_share_never_takes_a_pod_back(replicas, some, more):
    low, high = sorted((some, more))
    assert partition(replicas, high) <= partition(replicas, low)


def test_no_pod_changes_by_being_installed_and_selectors_stay():
    thing = stateful_set()
    before = deepcopy(thing)
    (made,) = prepare_in_place([thing], "shop", "blue")
    assert thing == before
    assert made["spec"]["updateStrategy"]["rollingUpdate"]["partition"] == NOBODY
    assert scale_of([made]) == 0
    assert made["spec"]["selector"] == {"matchLabels": {"app": "db"}}
    labels = made["spec"]["template"]["metadata"]["labels"]
    assert labels["crossfade.dev/revision"] == "blue"
    assert "crossfade.dev/revision" not in made["metadata"]["labels"], "it would seem to be beside"


def test_a_strategy_that_waits_for_people_is_replaced():
    thing = stateful_set()
    thing["spec"]["updateStrategy"] = {"type": "OnDelete"}
    assert prepare_in_place([thing], "shop", "blue")[0]["spec"]["updateStrategy"]["type"] == (
        "RollingUpdate"
    )


def test_the_pods_that_there_are_now_count_not_those_of_the_chart():
    ((_, patch),) = shifts([stateful_set(replicas=6, first=NOBODY)], 50)
    assert patch["spec"]["updateStrategy"]["rollingUpdate"]["partition"] == 3


def test_a_shift_that_is_cut_short_is_seen_as_not_done_and_one_that_is_done_is_not_repeated():
    live = [stateful_set(name="a", first=NOBODY), stateful_set(name="b", first=NOBODY)]
    for thing, patch in shifts(live, 30):
        assert scale_of(live) == 100
        thing["metadata"].setdefault("annotations", {}).update(patch["metadata"]["annotations"])
        thing["spec"].update(deepcopy(patch["spec"]))
    assert scale_of(live) == 30
    assert list(shifts(live, 30)) == []
    live[0]["metadata"]["annotations"][SCALE] = "30"
    live[0]["spec"]["replicas"] = 30
    assert len(list(shifts(live, 30))) == 1, "it was scaled since"


@pytest.mark.parametrize(
    ("replicas", "first", "asked", "told"),
    [
        (3, 2, 30, 30),
        (6, 4, 30, 30),
        (10, 4, 30, 60),
        (2, 2, 30, 0),
        (3, NOBODY, 0, 0),
        (0, 0, 5, 5),
    ],
)
def test_pods_that_an_autoscaler_adds_are_seen_as_more_than_was_asked_for(
    replicas, first, asked, told
):
    thing = stateful_set(replicas, first)
    thing["metadata"]["annotations"] = {SCALE: str(asked)}
    assert reached(thing) == told


@pytest.mark.parametrize(
    ("first", "pods", "dealt"),
    [
        (0, ["red", "red", "red"], [Part("red", 3, 3)]),
        (2, ["blue", "blue", "red"], [Part("red", 1, 1), Part("blue", 2, 2)]),
        (1, ["blue", "blue", "red"], [Part("red", 2, 1), Part("blue", 1, 2)]),
        (NOBODY, ["blue", "blue", "blue"], [Part("red", 0, 0), Part("blue", 3, 3)]),
        (2, ["blue", "red"], [Part("red", 1, 1), Part("blue", 2, 1)]),
        (0, ["blue", "grey", "red"], [Part("red", 3, 1), Part("blue", 1, 1), Part("grey", 1, 1)]),
    ],
)
def test_pods_are_dealt_over_revisions_by_what_they_really_are(first, pods, dealt):
    found = parts(stateful_set(first=first), [pod(n, name) for n, name in enumerate(pods)])
    assert found == dealt


def test_pods_of_others_and_pods_that_leave_do_not_count():
    others = [
        pod(0, "red", owner="else"),
        pod(1, "red", deletionTimestamp="2026-01-01T00:00:00Z"),
        pod(2, "red", ready=False),
    ]
    assert parts(stateful_set(), others) == [Part("red", 3, 0)]


def test_only_pods_that_never_came_up_and_belong_to_another_revision_are_in_the_way():
    pods = [
        pod(0, "blue", ready=False),
        pod(1, "blue", ready=False),
        pod(2, "blue"),
        pod(3, "red", ready=False),
        pod(4, "blue", ready=False, owner="else"),
    ]
    assert stuck(stateful_set(first=1), pods) == ["db-1"]
