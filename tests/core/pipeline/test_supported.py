"""What cannot be run is refused before anything is, with all reasons at once."""

import pytest

from crossfade.core.pipeline.supported import notices, refusals, ways_out
from crossfade.testing.fake_build import graph_from


def refused(steps, tools=("sh", "git"), allowed=()):
    graph = graph_from({"steps": steps})
    return [str(each) for each in refusals(graph, lambda text: text, tools.__contains__, allowed)]


RUNS = {"image": "alpine", "commands": ["true"]}


def test_what_is_supported_is_not_refused():
    steps = {
        "clone": {"type": "git-clone", "repo": "a/b"},
        "ask": {"type": "pending-approval"},
        "both": {"type": "parallel", "steps": {"x": RUNS, "y": RUNS}},
        "hooked": {**RUNS, "hooks": {"on_finish": ["true"]}},
    }

    assert refused(steps) == []


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ({"type": "github-action", "uses": "a"}, "type github-action"),
        ({"type": "team/thing", "arguments": {}}, "steps of type team/thing are not supported yet"),
        ({**RUNS, "role_arn": "a", "registry_context": "b"}, "`role_arn` is not supported yet"),
        ({"image": "alpine"}, "the entry point of alpine would run, which is not at hand"),
        ({**RUNS, "image": "my/tool"}, "my/tool is neither kept here nor in a known registry"),
        ({**RUNS, "image": "node:20"}, "this machine needs node"),
    ],
)
def test_each_thing_that_cannot_be_run_is_named_with_its_step(step, words):
    (only,) = refused({"odd": step})

    assert "odd" in only
    assert words in only


def test_the_ways_out_are_told_once_and_fit_all_images():
    graph = graph_from(
        {"steps": {"a": {**RUNS, "image": "my/tool"}, "b": {"image": "my/bot"}, "c": RUNS}}
    )
    found = refusals(graph, lambda text: text, {"sh"}.__contains__, ())

    told = ways_out(found)

    assert "--host-image my/tool" in told
    assert "--host-image my/bot" not in told  # no tools of the machine know its entry point
    assert "--runner container" in told
    assert ways_out(each for each in found if not each.image) == ""


def test_tools_that_are_not_there_stand_for_no_image():
    graph = graph_from({"steps": {"a": {**RUNS, "image": "node:20"}}})

    told = ways_out(refusals(graph, lambda text: text, {"sh"}.__contains__, ()))

    assert "--runner container" in told
    assert "--host-image" not in told


def test_all_reasons_are_told_at_once_wherever_they_are():
    odd = {"type": "github-action", "uses": "a"}
    steps = {
        "both": {"type": "parallel", "steps": {"x": odd}},
        "hooked": {**RUNS, "hooks": {"on_fail": {"exec": {"image": "my/tool", "commands": ["a"]}}}},
    }

    assert len(refused(steps)) == 2


def test_an_image_that_an_earlier_step_names_is_looked_at_when_it_is_known():
    assert refused({"odd": {**RUNS, "image": "${{IMAGE}}"}}) == []


def test_an_image_that_is_at_hand_is_run_in_place_of_the_machines_tools():
    graph = graph_from({"steps": {"a": {"image": "my/tool"}, "b": {**RUNS, "image": "node:20"}}})
    at_hand = {"my/tool", "node:20"}.__contains__

    assert refusals(graph, lambda text: text, lambda _: False, (), at_hand) == ()
    assert notices(graph, lambda text: text, (), at_hand) == ()
    (only,) = refusals(graph, lambda text: text, {"sh"}.__contains__, ("node:*",), at_hand)
    assert only.step == "b"  # people want the machine's own, which is not there


def test_an_allowed_image_is_not_refused():
    assert refused({"odd": {**RUNS, "image": "my/tool:1"}}, allowed=("my/*",)) == []


def test_a_notice_names_each_image_once():
    graph = graph_from({"steps": {"a": RUNS, "b": RUNS, "c": {**RUNS, "image": "node:20"}}})

    assert [each.image for each in notices(graph, lambda text: text, ())] == ["alpine", "node:20"]
