"""
What a strategy would have done with a canary of the past, from its recorded windows.

The users that the strategy would have given to the canary are not those that it had, so counts
are scaled; ASSUMPTIONS says what that takes for granted.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from crossfade.core.analysis.counts import Window
from crossfade.core.analysis.plan import Plan
from crossfade.core.analysis.ramp import harm, next_weight
from crossfade.core.analysis.replay import Tick, began
from crossfade.core.analysis.sequential import State, update
from crossfade.core.analysis.verdict import HOLD_EVIDENCE, Action, Moment, Verdict, decide

ASSUMPTIONS = (
    "each arm has events at the rate of its recorded window, whatever share of users it gets",
    "a window without recorded canary requests has the canary's rate up to then",
    "shares are in force at once, on all clusters alike",
    "counts are scaled and rounded: chance in them is that of the record, not of the new share",
)


@dataclass(frozen=True, slots=True)
class Level:
    """A step of a fixed ramp: this share of users, for at least so long."""

    weight: float
    seconds: float | None = 0.0
    """None: until somebody promotes; the record ends there."""


@dataclass(frozen=True, slots=True)
class Change:
    """A share of users that the strategy chose, and why."""

    at_s: float
    weight: float
    reason: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the rollout would have gone."""

    action: Action
    """`rollback` or `promote`, else what the verdict was when the record ended."""
    after_s: float
    harm: float
    """Requests that the canary would have harmed."""
    canary_requests: int
    stretch: float
    """The most that the canary's counts were scaled up; above 1 chance weighs too much."""
    changes: tuple[Change, ...]
    verdict: Verdict


@dataclass(slots=True)
class _Scaled:
    """Windows at another share; what rounding leaves over goes into the next window."""

    left: dict[tuple[str, str], float] = field(default_factory=dict)
    seen: dict[str, tuple[int, dict[str, int]]] = field(default_factory=dict)
    stretch: float = 0.0

    def window(self, window: Window, weight: float) -> Window:
        """Return the window as it would have been counted at this share of the canary."""
        requests, events = self.seen.get(window.cluster, (0, {}))
        events = {name: events.get(name, 0) + pair[0] for name, pair in window.events.items()} | {
            name: count for name, count in events.items() if name not in window.events
        }
        requests += window.n_c
        self.seen[window.cluster] = requests, events
        total = window.n_c + window.n_s
        n_c = min(total, self._whole(window.cluster, " canary", total * weight))
        if window.n_c:
            self.stretch = max(self.stretch, n_c / window.n_c)
        found = {}
        for name, (x_c, x_s) in window.events.items():
            canary = x_c / window.n_c if window.n_c else events[name] / max(1, requests)
            stable = x_s / window.n_s if window.n_s else 0.0
            found[name] = (
                min(n_c, self._whole(window.cluster, f"c {name}", n_c * canary)),
                min(total - n_c, self._whole(window.cluster, f"s {name}", (total - n_c) * stable)),
            )
        return Window(window.id, window.cluster, n_c, total - n_c, found, window.at_s)

    def _whole(self, cluster: str, what: str, value: float) -> int:
        value += self.left.get((cluster, what), 0.0)
        whole = math.floor(value + 1e-9)
        self.left[cluster, what] = value - whole
        return whole


def backtest(plan: Plan, record: Sequence[Tick], levels: Sequence[Level] = ()) -> Outcome:
    """
    Return how a rollout would have gone on the record, by fixed levels or by the risk budget.

    Args:
        plan: how the canary is judged.
        record: at least one tick, in order.
        levels: a fixed ramp; (): the risk-budget ramp.
    """
    start = began(plan, record)
    run = _Run(plan, State(start), levels, start, start)
    weight = levels[0].weight if levels else next_weight(run.state, plan, run.rps(record[0]), 0)
    run.set(start, weight, "the first share")
    for tick in record:
        if run.look(tick):
            break
    return run.outcome()


@dataclass(slots=True)
class _Run:
    plan: Plan
    state: State
    levels: Sequence[Level]
    start: float
    now: float
    weight: float = 0.0
    since: float = 0.0
    place: int = 0
    requests: int = 0
    verdict: Verdict = field(default_factory=lambda: Verdict(Action.HOLD, 0.0, 1.0, 1.0))
    changes: list[Change] = field(default_factory=list)
    scaled: _Scaled = field(default_factory=_Scaled)

    def rps(self, tick: Tick) -> float:
        return tick.requests / self.plan.tick_s

    def set(self, now: float, weight: float, reason: str) -> None:
        if abs(weight - self.weight) > 1e-9:
            self.weight, self.since = weight, now
            self.changes.append(Change(now - self.start, weight, reason))

    def look(self, tick: Tick) -> bool:
        """Take in a tick; say whether the rollout is over."""
        for recorded in tick.windows:
            window = self.scaled.window(recorded, self.weight)
            self.requests += window.n_c
            self.state = update(self.state, self.plan, window)
        self.now = now = tick.ends_at(self.plan)
        last = bool(self.levels) and self.place == len(self.levels) - 1
        moment = Moment(now, self.rps(tick), self.weight, self.since, full=last)
        self.verdict = found = decide(self.state, self.plan, moment)
        if found.action in (Action.ROLLBACK, Action.PROMOTE):
            return True
        if not self.levels:
            self.set(now, found.weight, found.reason)
        elif not last and self._may_climb(found, now):
            self.place += 1
            self.set(now, self.levels[self.place].weight, f"step {self.place + 1}")
        return False

    def _may_climb(self, found: Verdict, now: float) -> bool:
        seconds = self.levels[self.place].seconds
        if seconds is None or found.silent or found.e > HOLD_EVIDENCE:
            return False
        return now - self.since >= seconds

    def outcome(self) -> Outcome:
        verdict = replace(self.verdict, harm=harm(self.state, self.plan))
        return Outcome(
            verdict.action,
            self.now - self.start,
            verdict.harm,
            self.requests,
            self.scaled.stretch,
            tuple(self.changes),
            verdict,
        )
