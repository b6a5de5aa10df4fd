"""Questions that a rollout asks of others before it goes on, and calls around its phases."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias, assert_never

from crossfade.base.secrets import SecretRef

Address: TypeAlias = str | SecretRef
"""A URL, or a reference to one that is a secret."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a webhook is, and how it is called."""

    url: Address
    headers: Mapping[str, str | SecretRef] = field(default_factory=dict)
    signing_key: SecretRef | None = None
    """Signs each body, so that the receiver knows whose it is."""
    timeout_seconds: float = 10.0
    """For each try."""
    attempts: int = 3
    """Tries before it counts as unreachable."""


class GatePoint(StrEnum):
    """What waits for a gate."""

    START = "start"
    """The first users of the new revision."""
    STEP = "step"
    """Each share after the first one, that of all users included."""
    PROMOTION = "promotion"
    """All users."""


@dataclass(frozen=True, slots=True)
class Gate:
    """A webhook that opens the way: it is open when it answers with any 2xx."""

    name: str
    endpoint: Endpoint
    before: GatePoint = GatePoint.START


class GateState(StrEnum):
    """What a gate answers."""

    OPEN = "open"
    CLOSED = "closed"
    UNREACHABLE = "unreachable"
    """It gave no answer that counts: the rollout holds, and says so."""


@dataclass(frozen=True, slots=True)
class GateAnswer:
    """The state of a gate, or of a call, with its reason."""

    state: GateState
    reason: str

    @property
    def open(self) -> bool:
        """Whether the rollout may go on."""
        return self.state is GateState.OPEN


class Moment(StrEnum):
    """On which side of a phase a hook is called."""

    BEFORE = "before"
    AFTER = "after"


class HookPhase(StrEnum):
    """The phases of a rollout that have hooks."""

    INSTALLING = "installing"
    PROGRESSING = "progressing"
    PROMOTING = "promoting"
    ROLLING_BACK = "rolling-back"
    ENDED = "ended"


class OnFailure(StrEnum):
    """What follows when a hook fails."""

    HOLD = "hold"
    IGNORE = "ignore"
    ROLL_BACK = "roll-back"


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook that is called before or after a phase, once unless a crash has it repeated."""

    name: str
    moment: Moment
    phase: HookPhase
    endpoint: Endpoint
    on_failure: OnFailure = OnFailure.HOLD


class Consequence(StrEnum):
    """What a rollout does after a hook."""

    GO_ON = "go-on"
    HOLD = "hold"
    ROLL_BACK = "roll-back"


def consequence(hook: Hook, answer: GateAnswer) -> tuple[Consequence, str]:
    """
    Return what follows from a hook's answer, and why.

    A rollback is never held up by its own hooks: users come first.
    """
    if answer.open:
        return Consequence.GO_ON, f"hook `{hook.name}` succeeded"
    failed = f"hook `{hook.name}` {hook.moment} {hook.phase} failed: {answer.reason}"
    if hook.phase in {HookPhase.ROLLING_BACK, HookPhase.ENDED}:
        return Consequence.GO_ON, failed
    match hook.on_failure:
        case OnFailure.IGNORE:
            return Consequence.GO_ON, failed
        case OnFailure.HOLD:
            return Consequence.HOLD, failed
        case OnFailure.ROLL_BACK if answer.state is GateState.CLOSED:
            return Consequence.ROLL_BACK, failed
        case OnFailure.ROLL_BACK:
            # Silence is no verdict on the version.
            return Consequence.HOLD, failed
        case _:
            assert_never(hook.on_failure)
