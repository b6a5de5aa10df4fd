"""A rollout as people and programs see it."""

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from crossfade.base.errors import RolloutFailed
from crossfade.cli import rollout_view
from crossfade.cli.output import Format
from crossfade.core.rollout.spec import Pause, SetWeight
from crossfade.core.rollout.state import Outcome, Phase
from crossfade.engine.queries import AnalysisView, ClusterView, RolloutView
from crossfade.testing.builders import rollout, stepping

STEPS = (SetWeight(10), Pause(), SetWeight(50), Pause(90.0))
AT_TEN = stepping(10, 1, reason="paused at 10 % until promoted")
DONE = replace(
    stepping(100, 4, outcome=Outcome.SUCCEEDED, reason="yellow serves all users"), phase=Phase.ENDED
)


def view(state, **changes):
    clusters = (
        ClusterView("aws", "healthy", 10, "3/3", "3/3", 50.0, "", "stepping"),
        ClusterView("gcp", "lost", None, "", "", 0.0, "no answer", "waiting"),
    )
    return RolloutView(replace(rollout(*STEPS, state=state), **changes), clusters)


async def stream(*views):
    for each in views:
        yield each


def test_the_current_step_is_marked_until_the_end():
    assert rollout_view.steps_text(view(AT_TEN).rollout) == "10 % > [pause] > 50 % > 90 s > all"
    assert rollout_view.steps_text(view(DONE).rollout) == "10 % > pause > 50 % > 90 s > all"


def test_the_head_says_from_what_to_what_how_far_and_why():
    assert rollout_view.head_text(view(AT_TEN)).splitlines() == [
        "colors.1: blue -> yellow  progressing at 10 %",
        "steps: 10 % > [pause] > 50 % > 90 s > all",
        "paused at 10 % until promoted",
    ]
    assert "nothing -> yellow" in rollout_view.head_text(view(AT_TEN, stable=None))


def test_all_of_one_wave_is_not_shown_as_all_users():
    first, *others = AT_TEN.clusters
    done = replace(AT_TEN.clusters[first], percent=100.0)
    behind = {each: replace(AT_TEN.clusters[each], percent=0.0) for each in others}
    waves = view(replace(AT_TEN, clusters={first: done, **behind}))

    assert "progressing at 0-100 %" in rollout_view.head_text(waves)
    assert " 0-100 % " in rollout_view.list_text((waves.rollout,))


def test_what_its_author_may_not_expect_is_told_while_it_is_under_way():
    remark = "wave 1 (asw) has none of the application's clusters"
    noted = replace(view(AT_TEN), remarks=(remark,))
    over = replace(view(DONE), remarks=(remark,))

    assert rollout_view.head_text(noted).splitlines()[-1] == f"note: {remark}"
    assert rollout_view.view_data(noted)["remarks"] == [remark]
    assert "note:" not in rollout_view.head_text(over)


def test_a_cluster_that_confirms_nothing_is_told_from_one_at_zero():
    header, aws, gcp = rollout_view.clusters_text(view(AT_TEN)).splitlines()

    assert header.split()[:4] == ["CLUSTER", "PHASE", "HEALTH", "USERS"]
    assert aws.split() == ["aws", "stepping", "healthy", "50", "%", "10", "%", "3/3", "3/3", "-"]
    assert gcp.split() == ["gcp", "waiting", "lost", "0", "%", "-", "-", "-", "no", "answer"]


def test_a_list_never_shows_more_steps_than_there_are():
    after_last = replace(stepping(100, 5), phase=Phase.ENDED, outcome=Outcome.SUCCEEDED)

    assert " 4/4 " in rollout_view.list_text((view(after_last).rollout,))


async def test_lines_are_printed_once_for_each_change_that_people_can_see(capsys):
    again = view(replace(AT_TEN, phase_since=5.0))
    await rollout_view.follow(stream(view(AT_TEN), again, view(DONE)), Format.TEXT)

    assert capsys.readouterr().out.splitlines() == [
        "colors: progressing 10 % paused at 10 % until promoted",
        "colors: succeeded 100 % yellow serves all users",
    ]


async def test_programs_get_one_object_a_line(capsys):
    await rollout_view.follow(stream(view(AT_TEN), view(DONE)), Format.JSON)
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())

    assert (first["phase"], second["outcome"]) == ("progressing", "succeeded")
    assert first["clusters"][1] == {
        "cluster": "gcp",
        "health": "lost",
        "percent": None,
        "canary_pods": "",
        "stable_pods": "",
        "user_percent": 0.0,
        "trouble": "no answer",
        "phase": "waiting",
    }


def test_people_see_what_the_judge_knows_and_what_it_has_cost():
    known = AnalysisView(200, 3, 2.5, 100.0, 3.4, 300.0, {"errors": (0.8, None)}, "watching")
    head = rollout_view.head_text(replace(view(AT_TEN), analysis=known))

    assert head.splitlines()[-1] == (
        "analysis: 3 of 200 requests failed, 3 of 300 harmed, evidence 2.5 of 100; errors 0.8-?x"
    )


@pytest.mark.parametrize("outcome", [Outcome.ROLLED_BACK, Outcome.SUPERSEDED])
@pytest.mark.parametrize("output", Format)
async def test_what_did_not_succeed_is_an_error_for_scripts(outcome, output):
    with pytest.raises(RolloutFailed) as raised:
        await rollout_view.follow(stream(view(replace(DONE, outcome=outcome))), output)
    assert outcome.value in raised.value.what
    assert raised.value.exit_code == 7


async def test_a_terminal_gets_a_picture_that_ends_with_the_last_state(monkeypatch, capsys):
    text = io.StringIO()
    console = Console(file=text, force_terminal=True, width=100)
    monkeypatch.setattr("rich.live.get_console", lambda: console)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    await rollout_view.follow(stream(view(AT_TEN), view(DONE)), Format.TEXT)

    assert "succeeded at 100 %" in text.getvalue()
    assert "gcp" in text.getvalue()
