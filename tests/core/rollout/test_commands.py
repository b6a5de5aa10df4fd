"""What a person may ask in each phase, and what it does."""

import pytest

from crossfade.base.errors import Conflict
from crossfade.core.rollout.commands import abort, pause, promote, resume, supersede
from crossfade.core.rollout.state import Outcome, Phase, State
from crossfade.testing.builders import rollout


def in_phase(phase, **more):
    return rollout(state=State(phase, **more))


COMMANDS = {
    "promote": lambda each: promote(each, full=False),
    "promote --full": lambda each: promote(each, full=True),
    "pause": pause,
    "resume": resume,
    "abort": lambda each: abort(each, "no"),
}
ALLOWED = {
    "promote": {Phase.PROGRESSING},
    "promote --full": {Phase.INSTALLING, Phase.PROGRESSING},
    "pause": {Phase.INSTALLING, Phase.PROGRESSING, Phase.PROMOTING},
    "resume": {Phase.INSTALLING, Phase.PROGRESSING, Phase.PROMOTING},
    "abort": {Phase.INSTALLING, Phase.PROGRESSING, Phase.PROMOTING},
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("phase", list(Phase))
def test_a_command_works_in_its_phases_and_is_refused_with_a_hint_in_others(command, phase):
    if phase in ALLOWED[command]:
        assert COMMANDS[command](in_phase(phase)).state.phase is phase
    else:
        with pytest.raises(Conflict) as error:
            COMMANDS[command](in_phase(phase))
        assert error.value.hint


def test_promote_lets_the_current_step_pass_and_ends_a_pause():
    state = promote(in_phase(Phase.PROGRESSING, step=2, paused=True), full=False).state

    assert (state.passed, state.paused, state.full) == (2, False, False)


def test_the_first_revision_cannot_be_aborted_once_it_has_users():
    first = rollout(stable=None, state=State(Phase.PROMOTING, 100))

    with pytest.raises(Conflict):
        abort(first, "no")


def test_a_superseded_rollout_is_over_and_has_no_users():
    state = supersede(in_phase(Phase.PROGRESSING, percent=50), "colors.2").state

    assert (state.phase, state.percent, state.outcome) == (Phase.ENDED, 0, Outcome.SUPERSEDED)
