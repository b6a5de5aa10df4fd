"""Times survive the way to the API and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.sandbox.kube.objects.timestamps import micro_stamp, seconds_of, stamp


@given(st.integers(0, 4_000_000_000))
def test_whole_seconds_survive(seconds):
    assert seconds_of(stamp(seconds)) == seconds


@given(st.floats(0, 4_000_000_000))
def test_microseconds_survive(seconds):
    assert abs(seconds_of(micro_stamp(seconds)) - seconds) < 1e-5


@pytest.mark.parametrize("text", [None, "", "yesterday"])
def test_no_time_is_zero(text):
    assert seconds_of(text) == 0.0
