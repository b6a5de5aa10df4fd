"""`crossfade demo`, without the clouds: what it says, how it exits, what it leaves behind."""

from pathlib import Path

import pytest

from crossfade.base.errors import Conflict
from crossfade.cli import demo
from crossfade.sandbox.demo import acts, verdicts
from crossfade.sandbox.demo.record import Act, Record
from crossfade.sandbox.load_figures import Figures

wished = []


@pytest.fixture
def played(monkeypatch):
    """Run the demo with a record that is given, and note the state folders it was given."""
    folders = []

    def play(record):
        async def perform(state_dir: Path, _, wishes, *__):
            folders.append(state_dir)
            wished.append(wishes)
            assert state_dir.is_dir()
            if isinstance(record, Exception):
                raise record
            return record

        monkeypatch.setattr(demo, "_perform", perform)
        return folders

    return play


def record(*held, trouble=""):
    made = Record(Figures(), trouble=trouble)
    made.acts = [Act(1, "one", 0.0, 1.0)]
    for number, each in enumerate(held):
        made.acts[0].claim(f"promise {number}", each, "measured")
    return made


def test_a_demo_that_keeps_its_promises_leaves_nothing_behind(crossfade, played):
    folders = played(record(True, True))
    ran = crossfade("demo")

    assert (ran.code, ran.out) == (0, "")
    assert not folders[0].exists()


def test_programs_get_the_record(crossfade, played):
    played(record(True))
    ran = crossfade("demo", "-o", "json")

    assert ran.data["ok"] is True
    assert ran.data["acts"][0]["claims"] == [
        {"claim": "promise 0", "held": True, "measured": "measured"}
    ]


def test_a_broken_promise_is_an_error_and_the_log_stays(crossfade, played):
    folders = played(record(True, False))
    ran = crossfade("demo", "-o", "json")

    assert ran.code == 7
    assert ran.data["ok"] is False
    assert f"{folders[0]}/hub.log" in ran.err
    assert folders[0].is_dir()
    folders[0].rmdir()


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (record(True, False), "promises: promise 1\n"),
        (record(True, trouble="waited 40 s for gcp"), "promises: waited 40 s for gcp\n"),
        (record(*[False] * 6, trouble="the hub died"), "promises: the hub died; promise 0; "),
    ],
)
def test_what_went_wrong_is_told_first_why_it_ended(crossfade, played, made, said):
    folders = played(made)
    ran = crossfade("demo")

    assert ran.code == 7
    assert said in ran.err
    folders[0].rmdir()


def test_a_demo_that_cannot_begin_leaves_nothing_behind(crossfade, played):
    folders = played(Conflict("no free ports were found", hint="choose them with `--port-base`"))
    ran = crossfade("demo")

    assert ran.code == 5
    assert "--port-base" in ran.err
    assert not folders[0].exists()


def test_verdicts_are_played_when_they_are_asked_for(crossfade, played):
    played(record(True))
    crossfade("demo")
    crossfade("demo", "--verdicts", "--keep")

    assert wished[-2].programme() is acts.PROGRAMME
    assert wished[-1].programme() is verdicts.PROGRAMME
    assert (wished[-2].keep, wished[-1].keep) == (False, True)


def test_each_demo_has_a_folder_of_its_own(crossfade, played):
    folders = played(record(True))
    crossfade("demo")
    crossfade("demo")

    assert folders[0] != folders[1]
