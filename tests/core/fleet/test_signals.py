"""One bad answer is no outage; refused and failing requests say more than probes, and sooner."""

import pytest

from crossfade.core.fleet.signals import (
    Sample,
    Sighting,
    Streak,
    Tally,
    Thresholds,
    Vote,
    see,
    see_api,
    vote,
)

LIMITS = Thresholds()
GOOD, BAD, NOTHING = Sample(probe=True), Sample(probe=False), Sample()


def after(*samples, start=None):
    sighting = start or Sighting()
    for now, sample in enumerate(samples, 1):
        sighting = see(sighting, sample, float(now), LIMITS)
    return sighting


DOWN = after(BAD, BAD, BAD)


@pytest.mark.parametrize(
    ("samples", "up"),
    [
        pytest.param([BAD, BAD], True, id="two-failed-probes"),
        pytest.param([BAD, BAD, BAD], False, id="three-failed-probes"),
        pytest.param([BAD, BAD, GOOD, BAD, BAD], True, id="not-in-a-row"),
        pytest.param([Sample(requests=20, failed=10)], False, id="half-of-twenty-requests"),
        pytest.param([Sample(requests=19, failed=19)], True, id="too-few-requests-to-say"),
        pytest.param([Sample(requests=100, failed=49)], True, id="less-than-half"),
        pytest.param([Sample(requests=100, slow=100)], True, id="slow-is-not-down"),
        pytest.param([Sample(connect_failures=4)], True, id="four-refused-connections"),
        pytest.param([Sample(connect_failures=5)], False, id="five-refused-connections"),
        pytest.param([BAD, BAD, NOTHING, BAD], False, id="a-sample-without-a-probe-breaks-no-row"),
    ],
)
def test_when_a_cluster_is_down_for_a_vantage_point(samples, up):
    assert after(*samples).streak.up is up


def test_two_good_probes_in_a_row_end_it():
    assert not after(GOOD, start=DOWN).streak.up
    assert not after(GOOD, BAD, GOOD, start=DOWN).streak.up
    assert after(GOOD, GOOD, start=DOWN).streak.up


def test_a_good_probe_says_nothing_while_requests_fail():
    shallow = Sample(probe=True, requests=50, failed=50)

    assert not after(*[shallow] * 5, start=DOWN).streak.up


def test_an_api_server_is_down_after_six_failures_and_up_after_two_answers():
    sighting = Sighting()
    seen = []
    for now, good in enumerate([False] * 6 + [True, True]):
        sighting = see_api(sighting, good=good, now=float(now), limits=LIMITS)
        seen.append(sighting.streak.up)

    assert seen == [True] * 5 + [False, False, True]


FAILED = Sample(probe=True, requests=20, failed=20)


@pytest.mark.parametrize(
    ("samples", "said"),
    [
        pytest.param([FAILED], Vote.FAILING, id="requests-alone"),
        pytest.param([Sample(requests=20, failed=20)], Vote.FAILING, id="without-a-probe"),
        pytest.param([Sample(False, 20, 20)], Vote.DOWN, id="the-probe-agrees"),
        pytest.param([FAILED, BAD], Vote.DOWN, id="the-next-probe-agrees"),
        pytest.param([BAD, BAD, BAD, FAILED], Vote.DOWN, id="probes-said-so-before"),
        pytest.param([Sample(True, 20, 20, connect_failures=5)], Vote.DOWN, id="connections-are-refused"),
        pytest.param([FAILED, GOOD], Vote.FAILING, id="one-good-answer"),
        pytest.param([FAILED, GOOD, GOOD], Vote.UP, id="it-is-over"),
        pytest.param([FAILED, NOTHING], Vote.FAILING, id="nothing-new"),
    ],
)  # fmt: skip
def test_failing_requests_alone_may_be_the_applications_fault(samples, said):
    assert vote(after(*samples), 1.0, 5.0) is said


def test_who_is_silent_does_not_vote():
    assert vote(None, 0.0, 5.0) is Vote.UNKNOWN
    assert vote(Sighting(), 0.0, 5.0) is Vote.UNKNOWN
    assert vote(DOWN, 8.0, 5.0) is Vote.DOWN
    assert vote(DOWN, 8.1, 5.0) is Vote.UNKNOWN
    assert vote(after(GOOD), 1.0, 5.0) is Vote.UP


def test_samples_without_content_do_not_count_as_heard():
    assert after(GOOD, NOTHING, NOTHING).heard_at == 1.0


def test_requests_of_the_last_ten_samples_are_kept():
    sighting = after(*[Sample(requests=n, failed=1, slow=1) for n in range(12)])

    assert sighting.tally == Tally(sum(range(2, 12)), 20)


def test_a_streak_that_is_confirmed_starts_again():
    once = Streak().after(good=False, failures=3, successes=2)

    assert once.after(good=True, failures=3, successes=2) == Streak()


def test_when_a_data_plane_began_to_fail_is_known_once_it_is_called_down():
    sighting, since = Sighting(), []
    for at, good in enumerate([True, False, True, False, False, False, True, True]):
        sighting = see(sighting, Sample(probe=good), float(at), LIMITS)
        since.append(sighting.bad_since)

    assert since == [None, 1.0, None, 3.0, 3.0, 3.0, 3.0, None]
