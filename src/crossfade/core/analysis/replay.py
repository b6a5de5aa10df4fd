"""The verdicts that a record of windows would have had, tick by tick."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from crossfade.base.ids import ClusterName
from crossfade.core.analysis.counts import Window
from crossfade.core.analysis.plan import Plan
from crossfade.core.analysis.sequential import State, all_of
from crossfade.core.analysis.verdict import Moment, Verdict, decide


@dataclass(frozen=True, slots=True)
class Tick:
    """The windows of all clusters with one id."""

    id: int
    windows: tuple[Window, ...]

    def ends_at(self, plan: Plan) -> float:
        """Return when the last of its windows ended."""
        return max(each.ends_at(plan.tick_s) for each in self.windows)

    @property
    def requests(self) -> int:
        """Requests of both arms in all clusters."""
        return sum(each.n_c + each.n_s for each in self.windows)

    @property
    def share(self) -> float:
        """Share of the requests that the canary got; 0 without any."""
        canary = sum(each.n_c for each in self.windows)
        return canary / self.requests if self.requests else 0.0


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict and the tick that it was given after."""

    tick: int
    at_s: float
    verdict: Verdict


def ticks(windows: Iterable[Window]) -> tuple[Tick, ...]:
    """
    Return the windows by tick, in order; a window that is given twice counts once.

    Raises ValueError when a cluster's windows are not in the order of their ids.
    """
    last: dict[ClusterName, int] = {}
    found: dict[int, dict[ClusterName, Window]] = {}
    for window in windows:
        before = last.get(window.cluster)
        known = window.cluster in found.get(window.id, {})
        if not known and before is not None and window.id < before:
            raise ValueError(
                f"window {window.id} of {window.cluster} comes after window {before}: allowed are "
                "windows in the order of their ids"
            )
        if not known:
            found.setdefault(window.id, {})[window.cluster] = window
            last[window.cluster] = window.id
    return tuple(Tick(each, tuple(found[each].values())) for each in sorted(found))


def began(plan: Plan, record: Sequence[Tick]) -> float:
    """Return when the first window of a record began."""
    return record[0].ends_at(plan) - plan.tick_s if record else 0.0


def replay(plan: Plan, windows: Iterable[Window]) -> tuple[Judged, ...]:
    """
    Return the verdict after each tick of a record; the record is not cut short by any of them.

    A record cannot be given more users than it had, so its share counts as the full one:
    `promote` means that the canary is proven good for long enough.
    """
    record = ticks(windows)
    state = State(began(plan, record))
    found = []
    for tick in record:
        state = all_of(state, plan, tick.windows)
        now = tick.ends_at(plan)
        weight = min(tick.share, 1.0)
        moment = Moment(now, tick.requests / plan.tick_s, weight, state.since_s, full=True)
        found.append(Judged(tick.id, now, decide(state, plan, moment)))
    return tuple(found)
