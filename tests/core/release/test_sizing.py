"""How many pods a revision runs: any percentage of the chart's own, and back again."""

from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.core.release.sizing import REPLICAS, SCALE, changes, pods, resize, scale_of


def deployment(replicas=None, name="web", kind="Deployment", **annotations):
    spec = {} if replicas is None else {"replicas": replicas}
    return {"kind": kind, "metadata": {"name": name, "annotations": annotations}, "spec": spec}


def autoscaler(least, most, target="web", kind="Deployment"):
    spec = {"scaleTargetRef": {"kind": kind, "name": target}, "maxReplicas": most}
    spec |= {} if least is None else {"minReplicas": least}
    return {"kind": "HorizontalPodAutoscaler", "metadata": {"name": "h"}, "spec": spec}


def patched(things, percent):
    """Return the live objects after the patches, as the API server would have them."""
    things = deepcopy(things)
    workloads = [each for each in things if each["kind"] != "HorizontalPodAutoscaler"]
    scalers = [each for each in things if each["kind"] == "HorizontalPodAutoscaler"]
    order = []
    for thing, patch in changes(workloads, scalers, percent):
        order.append(thing["metadata"]["name"])
        thing["metadata"].setdefault("annotations", {}).update(patch["metadata"]["annotations"])
        thing["spec"].update(patch.get("spec", {}))
    return things, order


@pytest.mark.parametrize(
    ("own", "percent", "wanted"),
    [
        (10, 5, 1),
        (10, 10, 1),
        (10, 11, 2),
        (3, 34, 2),
        (3, 0, 0),
        (0, 50, 0),
        (4, 150, 6),
        (1, 1, 1),
    ],
)
def test_a_share_of_pods_is_rounded_up_so_that_users_find_somebody(own, percent, wanted):
    assert pods(own, percent) == wanted


def test_a_canary_is_rendered_small_and_remembers_the_charts_own_number():
    things = [deployment(10), deployment(None, "one", "StatefulSet")]
    resize(things, 25)
    assert [each["spec"]["replicas"] for each in things] == [3, 1]
    marks = [each["metadata"]["annotations"] for each in things]
    assert marks == [{REPLICAS: "10", SCALE: "25"}, {REPLICAS: "1", SCALE: "25"}]


def test_what_is_no_deployment_or_stateful_set_keeps_its_size():
    things = [
        {"kind": kind, "metadata": {"name": kind}, "spec": {"parallelism": 3}}
        for kind in ("DaemonSet", "Job", "CronJob", "ReplicaSet")
    ]
    before = deepcopy(things)
    resize(things, 10)
    assert [each["spec"] for each in things] == [each["spec"] for each in before]


def test_whatever_workload_is_asked_tells_the_scale_that_was_installed():
    daemon = {"kind": "DaemonSet", "metadata": {"name": "agent"}, "spec": {}}
    things = [deployment(10), daemon, {"kind": "Job", "metadata": {"name": "j"}, "spec": {}}]
    resize(things, 25)
    assert [scale_of([each]) for each in things] == [25, 25, 25]
    assert scale_of(things) == 25


def test_an_autoscaler_is_rendered_with_its_range_scaled_and_its_workload_without_a_number():
    things = [deployment(4), autoscaler(2, 10)]
    resize(things, 25)
    assert "replicas" not in things[0]["spec"]
    assert (things[1]["spec"]["minReplicas"], things[1]["spec"]["maxReplicas"]) == (1, 3)
    assert things[1]["metadata"]["annotations"] == {REPLICAS: "2-10", SCALE: "25"}


def test_an_autoscaler_that_is_installed_again_keeps_the_pods_that_it_wants_now():
    first, again = [[deployment(4), autoscaler(2, 10)] for _ in range(2)]
    resize(first, 25)
    resize(again, 25)
    assert first == again, "nothing for Helm to reset"


def test_an_autoscaler_moves_the_pods_into_its_new_range_and_is_switched_off_at_none():
    live, _ = patched([deployment(8), autoscaler(2, 10)], 25)
    assert (live[0]["spec"]["replicas"], live[1]["spec"]["maxReplicas"]) == (3, 3)
    live, _ = patched(live, 0)
    assert (live[0]["spec"]["replicas"], live[1]["spec"]["minReplicas"]) == (0, 1)
    live, _ = patched(live, 100)
    assert (live[0]["spec"]["replicas"], live[1]["spec"]["minReplicas"]) == (2, 2)
    assert live[1]["spec"]["maxReplicas"] == 10


def test_an_autoscaler_within_its_range_keeps_what_its_load_needs():
    live, _ = patched([deployment(8), autoscaler(2, 10)], 100)
    assert live[0]["spec"]["replicas"] == 8


def test_an_autoscaler_runs_only_what_it_names():
    live, _ = patched([deployment(8), deployment(8, "other"), autoscaler(None, 10)], 50)
    assert live[1]["spec"]["replicas"] == 4
    assert live[2]["metadata"]["annotations"][REPLICAS] == "1-10"


@given(st.lists(st.integers(0, 200), min_size=1, max_size=6), st.integers(0, 20))
def test_any_way_to_a_percentage_ends_at_the_same_number(way, own):
    live = [deployment(own)]
    for percent in way:
        live, _ = patched(live, percent)
    assert live[0]["spec"]["replicas"] == pods(own, way[-1])
    assert scale_of(live) == way[-1]
    assert patched(live, way[-1])[1] == [], "repeating it changes nothing"


def test_a_change_that_is_cut_short_is_seen_as_not_done():
    live = [deployment(4, "a"), deployment(4, "b"), deployment(4, "a", "StatefulSet")]
    for cut in range(3):
        half = deepcopy(live)
        for index, (thing, patch) in enumerate(changes(half, [], 50)):
            if index < cut:
                thing["metadata"]["annotations"].update(patch["metadata"]["annotations"])
        assert scale_of(half) == 100
    assert scale_of(patched(live, 50)[0]) == 50


def test_a_revision_of_daemons_alone_takes_note_of_its_scale_and_keeps_its_pods():
    live, _ = patched([{"kind": "DaemonSet", "metadata": {"name": "d"}, "spec": {}}], 30)
    assert scale_of(live) == 30
    assert live[0]["spec"] == {}


def test_what_was_never_scaled_runs_in_full():
    assert scale_of([]) == 100
    assert scale_of([deployment(3)]) == 100
