"""
From what is decided of a cluster to what the traffic plan may do with it.  Pure.

The one place where health, drains, returns and convergence meet: each can keep users away, and
none can give them to a cluster that another one keeps them from.
"""

from dataclasses import dataclass

from crossfade.core.failover.failback import Phase, Return
from crossfade.core.failover.standing import Presence
from crossfade.core.traffic.destinations import Eligibility


@dataclass(frozen=True, slots=True)
class Admittance:
    """Whether a cluster may have users; `ramp_percent` of its share while it returns."""

    eligibility: Eligibility
    ramp_percent: int
    reason: str


def admittance(
    presence: Presence, *, stale: str = "", drained: bool = False, back: Return | None = None
) -> Admittance:
    """
    Return what a plan may do with the cluster.

    Args:
        presence: where it stands.
        stale: why it does not run what is wanted; "" when it has confirmed the wanted epoch.
        drained: a person wants its users gone.
        back: its return, None when it never left or is back altogether.
    """
    if stale:
        return Admittance(Eligibility.OUT, 0, f"stale: {stale}")
    if not presence.serves:
        return Admittance(Eligibility.OUT, 0, str(presence.standing))
    if drained:
        return Admittance(Eligibility.LEAVING, 100, "drained by a person")
    if back is None or back.phase is Phase.BACK:
        return Admittance(Eligibility.SERVES, 100, "serving")
    if back.percent == 0:
        return Admittance(Eligibility.OUT, 0, f"its return is {back.phase}")
    return Admittance(Eligibility.SERVES, back.percent, f"returning, {back.percent} % of its share")
