"""A verdict that is kept says what a fresh one would say."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossfade.core.analysis.counters import ERRORS, Tally
from crossfade.core.analysis.counts import Window
from crossfade.core.analysis.evidence import begin, grown, verdict_of
from crossfade.core.analysis.expiry import expires_at
from crossfade.core.analysis.spec import Judge

CLOUDS = {"aws": "aws", "gcp": "gcp"}
BEGAN = 1000.0
SLOW = {"slower-250ms": (0, 1), "slower-1000ms": (0, 0)}

windows = st.tuples(
    st.integers(67, 90),
    st.sampled_from(list(CLOUDS)),
    st.integers(0, 400),
    st.sampled_from([0, 0, 0, 1, 8]),
    st.booleans(),
)


def evidence_of(known, timeout, percent):
    judge = Judge(window_seconds=15.0, min_seconds=60.0, max_seconds=timeout)
    found = begin(judge, CLOUDS, Tally(0), 50.0, now=BEGAN)
    for number, cluster, requests, errors, silent in sorted(known):
        events = {} if silent else {ERRORS: (min(errors, requests), 5), **SLOW}
        events = {name: (min(x, requests), y) for name, (x, y) in events.items()}
        window = Window(number, cluster, requests, 10 * requests + 5, events)
        found = grown(found, [window], percent, 100.0, number * 15.0)
    return found


@given(
    st.lists(windows, max_size=12),
    st.sampled_from([180.0, 400.0]),
    st.sampled_from([0.0, 5.0, 50.0]),
    st.sampled_from([(), ("gcp",)]),
    st.floats(BEGAN, BEGAN + 600),
    st.floats(0.0, 1.0),
)
def test_until_it_expires_time_alone_does_not_change_a_verdict(
    known, timeout, percent, excluded, now, share
):
    evidence = evidence_of(known, timeout, percent)
    until = expires_at(evidence, excluded, now)
    later = now + share * (min(until, now + 1000.0) - now)
    if later < until:
        assert verdict_of(evidence, excluded, later) == verdict_of(evidence, excluded, now)


@settings(max_examples=30)
@given(
    st.lists(windows, min_size=1, max_size=12),
    st.sampled_from([0.0, 5.0, 50.0]),
    st.floats(0.5, 9.0),
)
def test_verdicts_that_are_renewed_when_they_expire_are_right_at_all_times(known, percent, step):
    evidence, now = evidence_of(known, 400.0, percent), BEGAN
    until, kept = expires_at(evidence, (), now), verdict_of(evidence, (), now)
    while now < BEGAN + 700:
        now += step
        if now >= until:
            until, kept = expires_at(evidence, (), now), verdict_of(evidence, (), now)
        assert kept == verdict_of(evidence, (), now)


def test_a_verdict_that_nothing_but_news_can_change_never_expires():
    evidence = evidence_of([(70, "aws", 100, 0, False)], 180.0, 5.0)

    assert expires_at(evidence, ("aws", "gcp"), BEGAN + 10_000) == float("inf")
    assert expires_at(evidence, (), BEGAN + 1) == pytest.approx(BEGAN + 60, abs=0.01)
