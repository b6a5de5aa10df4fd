"""What a person asks for does what it says, and is refused with a hint where it means nothing."""

from dataclasses import replace

import pytest

from crossfade.base.errors import Conflict
from crossfade.core.rollout.commands import Begin, Command, perform, supersede
from crossfade.core.rollout.spec import Approval, SetWeight, Strategy
from crossfade.core.rollout.state import ClusterPhase, Outcome, Phase, Progress, State
from crossfade.testing.builders import CLUSTERS, rollout, stepping

AWS, GCP, ONPREM = CLUSTERS
STEPS = (SetWeight(10), Approval("sure?"), SetWeight(50))


def at(percent, step, **more):
    return rollout(*STEPS, state=stepping(percent, step, **more))


def with_cluster(moving, cluster, progress):
    clusters = {**moving.state.clusters, cluster: progress}
    return replace(moving, state=replace(moving.state, clusters=clusters))


def test_promote_lets_the_current_step_pass_and_ends_a_pause():
    state = perform(at(10, 1, paused=True), Command.PROMOTE).state

    assert (state.passed, state.paused, state.full) == (1, False, False)


def test_promote_is_for_the_foremost_cluster_that_takes_part():
    moving = with_cluster(at(10, 1), AWS, Progress(ClusterPhase.STEPPING, 2, 10))
    moving = with_cluster(moving, GCP, Progress(ClusterPhase.STEPPING, 3, 50, late=True))

    assert perform(moving, Command.PROMOTE).state.passed == 2


@pytest.mark.parametrize("command", [Command.PROMOTE, Command.SKIP])
def test_nothing_can_be_let_past_while_the_next_wave_is_being_installed(command):
    clusters = {
        AWS: Progress(ClusterPhase.DONE, 3, 100),
        GCP: Progress(ClusterPhase.INSTALLING),
    }
    moving = rollout(*STEPS, state=State(Phase.PROGRESSING, clusters, wave=1))

    with pytest.raises(Conflict, match="yellow is still being installed") as error:
        perform(moving, command)
    assert "--full" in error.value.hint


def test_skip_moves_the_hindmost_clusters_and_leaves_late_ones_where_they_are():
    moving = with_cluster(at(10, 1), GCP, Progress(ClusterPhase.STEPPING, 2, 10))
    late = Progress(ClusterPhase.STEPPING, 0, 0, late=True)
    moving = with_cluster(moving, ONPREM, late)
    clusters = perform(moving, Command.SKIP).state.clusters

    assert [clusters[name].step for name in CLUSTERS] == [2, 2, 0]
    assert clusters[ONPREM] == late


def test_there_is_nothing_to_skip_after_the_last_step():
    with pytest.raises(Conflict, match="all steps are over"):
        perform(at(50, 3), Command.SKIP)


@pytest.mark.parametrize("step", [0, 2])
def test_an_approval_is_refused_while_none_is_waited_for(step):
    with pytest.raises(Conflict, match="waits for no approval"):
        perform(at(10, step), Command.APPROVE)


def test_an_approval_may_be_given_as_soon_as_one_cluster_waits_for_it():
    moving = with_cluster(at(10, 0), GCP, Progress(ClusterPhase.STEPPING, 1, 10))
    state = perform(moving, Command.APPROVE).state

    assert (state.approved, state.passed) == (1, -1)


def test_abort_says_why_and_ends_a_pause():
    state = perform(at(10, 1, paused=True), Command.ABORT, "customers call").state

    assert (state.abort, state.paused) == ("customers call", False)
    assert perform(at(10, 1), Command.ABORT).state.abort == "aborted by a person"


@pytest.mark.parametrize("command", [Command.ABORT, Command.RESTART])
def test_the_first_revision_is_not_taken_from_its_users(command):
    first = rollout(*STEPS, stable=None, state=stepping(100, 0))

    with pytest.raises(Conflict) as error:
        perform(first, command)
    assert error.value.hint


def test_a_first_revision_that_nobody_meets_can_be_aborted():
    first = rollout(*STEPS, stable=None, state=stepping(0, 0))

    assert perform(first, Command.ABORT).state.abort


def test_restart_begins_again_and_forgets_that_all_users_were_promised():
    state = perform(at(10, 1, full=True, paused=True), Command.RESTART).state

    assert (state.restart, state.full, state.paused) == (True, False, False)


def test_retry_takes_up_only_what_went_back():
    moving = with_cluster(at(10, 1, without=(GCP,)), GCP, Progress(ClusterPhase.BACK, 1))
    state = perform(moving, Command.RETRY).state

    assert state.clusters[GCP] == Progress(late=True)
    assert state.clusters[AWS] == moving.state.clusters[AWS]
    assert state.without == ()


def test_retry_is_refused_while_nothing_went_back():
    with pytest.raises(Conflict, match="nothing of this rollout has been taken back"):
        perform(at(10, 1), Command.RETRY)


@pytest.mark.parametrize(
    ("outcome", "command", "effect"),
    [
        (Outcome.ROLLED_BACK, Command.RETRY, Begin(again=True)),
        (Outcome.SUCCEEDED, Command.UNDO, Begin(again=False)),
        (Outcome.ROLLED_BACK, Command.UNDO, Begin(again=False)),
        (Outcome.SUCCEEDED, Command.RESTART, Begin(again=False)),
    ],
)
def test_what_is_over_is_followed_by_a_new_rollout(outcome, command, effect):
    assert perform(rollout(state=State(Phase.ENDED, outcome=outcome)), command) == effect


def test_a_superseded_rollout_is_over_and_nobody_meets_it():
    state = supersede(at(50, 2), "colors.2").state

    assert (state.phase, state.outcome, state.reason) == (
        Phase.ENDED,
        Outcome.SUPERSEDED,
        "superseded by colors.2",
    )
    assert not state.meets_users


@pytest.mark.parametrize("command", list(Command))
def test_no_command_moves_users_by_itself(command):
    """Users move only by decisions, which see what the clusters can do."""
    for state in (State(), stepping(10, 1), stepping(50, 3)):
        moving = rollout(strategy=Strategy(STEPS), state=state)
        try:
            after = perform(moving, command)
        except Conflict:
            continue
        assert not isinstance(after, Begin)
        assert after.state.percent == state.percent
        assert after.state.phase is state.phase
