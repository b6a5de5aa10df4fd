"""Whoever opens the page learns what waits for a person, and nothing that does not."""

from dataclasses import replace

import pytest

from crossfade.core.failover.evidence import Condition
from crossfade.core.failover.failback import Failback
from crossfade.core.failover.failback import Phase as Return
from crossfade.core.failover.failback import Return as Back
from crossfade.core.failover.health import Api, ClusterHealth
from crossfade.core.failover.standing import Presence, Standing
from crossfade.core.failover.users import Users
from crossfade.core.failover.wish import ClusterWish
from crossfade.core.fleet.edges import EdgeState
from crossfade.core.rollout.spec import Approval, Pause, SetWeight
from crossfade.core.rollout.state import Outcome, Phase, State
from crossfade.engine.needs import of_cluster, of_edges, of_return, of_rollout
from crossfade.testing.builders import application, rollout, stepping

HOLDS = "holding: no verdict; `crossfade rollout promote colors` goes on without a verdict"


@pytest.mark.parametrize(
    ("steps", "state", "said"),
    [
        pytest.param(
            (SetWeight(5), Pause()), stepping(5, 1), "until somebody promotes", id="pause"
        ),
        pytest.param((Approval("ask Eve"),), stepping(0, 0), "approval: ask Eve", id="approval"),
        pytest.param((SetWeight(5),), stepping(5, 0, paused=True), "paused", id="paused"),
        pytest.param(
            (SetWeight(5),),
            stepping(5, 0, held_since=1.0, reason=HOLDS),
            "until you decide",
            id="no-verdict",
        ),
        pytest.param(
            (), State(Phase.ENDED, outcome=Outcome.ROLLED_BACK), "was taken back", id="taken-back"
        ),
        pytest.param(
            (),
            State(Phase.ROLLING_BACK, pending=("aws",)),
            "not rolled back on aws yet",
            id="pending",
        ),
    ],
)
def test_what_waits_for_a_person_is_told(steps, state, said):
    need = of_rollout(rollout(*steps, state=state))

    assert need is not None
    assert said in need.what
    assert need.application == "colors"


@pytest.mark.parametrize(
    ("steps", "state"),
    [
        pytest.param((Pause(30.0),), stepping(5, 0), id="a-pause-that-ends-by-itself"),
        pytest.param((Pause(),), stepping(5, 0, passed=0), id="a-pause-that-was-promoted"),
        pytest.param((Approval(),), stepping(5, 0, approved=0), id="an-approval-that-was-given"),
        pytest.param((SetWeight(5),), stepping(5, 1), id="past-the-last-step"),
        pytest.param((), State(Phase.ENDED, outcome=Outcome.SUCCEEDED), id="success"),
        pytest.param((), State(Phase.ROLLING_BACK), id="going-back-by-itself"),
        pytest.param((), State(Phase.INSTALLING), id="installing"),
    ],
)
def test_what_goes_on_by_itself_is_no_need(steps, state):
    assert of_rollout(rollout(*steps, state=state)) is None


def health(condition=Condition.HEALTHY, standing=Standing.SERVING, up=True):
    return ClusterHealth(
        "aws", condition, Presence("aws", standing), api=Api(up, "" if up else "x")
    )


@pytest.mark.parametrize(
    ("known", "said", "urgent"),
    [
        (health(Condition.BOTH_DOWN, up=False), "serves nobody", True),
        (health(Condition.DATA_PLANE_DOWN), "serves nobody", True),
        (health(Condition.GREY), "serves worse", True),
        (health(Condition.API_DOWN, up=False), "API of aws does not answer", False),
    ],
)
def test_a_cluster_in_trouble_is_told(known, said, urgent):
    need = of_cluster(known, ClusterWish("aws"))

    assert need is not None
    assert said in need.what
    assert need.urgent is urgent


def test_a_drained_cluster_is_not_forgotten_and_a_healthy_one_needs_nobody():
    drained = of_cluster(health(), ClusterWish("aws", drained_since=1.0))

    assert drained is not None
    assert "drained" in drained.what
    assert of_cluster(health(), ClusterWish("aws")) is None
    assert of_cluster(health(standing=Standing.RECOVERING), ClusterWish("aws")) is None


@pytest.mark.parametrize(
    ("policy", "phase", "standing", "told"),
    [
        (Failback.MANUAL, Return.WAITING, Standing.SERVING, True),
        (Failback.NEVER, Return.WAITING, Standing.SERVING, True),
        (Failback.RAMP, Return.WAITING, Standing.SERVING, False),
        (Failback.MANUAL, Return.RAMPING, Standing.SERVING, False),
        (Failback.MANUAL, Return.WAITING, Standing.OUT, False),
    ],
)
def test_users_who_wait_for_a_person_to_let_them_back_are_told(policy, phase, standing, told):
    spec = application()
    spec = replace(spec, failover=replace(spec.failover, failback=policy))
    users = Users("colors", returns={"aws": Back("aws", phase)})

    need = of_return(spec, users, "aws", health(standing=standing))

    assert (need is not None) is told
    assert of_return(spec, users, "gcp", health()) is None


def test_edges_that_are_gone_or_refuse_are_told():
    well = EdgeState("a", 3)
    gone, refusing = replace(well, edge="b", gone_since=1.0), replace(well, edge="c", refused="no")

    told = of_edges((well, gone, refusing))

    assert [each.what.split()[2] for each in told] == ["b", "c"]
