"""The table of commands tells the truth: every cell is performed, and its words are watched."""

from dataclasses import replace

import pytest

from crossfade.base.errors import Conflict
from crossfade.core.analysis.judgement import Verdict
from crossfade.core.rollout.command_table import TABLE, Answer, Standing, effect, standing
from crossfade.core.rollout.commands import Begin, Command, perform
from crossfade.core.rollout.spec import Approval, Deadlines, SetWeight, Strategy
from crossfade.core.rollout.state import ClusterPhase, Outcome, Phase, Progress, State
from crossfade.testing.builders import CLUSTERS, judgement, rollout, stepping
from crossfade.testing.rehearsal import Rehearsal

AWS, GCP, ONPREM = CLUSTERS
STEPS = (SetWeight(10), Approval("sure?"), SetWeight(50))
BACK = Progress(ClusterPhase.BACK, 1)
CELLS = [(command, where) for command in Command for where in Standing]


def state_at(where: Standing) -> State:
    installing = dict.fromkeys(CLUSTERS, Progress(ClusterPhase.INSTALLING, scale=10))
    match where:
        case Standing.INSTALLING:
            return State(clusters=installing)
        case Standing.PROGRESSING | Standing.PAUSED:
            return stepping(10, 1, paused=where is Standing.PAUSED)
        case Standing.PROMOTING:
            return replace(stepping(100, 3, None), phase=Phase.PROMOTING)
        case Standing.ROLLING_BACK:
            return State(Phase.ROLLING_BACK, dict.fromkeys(CLUSTERS, BACK), reason="bad")
        case _:
            outcome = Outcome(where.value)
            return State(Phase.ENDED, outcome=outcome, reason="it is over")


def standing_at(where, command=None):
    """A rehearsal of a rollout that stands there; one cluster went back if that is what it takes."""
    state = state_at(where)
    if command is Command.RETRY and where in {
        Standing.PROGRESSING,
        Standing.PAUSED,
        Standing.PROMOTING,
    }:
        state = replace(state, clusters={**state.clusters, GCP: BACK})
    strategy = Strategy(STEPS, deadlines=Deadlines(ready_seconds=60.0))
    rehearsal = Rehearsal(rollout(strategy=strategy, state=state))
    rehearsal.judgement = judgement(Verdict.UNKNOWN)
    return rehearsal


def test_the_table_has_a_cell_for_every_command_everywhere():
    assert set(TABLE) == set(Command)
    assert all(set(row) == set(Standing) for row in TABLE.values())


@pytest.mark.parametrize("where", list(Standing))
def test_a_rollout_is_looked_up_where_it_stands(where):
    assert standing(state_at(where)) is where


@pytest.mark.parametrize(("command", "where"), CELLS)
def test_every_cell_is_of_the_kind_that_it_says(command, where):
    moving = standing_at(where, command).rollout
    answer = effect(command, where).answer
    if answer is Answer.REFUSED:
        with pytest.raises(Conflict) as error:
            perform(moving, command)
        assert error.value.hint
    else:
        begins = isinstance(perform(moving, command), Begin)
        assert begins is (answer is Answer.NEW_ROLLOUT)


def performed(command, where):
    rehearsal = standing_at(where, command)
    before = rehearsal.state
    rehearsal.rollout = perform(rehearsal.rollout, command, "no")
    return rehearsal, before


def holds(rehearsal, before):
    rehearsal.judgement = judgement(Verdict.PASS)
    rehearsal.looks(30)
    assert rehearsal.state.clusters == before.clusters
    rehearsal.judgement = judgement(Verdict.FAIL)
    if before.percent:
        assert rehearsal.look().phase is Phase.ROLLING_BACK
    else:
        rehearsal.rollout = perform(rehearsal.rollout, Command.RESUME)
        assert rehearsal.looks(3).clusters != before.clusters


def changes_nothing(rehearsal, before):
    assert rehearsal.state == before


def promises_no_more(rehearsal, before):
    assert replace(rehearsal.state, full=False) == before
    assert rehearsal.looks(10).outcome is Outcome.SUCCEEDED


def goes_on(rehearsal, before):
    assert replace(rehearsal.state, paused=False) == replace(before, paused=False)
    assert not rehearsal.state.paused
    assert "waiting at 10 % for an approval" in rehearsal.look().reason


