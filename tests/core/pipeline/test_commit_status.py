"""What people read beside a commit about its build."""

import pytest

from crossfade.core.pipeline.commit_status import (
    LONGEST_TEXT,
    Mood,
    Report,
    comment_of,
    report_of,
)
from crossfade.core.pipeline.state import BUILD, Phase, Result, State, UnitState


def ended(result, reason="", **steps) -> State:
    units = {BUILD: UnitState(Phase.DONE, result, 10.0, reason, ended=75.0)}
    for key, (own, why) in steps.items():
        units[key] = UnitState(Phase.DONE, own, 10.0, why, ended=20.0)
    return State(units)


@pytest.mark.parametrize(
    ("state", "mood", "text"),
    [
        (State(), Mood.PENDING, "build 7 waits for its turn"),
        (ended(Result.SUCCESS), Mood.SUCCESS, "build 7 succeeded in 1m5s"),
        (ended(Result.FAILURE, "no room"), Mood.FAILURE, "build 7 failed: no room"),
        (
            ended(Result.FAILURE, unit=(Result.FAILURE, "x")),
            Mood.FAILURE,
            "build 7 failed: unit",
        ),
        (ended(Result.TERMINATED, "ended by ann"), Mood.ENDED, "build 7 was ended: ended by ann"),
    ],
)
def test_a_commit_says_in_one_line_how_its_build_stands(state, mood, text):
    assert report_of("7", state) == Report(mood, text)


def test_a_long_reason_is_cut_to_what_is_shown():
    text = report_of("7", ended(Result.FAILURE, "x" * 1000)).text

    assert len(text) == LONGEST_TEXT
    assert text.endswith("…")


def test_a_comment_calls_nobody_and_links_nothing():
    why = "@all see [this](http://x) <img src=x> | a `b`\nsecond"
    text = comment_of(
        "shop/web",
        Report(Mood.FAILURE, "failed"),
        ended(Result.FAILURE, unit=(Result.FAILURE, why)),
    )

    row = text.splitlines()[-1]
    assert row.startswith("| unit | failure | ")
    assert not set("@[]<>`") & set(row)
    assert row.count("|") == 4


def test_a_build_of_very_many_steps_fits_into_a_comment():
    steps = {f"s{n}": (Result.SUCCESS, "") for n in range(80)}

    assert "30 more steps" in comment_of(
        "p", Report(Mood.SUCCESS, "ok"), ended(Result.SUCCESS, **steps)
    )
