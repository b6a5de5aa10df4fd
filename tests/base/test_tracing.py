"""Work is taken down where it belongs, and nothing at all is done when nobody asks for it."""

import asyncio

import pytest

from crossfade.base import tracing
from crossfade.base.errors import NotFound
from crossfade.testing.fake_recorder import FakeRecorder

PARENT = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"


@pytest.fixture
def recorder():
    recorder = FakeRecorder()
    with tracing.recorded(recorder):
        yield recorder


def test_without_a_recorder_work_has_no_place_of_its_own_and_hands_on_that_of_its_parent():
    with tracing.span("work") as work:
        work.put({"a": 1})
        work.note("happened", {})
        assert tracing.current() == ""
        assert tracing.carried() == {}
        assert tracing.begun("later") is None
    with tracing.span("work", parent=PARENT):
        assert tracing.carried() == {"traceparent": PARENT}
    assert tracing.current() == ""


def test_work_belongs_to_what_it_is_begun_in(recorder):
    with tracing.span("outer", parent=PARENT) as outer:
        with tracing.span("inner"):
            pass
        later = tracing.begun("later")
    later.end()

    names = [each.name for each in recorder.ended]
    assert names == ["inner", "outer", "later"]
    assert recorder.named("outer").parent == PARENT
    assert recorder.named("inner").parent == recorder.named("later").parent == outer.traceparent


async def test_tasks_belong_to_what_they_are_started_in(recorder):
    async def work():
        with tracing.span("task"):
            await asyncio.sleep(0)

    with tracing.span("outer") as outer:
        async with asyncio.TaskGroup() as group:
            group.create_task(work())
            group.create_task(work())

    assert [each.parent for each in recorder.ended[:2]] == [outer.traceparent] * 2


def test_a_quiet_look_that_finds_all_as_it_should_be_is_not_taken_down(recorder):
    with tracing.span("look", parent="").quietly():
        tracing.belongs_to(PARENT, application="colors")

    assert recorder.ended == []


@pytest.mark.parametrize("what", ["note", "child", "failure"])
def test_a_quiet_look_is_taken_down_once_something_comes_of_it(recorder, what):
    try:
        with tracing.span("look", parent="").quietly():
            tracing.belongs_to(PARENT)
            if what == "note":
                tracing.note("saved", reason="r")
            elif what == "child":
                with tracing.span("child"):
                    pass
            else:
                raise NotFound("there is no such thing", hint="look again")
    except NotFound:
        pass

    look = recorder.named("look")
    assert look.parent == PARENT
    assert look.failure == ("there is no such thing" if what == "failure" else "")
    assert len(look.notes) == (what == "note")


def test_what_an_unknown_error_says_is_not_taken_down_as_it_may_have_a_secret(recorder):
    with pytest.raises(RuntimeError), tracing.span("work"):
        raise RuntimeError("token=hunter2")

    assert recorder.named("work").failure == "RuntimeError"


async def test_what_was_cancelled_has_not_failed(recorder):
    async def work():
        with tracing.span("work"):
            await asyncio.sleep(60)

    async with asyncio.TaskGroup() as group:
        task = group.create_task(work())
        await asyncio.sleep(0)
        task.cancel()

    assert recorder.named("work").failure == ""


@pytest.mark.parametrize(
    ("text", "good"),
    [
        pytest.param(PARENT, True, id="as-it-should-be"),
        pytest.param(f" {PARENT}\n", True, id="with-blanks"),
        pytest.param("cc" + PARENT[2:] + "-more", True, id="a-later-version"),
        pytest.param("ff" + PARENT[2:], False, id="a-version-that-never-is"),
        pytest.param(PARENT + "-more", False, id="too-long"),
        pytest.param(PARENT.replace("a", "0"), False, id="no-trace"),
        pytest.param(PARENT.replace("b", "0"), False, id="no-parent"),
        pytest.param(PARENT.upper(), False, id="capitals"),
        pytest.param("$(rm -rf /)", False, id="anything-else"),
        pytest.param("", False, id="nothing"),
    ],
)
def test_only_what_is_a_place_is_adopted(text, good):
    assert bool(tracing.valid(text)) == good


async def test_a_traced_method_has_its_first_argument_as_a_fact(recorder):
    class Thing:
        @tracing.traced("deploy", of="application")
        async def deploy(self, name, number):
            return f"{name}{number}"

    assert await Thing().deploy("colors", 1) == "colors1"
    assert recorder.named("deploy").facts == {"application": "colors"}