def passes_the_step(rehearsal, _):
    rehearsal.looks(5)
    assert (rehearsal.state.step, rehearsal.state.percent) == (2, 10), "and no other one"


def gives_all(rehearsal, _):
    assert rehearsal.looks(20).outcome is Outcome.SUCCEEDED
    assert not any("50 %" in each for each in rehearsal.reasons)


def leaves_out(rehearsal, before):
    assert rehearsal.state.step == before.step + 1
    assert rehearsal.state.paused == before.paused
    rehearsal.looks(5)
    assert (rehearsal.state.step, rehearsal.state.percent) == (2, 10)


def gives_the_approval(rehearsal, before):
    assert rehearsal.state.paused == before.paused
    rehearsal.looks(5)
    assert rehearsal.state.step == (1 if before.paused else 2)


def takes_back(rehearsal, _):
    rehearsal.look()
    assert (rehearsal.state.phase, rehearsal.state.percent) == (Phase.ROLLING_BACK, 0)
    assert rehearsal.looks(3).outcome is Outcome.ROLLED_BACK


def tries_again(rehearsal, before):
    assert rehearsal.state.paused == before.paused
    assert rehearsal.at(GCP).late
    rehearsal.looks(3)
    if before.paused:
        assert rehearsal.at(GCP).phase is ClusterPhase.WAITING
        rehearsal.rollout = perform(rehearsal.rollout, Command.RESUME)
    rehearsal.looks(5)
    assert rehearsal.at(GCP).percent == before.percent


def gets_its_whole_time(rehearsal, _):
    rehearsal.faults = {name: {"canary_ready": False} for name in CLUSTERS}
    rehearsal.look(50.0)
    assert rehearsal.look(50.0).phase is Phase.INSTALLING
    assert rehearsal.look(50.0).phase is Phase.ROLLING_BACK


def begins_with_the_first_step(rehearsal, _):
    rehearsal.look()
    assert (rehearsal.state.step, rehearsal.state.percent, rehearsal.state.paused) == (0, 0, False)
    assert rehearsal.looks(10).percent == 10


WATCHED = {
    "holds until `resume`; a bad verdict or a deadline still takes users back": holds,
    "changes nothing: it is paused already": changes_nothing,
    "changes nothing: it is not paused": changes_nothing,
    "changes nothing: all users are being moved already": promises_no_more,
    "goes on; the time since `pause` counts for no pause of a step": goes_on,
    "lets the step pass that it waits at, without a verdict": passes_the_step,
    "goes on, and lets the step pass that it waits at": passes_the_step,
    "gives it all users once it is ready, without any step": gives_all,
    "gives it all users, without any further step": gives_all,
    "goes on, and gives it all users, without any further step": gives_all,
    "leaves the present step out; refused after the last one": leaves_out,
    "leaves the present step out, and stays paused": leaves_out,
    "gives the approval that is waited for; refused without one": gives_the_approval,
    "gives the approval that is waited for, and stays paused": gives_the_approval,
    "takes it off the clusters; no user has met it": takes_back,
    "gives all users back to the stable revision; refused for a first one with users": takes_back,
    "tries again the clusters that went back alone; refused when there are none": tries_again,
    "tries again, after `resume`, the clusters that went back alone": tries_again,
    "gives it its whole time to become ready again": gets_its_whole_time,
    "takes users back, then begins with the first step; refused where users move at once": (
        begins_with_the_first_step
    ),
    "goes on: takes users back, then begins with the first step; refused where users move at once": (
        begins_with_the_first_step
    ),
}
DONE = [each for each in CELLS if effect(*each).answer is Answer.DONE]


@pytest.mark.parametrize(("command", "where"), DONE)
def test_every_command_does_what_its_cell_says(command, where):
    rehearsal, before = performed(command, where)

    WATCHED[effect(command, where).words](rehearsal, before)


@pytest.mark.parametrize(
    ("command", "where"), [each for each in CELLS if effect(*each).answer is Answer.NEW_ROLLOUT]
)
def test_a_new_rollout_has_the_revision_that_the_cell_says(command, where):
    got = perform(standing_at(where).rollout, command)

    assert got == Begin(again="same revision" in effect(command, where).words)
