"""Strategies that are saved are read back as they were."""

import pytest

from crossfade.base.codec import from_json, to_json
from crossfade.core.rollout.spec import (
    Analyse,
    Approval,
    Pause,
    Ramp,
    SetHeaderRoute,
    SetMirror,
    SetScale,
    SetWeight,
    Strategy,
)
from crossfade.core.traffic.split import HeaderMatch


@pytest.mark.parametrize(
    "step",
    [
        SetWeight(25),
        SetScale(25),
        SetScale(None),
        SetMirror(25),
        Pause(),
        Pause(25.0),
        Analyse(),
        Analyse(seconds=25.0),
        Analyse("smoke"),
        Approval(),
        Approval("look"),
        Ramp(),
        Ramp(25.0),
        SetHeaderRoute("beta"),
        SetHeaderRoute("beta", (HeaderMatch("x-beta", "yes"),)),
    ],
    ids=repr,
)
def test_a_step_is_never_read_back_as_another_one(step):
    """Copies of 25 % of the requests must not become 25 % of the users when the hub restarts."""
    (found,) = from_json(Strategy, to_json(Strategy(steps=(step,)))).steps
    assert (type(found), found) == (type(step), step)
