"""Who may set aside what stands against more users: nobody, a person, or a cluster ahead."""

import pytest

from crossfade.core.rollout.bars import Bars


@pytest.mark.parametrize(
    ("found", "nobody", "person", "follower"),
    [
        (Bars(), "", "", ""),
        (Bars(closed="night"), "night", "night", "night"),
        (Bars(doubt="errors"), "errors", "", "errors"),
        (Bars(silence="no data"), "no data", "", ""),
        (Bars(closed="night", doubt="errors"), "night", "night", "night"),
        (Bars(closed="night", silence="no data"), "night", "night", "night"),
    ],
)
def test_what_bars_a_rise(found, nobody, person, follower):
    assert found.against(passed=False, led=False) == nobody
    assert found.against(passed=True, led=False) == person
    assert found.against(passed=False, led=True) == follower
    assert found.against(passed=True, led=True) == person
