"""While users move between clusters nothing is judged, and nobody's patience is used up."""

from dataclasses import replace

import pytest

from crossfade.core.analysis.counters import Tally
from crossfade.core.analysis.counts import Window
from crossfade.core.analysis.evidence import begin, look, verdict_of
from crossfade.core.analysis.expiry import expires_at
from crossfade.core.analysis.spec import Judge
from crossfade.core.analysis.standstill import bursts, sorted_out, stood
from crossfade.core.analysis.verdict import Action
from crossfade.core.failover.during_rollout import Shift

JUDGE = Judge(window_seconds=10.0, min_seconds=60.0, max_seconds=600.0)


def begun():
    return begin(JUDGE, {"aws": "aws"}, Tally(0), 50.0, now=100.0)


def window(end, errors=(0, 0), requests=(100, 1000)):
    return Window(int(end // 10), "aws", *requests, {"errors": errors}, float(end))


def test_windows_around_a_shift_are_thrown_away_and_all_others_are_judged():
    windows = [window(end) for end in (80, 90, 120, 140, 150, 160)]

    clean, dirty = sorted_out(windows, Shift(100.0, 120.0), 10.0)

    assert [each.at_s for each in clean] == [80.0, 150.0, 160.0]
    assert [each.at_s for each in dirty] == [90.0, 120.0, 140.0]
    assert sorted_out(windows, None, 10.0) == (tuple(windows), ())
    assert sorted_out(windows, Shift(100.0), 10.0)[0] == (windows[0],)


def test_an_hour_without_a_cloud_does_not_use_up_the_time_that_the_judge_has():
    evidence = look(begun(), (), 10.0, 100.0, (), 100.0).after
    still = stood(evidence, (), 200.0, still=True)
    going = stood(still, (), 3800.0, still=False)

    assert verdict_of(evidence, (), 3850.0).action is Action.INCONCLUSIVE
    for each, now in ((still, 3799.0), (going, 3850.0)):
        assert verdict_of(each, (), now).action is not Action.INCONCLUSIVE
        assert expires_at(each, (), now) >= now
    assert going.stopped_seconds(9000.0) == 3600.0
    assert verdict_of(going, (), 100.0 + 3600.0 + 600.0).action is Action.INCONCLUSIVE


def test_a_share_that_changes_after_a_standstill_is_given_its_own_time_from_then_on():
    still = stood(begun(), (), 200.0, still=True)
    going = look(stood(still, (), 300.0, still=False), (), 10.0, 100.0, (), 300.0).after

    assert (going.level_since, going.level_stopped) == (300.0, 100.0)


@pytest.mark.parametrize(
    ("counted", "found"),
    [
        pytest.param(window(100, (10, 0), (20, 20)), ("aws",), id="half-fails-beside-a-fine-one"),
        pytest.param(window(100, (9, 0), (20, 20)), (), id="fewer-than-half-may-be-the-shift"),
        pytest.param(window(100, (10, 2), (20, 20)), (), id="the-old-one-fails-as-well"),
        pytest.param(window(100, (19, 0), (19, 500)), (), id="too-few-to-say"),
    ],
)
def test_only_a_burst_beside_an_old_revision_that_serves_speaks_against_the_new_one(counted, found):
    still = stood(begun(), [counted], 100.0, still=True)

    assert bursts(still.aside) == found
    assert still.discarded == 1
    assert bursts(stood(still, (), 200.0, still=False).aside) == ()


def test_what_was_thrown_away_is_no_evidence():
    bad = window(110, (90, 0))
    still = stood(begun(), [bad], 110.0, still=True)

    assert replace(still, aside={}, discarded=0, still_since=None) == begun()
