"""What each command on a rollout does wherever it stands, in words.  A test performs it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from crossfade.core.rollout.commands import Command
from crossfade.core.rollout.state import Outcome, Phase, State


class Standing(StrEnum):
    """Where a rollout stands, as far as commands care."""

    INSTALLING = "installing"
    PROGRESSING = "progressing"
    PAUSED = "paused"
    """By a person, while progressing."""
    PROMOTING = "promoting"
    ROLLING_BACK = "rolling-back"
    SUCCEEDED = "succeeded"
    ROLLED_BACK = "rolled-back"
    SUPERSEDED = "superseded"


class Answer(StrEnum):
    """What kind of answer a command gets."""

    DONE = "done"
    NEW_ROLLOUT = "new rollout"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Effect:
    """One cell of the table."""

    answer: Answer
    words: str


def standing(state: State) -> Standing:
    """Return the column in which a rollout with this state is to be looked up."""
    if state.phase is Phase.ENDED:
        return _ENDED[state.outcome]
    if state.phase is Phase.PROGRESSING and state.paused:
        return Standing.PAUSED
    return Standing(state.phase.value)


def effect(command: Command, where: Standing) -> Effect:
    """Return what the command does there."""
    return TABLE[command][where]


def _done(words: str) -> Effect:
    return Effect(Answer.DONE, words)


def _refused(words: str) -> Effect:
    return Effect(Answer.REFUSED, words)


_ENDED = {
    Outcome.SUCCEEDED: Standing.SUCCEEDED,
    Outcome.ROLLED_BACK: Standing.ROLLED_BACK,
    Outcome.SUPERSEDED: Standing.SUPERSEDED,
}
_OVER = dict.fromkeys(_ENDED.values(), _refused("it is over"))
_NO_WAY_ON = {**_OVER, Standing.ROLLING_BACK: _refused("users are on their way back")}
_NO_STEP = _refused("the new revision is being installed, no step waits yet")
_LAST = _refused("all users are being moved already")
_HELD = _done("holds until `resume`; a bad verdict or a deadline still takes users back")
_NOT_PAUSED = _done("changes nothing: it is not paused")
_BACK = _done("gives all users back to the stable revision; refused for a first one with users")
_AGAIN = _done("tries again the clusters that went back alone; refused when there are none")
_FIRST_STEP = "takes users back, then begins with the first step; refused where users move at once"
_RENEWED = Effect(
    Answer.NEW_ROLLOUT, "begins a new rollout of what serves now, with new pods, through all steps"
)
_UNDONE = Effect(
    Answer.NEW_ROLLOUT, "swaps back to the newest revision that is kept, or to the one of `--to`"
)

TABLE: Mapping[Command, Mapping[Standing, Effect]] = {
    Command.PAUSE: {
        Standing.INSTALLING: _HELD,
        Standing.PROGRESSING: _HELD,
        Standing.PAUSED: _done("changes nothing: it is paused already"),
        Standing.PROMOTING: _HELD,
        **_NO_WAY_ON,
    },
    Command.RESUME: {
        Standing.INSTALLING: _NOT_PAUSED,
        Standing.PROGRESSING: _NOT_PAUSED,
        Standing.PAUSED: _done("goes on; the time since `pause` counts for no pause of a step"),
        Standing.PROMOTING: _NOT_PAUSED,
        **_NO_WAY_ON,
    },
    Command.PROMOTE: {
        Standing.INSTALLING: _NO_STEP,
        Standing.PROGRESSING: _done("lets the step pass that it waits at, without a verdict"),
        Standing.PAUSED: _done("goes on, and lets the step pass that it waits at"),
        Standing.PROMOTING: _LAST,
        **_NO_WAY_ON,
    },
    Command.PROMOTE_FULL: {
        Standing.INSTALLING: _done("gives it all users once it is ready, without any step"),
        Standing.PROGRESSING: _done("gives it all users, without any further step"),
        Standing.PAUSED: _done("goes on, and gives it all users, without any further step"),
        Standing.PROMOTING: _done("changes nothing: all users are being moved already"),
        **_NO_WAY_ON,
    },
    Command.SKIP: {
        Standing.INSTALLING: _NO_STEP,
        Standing.PROGRESSING: _done("leaves the present step out; refused after the last one"),
        Standing.PAUSED: _done("leaves the present step out, and stays paused"),
        Standing.PROMOTING: _LAST,
        **_NO_WAY_ON,
    },
    Command.APPROVE: {
        Standing.INSTALLING: _NO_STEP,
        Standing.PROGRESSING: _done("gives the approval that is waited for; refused without one"),
        Standing.PAUSED: _done("gives the approval that is waited for, and stays paused"),
        Standing.PROMOTING: _LAST,
        **_NO_WAY_ON,
    },
    Command.ABORT: {
        Standing.INSTALLING: _done("takes it off the clusters; no user has met it"),
        Standing.PROGRESSING: _BACK,
        Standing.PAUSED: _BACK,
        Standing.PROMOTING: _BACK,
        **_NO_WAY_ON,
    },
    Command.RETRY: {
        Standing.INSTALLING: _refused("nothing went back"),
        Standing.PROGRESSING: _AGAIN,
        Standing.PAUSED: _done("tries again, after `resume`, the clusters that went back alone"),
        Standing.PROMOTING: _AGAIN,
        **_NO_WAY_ON,
        Standing.ROLLED_BACK: Effect(
            Answer.NEW_ROLLOUT, "begins a new rollout of the same revision, through all steps"
        ),
    },
    Command.RESTART: {
        Standing.INSTALLING: _done("gives it its whole time to become ready again"),
        Standing.PROGRESSING: _done(_FIRST_STEP),
        Standing.PAUSED: _done(f"goes on: {_FIRST_STEP}"),
        Standing.PROMOTING: _LAST,
        **_NO_WAY_ON,
        **dict.fromkeys(_ENDED.values(), _RENEWED),
    },
    Command.UNDO: {
        **dict.fromkeys(Standing, _refused("`abort` takes back what is under way")),
        Standing.ROLLING_BACK: _refused("users are on their way back"),
        **dict.fromkeys(_ENDED.values(), _UNDONE),
    },
}
