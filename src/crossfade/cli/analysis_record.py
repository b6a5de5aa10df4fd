"""What is checked of recorded windows before anything is worked out from them."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from crossfade.base.errors import InputError
from crossfade.cli.output import note

if TYPE_CHECKING:
    from crossfade.core.analysis.calibration import PodWindow
    from crossfade.core.analysis.counts import Window
    from crossfade.core.analysis.plan import Plan


def check_measured(plan: "Plan", record: "Iterable[Window | PodWindow]") -> None:
    """Refuse a metric that no window has: a slip of the pen would make the canary unjudged."""
    measured = {metric for window in record for metric in window.events}
    wanted = {each.name for each in plan.metrics}
    if missing := wanted - measured:
        raise InputError(
            f"no window has events of {', '.join(sorted(missing))}",
            hint=f"the windows have {', '.join(sorted(measured)) or 'no events'}",
        )
    if others := measured - wanted:
        note(f"note: not judged, as the plan does not name them: {', '.join(sorted(others))}")
