"""Going back is honest: it is over when every cluster has confirmed, and counts them until then."""

from dataclasses import replace

import pytest

from crossfade.core.rollout.spec import SetHeaderRoute
from crossfade.core.rollout.state import ClusterPhase, Outcome, Phase, State
from crossfade.core.traffic.split import HeaderMatch
from crossfade.testing.builders import CLUSTERS, rollout, stepping
from crossfade.testing.rehearsal import Rehearsal

AWS, GCP, ONPREM = CLUSTERS
GONE = {"reachable": False, "converged": False}


def going_back():
    clusters = rollout(state=stepping(0, 0)).state.clusters
    state = State(Phase.ROLLING_BACK, clusters, reason="analysis failed")
    return Rehearsal(rollout(state=state))


def test_a_roll_back_is_no_success_while_a_cluster_is_pending():
    rehearsal = going_back()
    rehearsal.faults[AWS] = GONE
    rehearsal.looks(100, seconds=1e5)
    assert (rehearsal.state.phase, rehearsal.state.outcome) == (Phase.ROLLING_BACK, Outcome.NONE)
    assert rehearsal.state.pending == (AWS,)
    assert rehearsal.state.reason == "analysis failed; rolled back 2/3, pending aws"

    rehearsal.faults.clear()
    rehearsal.look()
    assert rehearsal.state.outcome is Outcome.ROLLED_BACK
    assert rehearsal.state.pending == ()
    assert rehearsal.state.reason == "analysis failed; rolled back 3/3"


def test_a_cluster_that_lags_again_is_pending_again():
    rehearsal = going_back()
    rehearsal.faults = {AWS: GONE, GCP: {"converged": False}}
    assert rehearsal.look().pending == (AWS, GCP)

    rehearsal.faults = {AWS: GONE}
    assert rehearsal.look().pending == (AWS,)


def test_nothing_of_the_new_revision_is_left_in_any_route():
    testers = SetHeaderRoute("testers", (HeaderMatch("x", "1"),))
    state = stepping(50, 1)
    clusters = {
        name: replace(each, headers=(testers,), mirror=20) for name, each in state.clusters.items()
    }
    state = replace(state, clusters=clusters, abort="no")
    rehearsal = Rehearsal(rollout(state=state))

    assert not rehearsal.look().meets_users
    assert {each.phase for each in rehearsal.state.clusters.values()} == {ClusterPhase.BACK}


@pytest.mark.parametrize("outcome", [Outcome.SUCCEEDED, Outcome.ROLLED_BACK, Outcome.SUPERSEDED])
def test_what_has_ended_stays_as_it_is(outcome):
    ended = State(Phase.ENDED, outcome=outcome, reason="it is over")
    rehearsal = Rehearsal(rollout(state=ended))

    assert rehearsal.looks(3) == ended
