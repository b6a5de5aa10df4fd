"""A command that meets the hub's own writes is not refused for it."""

import pytest

from crossfade.base.errors import Conflict, InputError
from crossfade.engine.retries import again_on_conflict


class Action:
    def __init__(self, conflicts, error=None):
        self.conflicts, self.error, self.calls = conflicts, error, 0

    async def __call__(self):
        self.calls += 1
        if self.error:
            raise self.error
        if self.calls <= self.conflicts:
            raise Conflict("changed", hint="read again", call=self.calls)
        return "done"


async def test_a_command_that_loses_some_races_wins_in_the_end():
    action = Action(conflicts=5)

    assert await again_on_conflict(action) == "done"
    assert action.calls == 6


async def test_a_command_that_never_wins_says_why_the_last_time():
    action = Action(conflicts=99)
    with pytest.raises(Conflict) as raised:
        await again_on_conflict(action)
    assert raised.value.facts == {"call": 6}


async def test_an_error_of_the_user_is_not_repeated():
    action = Action(0, InputError("bad", hint="mend it"))
    with pytest.raises(InputError):
        await again_on_conflict(action)
    assert action.calls == 1
