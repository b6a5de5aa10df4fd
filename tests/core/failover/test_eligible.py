"""Whatever keeps users away from a cluster keeps them away, whatever else speaks for it."""

import itertools

import pytest

from crossfade.core.failover.eligible import admittance
from crossfade.core.failover.failback import Phase, Return
from crossfade.core.failover.standing import Presence, Standing
from crossfade.core.traffic.destinations import Eligibility

SERVING = Presence("aws")


def returning(phase, step=0):
    return Return("aws", phase, step)


@pytest.mark.parametrize(
    ("presence", "more", "eligibility", "ramp", "reason"),
    [
        (SERVING, {}, Eligibility.SERVES, 100, "serving"),
        (Presence("aws", Standing.DOUBTED), {}, Eligibility.SERVES, 100, "serving"),
        (Presence("aws", Standing.OUT), {}, Eligibility.OUT, 0, "out"),
        (Presence("aws", Standing.RECOVERING), {}, Eligibility.OUT, 0, "recovering"),
        (SERVING, {"stale": "epoch 3"}, Eligibility.OUT, 0, "stale: epoch 3"),
        (SERVING, {"drained": True}, Eligibility.LEAVING, 100, "drained by a person"),
        (SERVING, {"back": returning(Phase.WAITING)}, Eligibility.OUT, 0, "its return is waiting"),
        (SERVING, {"back": returning(Phase.FAILED)}, Eligibility.OUT, 0, "its return is failed"),
        (SERVING, {"back": returning(Phase.RAMPING, 2)}, Eligibility.SERVES, 25, "returning, 25 % of its share"),
        (SERVING, {"back": returning(Phase.BACK)}, Eligibility.SERVES, 100, "serving"),
    ],
)  # fmt: skip
def test_admittance(presence, more, eligibility, ramp, reason):
    found = admittance(presence, **more)

    assert (found.eligibility, found.ramp_percent, found.reason) == (eligibility, ramp, reason)


def test_nothing_gives_users_to_a_stale_or_absent_cluster():
    returns = [None, *(returning(phase) for phase in Phase)]
    for standing, drained, back in itertools.product(Standing, (False, True), returns):
        presence = Presence("aws", standing)
        stale = admittance(presence, stale="epoch 3", drained=drained, back=back)
        assert stale.eligibility is Eligibility.OUT
        if not presence.serves:
            found = admittance(presence, drained=drained, back=back)
            assert found.eligibility is Eligibility.OUT
