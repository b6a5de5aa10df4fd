"""Services of the whole build: when they begin, what waits for them, and when they are gone."""

import pytest

from crossfade.core.pipeline.run import decide, restarted, runs
from crossfade.core.pipeline.serving import MOST_LOSSES, beside
from crossfade.core.pipeline.state import RunSight, Seen, Status
from crossfade.core.pipeline.why import why
from crossfade.testing.fake_build import FakeBuild, graph_from, step

SERVICES = {"name": "data", "composition": {"db": {"image": "postgres"}}}
CLONE = {"type": "git-clone", "repo": "a/b"}
HANG, LOST, FAIL = Status.RUNNING, Status.LOST, Status.FAILED


def build_of(steps, ends=None, **more):
    return FakeBuild({"steps": steps, "services": SERVICES, **more}, ends)


def wanted(build):
    return [each.key for each in runs(build.graph, build.state)]


def test_services_begin_with_the_first_step_that_needs_them_and_end_with_the_build():
    build = build_of({"clone": CLONE, "test": step(), "again": step()})
    seen = []
    for _ in range(30):
        build.look()
        seen.append(wanted(build))
        if build.state.ended:
            break

    assert build.started == ["clone", "services", "test", "again"]
    assert seen[0] == ["clone"]
    assert ["services"] in seen, "the step waits until they are ready"
    assert ["test", "services"] in seen
    assert (build["build"], build["services"]) == ("success", "success")
    assert build.state.services == ""


def test_a_build_has_not_ended_before_its_services_are_gone():
    build = build_of({"test": step()})
    while build["build"] != "success":
        build.look()
    build.seen = Seen({"services": RunSight(1, Status.SERVING)})
    build.look()
    assert build["build"] == "success"
    assert (build.state.ended, build.state.result) == (False, "running")

    build.play()

    assert (build.state.ended, build.state.result) == (True, "success")


def test_a_build_that_needs_no_services_starts_none():
    build = build_of({"clone": CLONE, "image": {"type": "build", "image_name": "a"}}).play()

    assert build.started == ["clone", "image"]
    assert build["services"] == "skipped"
    assert why(build.graph, build.state, "services")[1] == "no step needed them"


def test_services_that_never_get_ready_fail_what_needs_them_and_no_hook():
    hooks = {"on_fail": ["tell"]}
    build = build_of({"clone": CLONE, "test": step()}, {"services": FAIL}, hooks=hooks).play()

    assert (build["build"], build["test"], build["services"]) == ("failure", *["failure"] * 2)
    assert build.started == ["clone", "services", "@on_fail/on_fail"]
    assert "its services are not there" in build.state.units["test"].reason


def test_a_step_that_may_fail_fails_alone_when_services_are_not_there():
    steps = {"test": step(fail_fast=False), "clone": CLONE}
    build = build_of(steps, {"services": FAIL}).play()

    assert (build["build"], build["test"], build["clone"]) == ("success", "failure", "success")


def test_lost_services_start_anew_while_steps_under_way_go_on_and_others_wait():
    steps = {"a": step(), "b": step()}
    build = build_of(steps, {"a": HANG, "b": HANG}, mode="parallel")
    for _ in range(3):
        build.look()
    assert wanted(build) == ["a", "b", "services"]

    build.seen = Seen({**build.seen.runs, "services": RunSight(1, LOST)})
    build.look()

    assert wanted(build) == ["a", "b", "services"], "who runs already is not held up"
    assert build.state.units["services"].run == 2
    build.seen = Seen({"a": RunSight(1, LOST), "services": RunSight(2, HANG)})
    build.look()
    assert wanted(build) == ["b", "services"], "a new run waits"
    assert "waits for services" in why(build.graph, build.state, "a")[1]
    build.seen = Seen({"services": RunSight(2, Status.SERVING)})
    build.look()
    assert wanted(build) == ["a", "b", "services"]


def test_services_that_are_lost_each_time_fail_in_the_end():
    build = build_of({"test": step()}, {"services": LOST}).play()

    assert build["build"] == "failure"
    assert build.started.count("services") == MOST_LOSSES + 1


def test_the_time_of_a_step_begins_when_its_services_are_ready():
    build = build_of({"test": step(timeout="1m")}, {"services": HANG})
    build.look()
    build.look()
    assert build.wake_at is None
    build.now = 300.0
    build.look()
    assert build["test"] == "running"

    build.seen = Seen({"services": RunSight(1, Status.SERVING)})
    build.look()

    assert build.wake_at == 360.0


def test_a_build_that_is_ended_while_services_begin_leaves_none():
    build = build_of({"test": step()}, {"services": HANG})
    build.look()
    build.look(terminate="enough")
    assert (wanted(build), build.state.result) == ([], "terminating")
    build.play()

    assert (build.state.result, build["services"]) == ("terminated", "terminated")
    assert build.started == ["services"]


def test_a_build_that_is_restarted_starts_its_services_anew():
    build = build_of({"a": step(), "b": step()}, {"b": FAIL}).play()
    state = restarted(build.graph, build.state, 9.0)
    decision = decide(build.graph, state, Seen(), 9.0)

    assert decision.want.units["a"].result == "success"
    assert [each.key for each in runs(build.graph, decision.want)] == ["services"]


@pytest.mark.parametrize(
    ("steps", "key", "found"),
    [
        ({"a": step()}, "a", 1),
        ({"a": step(hooks={"on_finish": ["x"]})}, "a@on_finish/on_finish", 1),
        ({"a": step(), "b": {"type": "build", "image_name": "x"}}, "b", None),
        ({"a": step(), "b": CLONE}, "b", None),
    ],
)
def test_which_steps_find_services(steps, key, found):
    build = build_of(steps, {"a": HANG})
    for _ in range(3):
        build.look()

    assert beside(build.graph, build.state, key) == found


def test_a_step_may_be_called_services():
    graph = graph_from({"steps": {"services": step()}, "services": SERVICES})

    assert graph.services == "+services"
    assert graph.units["services"].step.type == "freestyle"
