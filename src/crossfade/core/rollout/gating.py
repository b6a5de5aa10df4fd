"""Which gates a rollout must ask and which hooks it must call where it stands, and what follows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from crossfade.core.rollout.gates import (
    Consequence,
    Gate,
    GateAnswer,
    GatePoint,
    Hook,
    HookPhase,
    Moment,
    consequence,
)
from crossfade.core.rollout.state import ClusterPhase, Outcome, Phase, Rollout

AGAIN_SECONDS = 10.0
"""After so long a closed gate is asked again, and a failed hook called again."""

_PASSED = {
    HookPhase.INSTALLING: frozenset({Phase.PROGRESSING, Phase.PROMOTING}),
    HookPhase.PROGRESSING: frozenset({Phase.PROMOTING}),
    HookPhase.PROMOTING: frozenset[Phase](),
    HookPhase.ROLLING_BACK: frozenset[Phase](),
    HookPhase.ENDED: frozenset[Phase](),
}
"""The phases under way in which this one is over."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a gate or hook answered last."""

    answer: GateAnswer
    at: float


@dataclass(frozen=True, slots=True)
class Answers:
    """All answers in one rollout, by gate or hook and place."""

    asked: Mapping[str, Asked] = field(default_factory=dict)

    def of(self, key: str) -> GateAnswer | None:
        """Return the last answer, None before the first."""
        found = self.asked.get(key)
        return None if found is None else found.answer

    def is_due(self, key: str, now: float) -> bool:
        """Say whether to ask: never asked, or closed for a while."""
        found = self.asked.get(key)
        return found is None or (not found.answer.open and now - found.at >= AGAIN_SECONDS)


_ASKED = {
    GatePoint.START: {GatePoint.START},
    GatePoint.STEP: {GatePoint.STEP},
    GatePoint.PROMOTION: {GatePoint.STEP, GatePoint.PROMOTION},
}
"""Which gates are asked at a place: all users are one more share."""


def gates_at(rollout: Rollout) -> dict[str, Gate]:
    """Return the gates that must be open where the rollout stands, by their key."""
    place = _place(rollout)
    return {
        f"gate/{gate.name}/{place[1]}": gate
        for gate in rollout.strategy.gates
        if place is not None and gate.before in _ASKED[place[0]]
    }


def _place(rollout: Rollout) -> tuple[GatePoint, str] | None:
    """Return what comes next, with a name that is its own; None when no users rise."""
    state = rollout.state
    if rollout.swap or state.phase not in {Phase.INSTALLING, Phase.PROGRESSING}:
        return None
    if not state.meets_users and state.wave == 0 and state.step == 0:
        return GatePoint.START, "start"
    if _at_the_end(rollout):
        return GatePoint.PROMOTION, f"promotion-{state.wave}"
    return GatePoint.STEP, f"step-{state.wave}-{state.step}"


def _at_the_end(rollout: Rollout) -> bool:
    """Say whether all that is left is to give some cluster all its users."""
    state = rollout.state
    steps = 0 if rollout.direct or state.full else len(rollout.strategy.steps)
    stepping = [each for each in state.clusters.values() if each.phase is ClusterPhase.STEPPING]
    return bool(stepping) and all(each.step >= steps for each in stepping)


def hooks_at(rollout: Rollout) -> dict[str, Hook]:
    """Return the hooks whose time has come, by their key; each is called once."""
    return {
        f"hook/{hook.name}": hook
        for hook in rollout.strategy.hooks
        if not rollout.swap and _has_come(rollout, hook)
    }


def _has_come(rollout: Rollout, hook: Hook) -> bool:
    phase = rollout.state.phase
    before = hook.moment is Moment.BEFORE
    match hook.phase:
        case HookPhase.INSTALLING if before:
            return True
        case HookPhase.PROGRESSING if before:
            return phase is not Phase.INSTALLING and phase is not Phase.ROLLING_BACK
        case HookPhase.PROMOTING if before:
            return phase is Phase.PROMOTING or (phase is Phase.PROGRESSING and _at_the_end(rollout))
        case HookPhase.ROLLING_BACK if before:
            return phase is Phase.ROLLING_BACK or rollout.state.outcome is Outcome.ROLLED_BACK
        case HookPhase.ROLLING_BACK:
            return rollout.state.outcome is Outcome.ROLLED_BACK
        case HookPhase.ENDED:
            return phase is Phase.ENDED
        case _:
            succeeded = rollout.state.outcome is Outcome.SUCCEEDED
            return succeeded or phase in _PASSED[hook.phase]


def closed(rollout: Rollout, answers: Answers) -> dict[str, str]:
    """Return what keeps users from rising, by name, with its reason."""
    if not rollout.active:
        return {}
    return dict([*_closed_gates(rollout, answers), *_failed_hooks(rollout, answers)])


def _closed_gates(rollout: Rollout, answers: Answers) -> Iterator[tuple[str, str]]:
    for key, gate in gates_at(rollout).items():
        answer = answers.of(key)
        if answer is None:
            yield f"gate {gate.name}", "it is being asked"
        elif not answer.open:
            yield f"gate {gate.name}", f"{answer.state}: {answer.reason}"


def _failed_hooks(rollout: Rollout, answers: Answers) -> Iterator[tuple[str, str]]:
    for key, hook in hooks_at(rollout).items():
        answer = answers.of(key)
        if answer is None:
            if hook.moment is Moment.BEFORE:
                yield f"hook {hook.name}", "it is being called"
            continue
        follows, why = consequence(hook, answer)
        if follows is Consequence.HOLD:
            yield f"hook {hook.name}", why


def unwanted(rollout: Rollout, answers: Answers) -> str:
    """Return why a hook wants the users taken back, "" when none does."""
    for key, hook in hooks_at(rollout).items():
        answer = answers.of(key)
        if answer is not None and consequence(hook, answer)[0] is Consequence.ROLL_BACK:
            return consequence(hook, answer)[1]
    return ""


def to_ask(rollout: Rollout, answers: Answers, now: float) -> dict[str, Gate | Hook]:
    """Return the gates and hooks to be asked now, by their key."""
    due: dict[str, Gate | Hook] = {
        key: gate for key, gate in gates_at(rollout).items() if answers.is_due(key, now)
    }
    for key, hook in hooks_at(rollout).items():
        answer = answers.of(key)
        again = answer is not None and consequence(hook, answer)[0] is Consequence.HOLD
        if answer is None or (again and answers.is_due(key, now)):
            due[key] = hook
    return due
