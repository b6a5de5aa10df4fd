"""
Judges clusters to which users return by the edges' counts: their users against the others.

In memory: after a restart the step that was under way is judged anew, and silence holds until then.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from crossfade.base.ids import ApplicationName, ClusterName
from crossfade.core.analysis.counters import ERRORS
from crossfade.core.analysis.counts import Window
from crossfade.core.analysis.judgement import Verdict
from crossfade.core.failover.comparison import Comparison, compare, compared
from crossfade.core.failover.failback import Phase, Return
from crossfade.ports.edge import EdgeSight, read_until, unread


@dataclass(slots=True)
class Comparing:
    """The traffic loop shows it each report once, and asks for verdicts."""

    _cases: dict[tuple[ApplicationName, ClusterName], Comparison] = field(default_factory=dict)
    _taken: dict[str, float] = field(default_factory=dict)
    """When the newest report of each edge that was taken in had arrived."""

    def fresh(self, sights: tuple[EdgeSight, ...]) -> tuple[EdgeSight, ...]:
        """Return the reports that have come since the last call, of all edges oldest first."""
        new = unread(sights, self._taken)
        self._taken = read_until(sights)
        return tuple(sorted(new, key=lambda each: each.at))

    def verdicts(
        self,
        application: ApplicationName,
        returns: Mapping[ClusterName, Return],
        new: tuple[EdgeSight, ...],
        now: float,
    ) -> dict[ClusterName, Verdict]:
        """Return the verdict on each cluster to which users are returning now."""
        ramping = {name: each for name, each in returns.items() if each.phase is Phase.RAMPING}
        for key in [each for each in self._cases if each[0] == application]:
            if key[1] not in ramping:
                del self._cases[key]
        found = {}
        for name, back in ramping.items():
            known = self._cases.get((application, name)) or compare(name, now)
            windows = _windows(application, name, returns, new, known.windows)
            percent = float(back.percent)
            after, found[name] = compared(known, name, windows, percent, now)
            self._cases[application, name] = after
        return found


def _windows(
    application: ApplicationName,
    returning: ClusterName,
    returns: Mapping[ClusterName, Return],
    new: tuple[EdgeSight, ...],
    before: int,
) -> list[Window]:
    windows = []
    for number, sight in enumerate(new, before + 1):
        mine, others = [0, 0], [0, 0]
        for each in sight.targets:
            if each.application != application:
                continue
            if each.cluster != returning and each.cluster in returns:
                continue  # it is cold itself, and says nothing of how well users are served
            counts = mine if each.cluster == returning else others
            counts[0] += each.requests
            counts[1] += min(each.requests, each.failed + each.slow)
        events = {ERRORS: (mine[1], others[1])}
        windows.append(Window(number, returning, mine[0], others[0], events, at_s=sight.at))
    return windows
