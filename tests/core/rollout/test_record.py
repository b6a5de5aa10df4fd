"""What is remembered of an application: who serves, what is kept, what clusters should run."""

from dataclasses import replace

import pytest

from crossfade.core.rollout.record import HISTORY, Kept, advance, next_expiry, wanted_of
from crossfade.core.rollout.state import Decision, Outcome, Phase, State
from crossfade.testing.builders import BLUE, RED, YELLOW, record, revision, rollout

PROMOTED = Decision(State(Phase.ENDED, 100, outcome=Outcome.SUCCEEDED), "done")


@pytest.mark.parametrize(
    ("state", "stable", "shares", "installed"),
    [
        (State(), BLUE, {BLUE.id: 100}, {BLUE.id, YELLOW.id}),
        (State(Phase.PROGRESSING, 10), BLUE, {BLUE.id: 90, YELLOW.id: 10}, {BLUE.id, YELLOW.id}),
        (State(Phase.PROMOTING, 100), BLUE, {YELLOW.id: 100}, {BLUE.id, YELLOW.id}),
        (State(Phase.ROLLING_BACK), BLUE, {BLUE.id: 100}, {BLUE.id}),
        (State(), None, {}, {YELLOW.id}),
        (State(Phase.PROMOTING, 100), None, {YELLOW.id: 100}, {YELLOW.id}),
        (State(Phase.ROLLING_BACK), None, {}, set()),
    ],
)
def test_what_clusters_should_run(state, stable, shares, installed):
    wanted = wanted_of(record(active=stable), rollout(stable=stable, state=state), 10.0)

    assert wanted.shares == shares
    assert {each.id for each in wanted.revisions} == installed


def test_a_promoted_revision_serves_and_the_old_one_is_kept_for_a_swap():
    after, _ = advance(record(active=BLUE), rollout(), PROMOTED, 10.0)

    assert after.active == YELLOW
    assert after.kept == (Kept(BLUE, 610.0),)
    assert {each.id for each in after.wanted.revisions} == {YELLOW.id, BLUE.id}
    assert after.history == (YELLOW,)


def test_a_revision_that_serves_again_is_no_longer_kept():
    kept = replace(record(active=YELLOW), kept=(Kept(BLUE, 99.0),), history=(YELLOW, BLUE))
    swap = replace(rollout(stable=YELLOW, swap=True), canary=BLUE)

    after, _ = advance(kept, swap, PROMOTED, 10.0)

    assert [each.revision for each in after.kept] == [YELLOW]
    assert after.history == (BLUE, YELLOW)


def test_a_kept_revision_is_removed_when_its_time_is_over():
    kept = replace(record(active=YELLOW), kept=(Kept(BLUE, 50.0),))

    assert {each.id for each in wanted_of(kept, None, 49.0).revisions} == {YELLOW.id, BLUE.id}
    assert {each.id for each in wanted_of(kept, None, 50.0).revisions} == {YELLOW.id}
    assert (next_expiry(kept, 49.0), next_expiry(kept, 50.0)) == (1.0, None)


def test_a_rollback_leaves_who_served():
    back = Decision(State(Phase.ENDED, outcome=Outcome.ROLLED_BACK), "bad")

    after, ended = advance(record(active=BLUE), rollout(), back, 10.0)

    assert after.active == BLUE
    assert after.wanted.shares == {BLUE.id: 100}
    assert ended.state.reason == "bad"


def test_history_is_remembered_up_to_a_limit():
    remembered = record(active=BLUE)
    for number in range(HISTORY + 5):
        moved = replace(rollout(), canary=revision(f"r{number}"))
        remembered, _ = advance(remembered, moved, PROMOTED, 10.0)

    assert len(remembered.history) == HISTORY
    assert remembered.known(RED.id) is None
    assert remembered.known(revision("r14").id) == revision("r14")
