"""A cluster that returns is compared with the others until it is told apart from them, or not."""

import pytest

from crossfade.core.analysis.counters import ERRORS
from crossfade.core.analysis.counts import Window
from crossfade.core.analysis.judgement import Verdict
from crossfade.core.failover.comparison import compare, compared

OTHERS = 149


def verdicts(fails, seconds, *, each=1, errors_elsewhere=0):
    """Return what is said each second while request number n fails if `fails(n)`."""
    known, said, served = compare("aws", 0.0), [], 0
    for second in range(1, seconds + 1):
        failed = sum(fails(served + n) for n in range(1, each + 1))
        served += each
        events = {ERRORS: (failed, errors_elsewhere)}
        window = Window(known.windows + 1, "aws", each, OTHERS, events, at_s=float(second))
        known, verdict = compared(known, "aws", (window,), 1.0, float(second))
        said.append(verdict)
    return said


def test_ten_requests_that_are_answered_are_a_good_verdict():
    said = verdicts(lambda _: False, 12)

    assert said[:9] == [Verdict.UNKNOWN] * 9
    assert said[9:] == [Verdict.PASS] * 3


def test_one_request_that_failed_at_first_does_not_keep_users_away_for_ever():
    said = verdicts(lambda number: number == 1, 130)

    assert set(said[:100]) == {Verdict.HOLD}
    assert said[-1] is Verdict.PASS


def test_each_doubt_takes_a_run_that_is_twice_as_long_to_end():
    said = verdicts(lambda number: number in {1, 105}, 400)
    second = said.index(Verdict.HOLD, 105 - 1)

    assert said[second : second + 200] == [Verdict.HOLD] * 200
    assert said[-1] is Verdict.PASS


@pytest.mark.parametrize("every", [2, 10, 50, 99, 120, 350])
def test_a_cluster_that_does_fail_its_users_is_found_out(every):
    said = verdicts(lambda number: number % every == 0, 20 * every, each=5)

    assert Verdict.FAIL in said


def test_errors_that_users_of_the_others_have_as_well_are_no_reason_to_leave():
    said = verdicts(lambda number: number % 20 == 0, 400, errors_elsewhere=8)

    assert Verdict.FAIL not in said
    assert said[-1] is Verdict.PASS


def test_a_return_that_is_not_over_after_hours_is_still_judged():
    """The judge of rollouts gives up after three hours, and leaves it to people."""
    known, last = compare("aws", 0.0), 0.0
    for number in range(1, 2500):
        last = 10.0 * number
        window = Window(number, "aws", 1, OTHERS, {ERRORS: (0, 0)}, at_s=last)
        known, verdict = compared(known, "aws", (window,), 1.0, last)

    assert last > 6 * 3600
    assert verdict is Verdict.PASS


def test_silence_is_no_verdict():
    known = compare("aws", 0.0)
    for second in range(1, 40):
        window = Window(second, "aws", 0, OTHERS, {ERRORS: (0, 0)}, at_s=float(second))
        known, verdict = compared(known, "aws", (window,), 1.0, float(second))

    assert verdict is Verdict.UNKNOWN
