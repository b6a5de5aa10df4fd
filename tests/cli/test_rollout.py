"""`crossfade rollout`"""

import json

import pytest

from crossfade.core.rollout.spec import Pause, SetWeight
from crossfade.core.rollout.state import Phase
from crossfade.testing.builders import application

CLUSTER = {
    "cluster", "health", "percent", "canary_pods", "stable_pods", "user_percent", "trouble", "phase",
}  # fmt: skip
ROLLOUT = {
    "application", "number", "revision", "stable", "phase", "percent", "step", "steps", "paused",
    "outcome", "pending", "reason", "started_at",
}  # fmt: skip


@pytest.fixture
def bad(world):
    """A rollout that was rolled back."""
    world.deploy(colour="blue")
    begun = world.begin(colour="red")
    world.world.error_rates[begun.canary.id] = 0.9
    return world.turn_until(lambda rollout: not rollout.active)


@pytest.fixture
def paused(world):
    """A rollout that waits for a person."""
    world.run(lambda w: w.commands.apply(application(SetWeight(10), Pause(), SetWeight(50))))
    world.deploy(colour="blue")
    world.begin(colour="yellow")
    return world.turn_until(lambda rollout: "until promoted" in rollout.state.reason)


def test_a_script_that_waits_for_a_bad_rollout_fails(crossfade, bad):
    ran = crossfade("rollout", "watch", "colors")

    assert ran.code == 7
    assert ran.out.startswith("colors: rolled-back 0 % analysis failed: ")
    assert "error: rollout colors.2 was rolled-back (reason=analysis failed" in ran.err
    assert "hint: `crossfade rollout why colors`" in ran.err


def test_a_script_that_waits_for_a_good_rollout_goes_on(crossfade, world):
    world.deploy(colour="blue")
    ran = crossfade("rollout", "watch", "colors", "-o", "json")
    (line,) = ran.out.splitlines()
    data = json.loads(line)

    assert ran.code == 0
    assert set(data) == ROLLOUT | {"clusters", "analysis", "remarks"}
    assert [set(cluster) for cluster in data["clusters"]] == [CLUSTER] * 3
    assert (data["outcome"], data["percent"]) == ("succeeded", 100)


def test_errors_are_json_for_programs_that_read_json(crossfade, bad):
    ran = crossfade("rollout", "watch", "colors", "-o", "json")

    assert json.loads(ran.out)["outcome"] == "rolled-back"
    assert '"code": "rollout-failed"' in ran.err
    assert '"exit_code": 7' in ran.err


def test_the_list_shows_the_newest_of_each_or_all_of_one(crossfade, bad):
    newest = crossfade("rollout", "list", "-o", "json").data["rollouts"]
    every = crossfade("rollout", "list", "colors", "-o", "json").data["rollouts"]
    text = crossfade("rollout", "list", "colors")

    assert [set(each) for each in every] == [ROLLOUT, ROLLOUT]
    assert [each["number"] for each in newest] == [2]
    assert [(each["number"], each["outcome"]) for each in every] == [
        (2, "rolled-back"),
        (1, "succeeded"),
    ]
    first, second = text.out.splitlines()[1:]
    assert first.split()[0] == "colors.2"
    assert "requests failed" in first
    assert second.split()[2] == "succeeded"


def test_before_the_first_rollout_the_list_says_so(crossfade, world):
    assert crossfade("rollout", "list").out == "no rollout yet\n"
    assert crossfade("rollout", "list", "-o", "json").data == {"rollouts": []}


@pytest.mark.parametrize("command", ["watch", "promote", "pause", "resume", "abort", "undo"])
def test_an_unknown_application_is_told(crossfade, world, command):
    ran = crossfade("rollout", command, "nothing")

    assert (ran.code, ran.out) == (3, "")
    assert "there is no application `nothing`" in ran.err


def test_what_is_over_cannot_be_steered(crossfade, bad):
    for command in ("promote", "pause", "resume", "abort"):
        ran = crossfade("rollout", command, "colors")

        assert (ran.code, ran.out) == (5, "")
        assert f"cannot {command} rollout colors.2: it is over (rolled-back)" in ran.err


def test_a_person_holds_lets_go_and_promotes(crossfade, world, paused):
    held = crossfade("rollout", "pause", "colors", "-o", "json")
    freed = crossfade("rollout", "resume", "colors", "-o", "json")
    assert (held.data["paused"], freed.data["paused"]) == (True, False)
    assert set(held.data) == ROLLOUT
    assert "no hub runs" in held.err
    assert crossfade("rollout", "pause", "colors").out == "rollout colors.2: paused\n"

    ran = crossfade("rollout", "promote", "colors")
    assert (ran.code, ran.out) == (0, "rollout colors.2: progressing\n")
    assert world.turn_until(lambda rollout: rollout.state.percent == 50)


def test_full_promotion_skips_what_is_left(crossfade, world, paused):
    assert crossfade("rollout", "promote", "--full", "colors").code == 0
    ended = world.turn_until(lambda rollout: rollout.state.phase is not Phase.PROGRESSING)

    assert ended.state.percent == 100


def test_abort_takes_the_users_back(crossfade, world, paused):
    ran = crossfade("rollout", "abort", "colors")

    assert (ran.code, ran.out) == (0, "rollout colors.2: aborted by a person\n")
    assert world.turn_until(lambda rollout: not rollout.active).state.percent == 0
    assert crossfade("rollout", "watch", "colors").code == 7


def test_undo_swaps_back_and_refuses_what_it_cannot(crossfade, world):
    first = world.deploy(colour="blue")
    none = crossfade("rollout", "undo", "colors")
    world.deploy(colour="yellow")
    unknown = crossfade("rollout", "undo", "colors", "--to", "rnothing")
    ran = crossfade("rollout", "undo", "colors", "-o", "json")
    again = crossfade("rollout", "undo", "colors")

    assert (none.code, unknown.code, ran.code, again.code) == (3, 3, 0, 5)
    assert "no older revision" in none.err
    assert first.canary.id in unknown.err
    assert ran.data["revision"] == first.canary.id
    assert "under way" in again.err
