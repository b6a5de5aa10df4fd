"""Time that a user's clock cannot turn back."""

import sys
import time

import pytest

from crossfade.base.clock import SteadyClock

wall = time.time  # noqa: TID251 - the clock that must not matter


@pytest.mark.parametrize("jump", [-86400.0, 86400.0])
def test_a_wall_clock_that_jumps_moves_nothing(monkeypatch, jump):
    clock, real = SteadyClock(), wall()
    before = clock.now()
    monkeypatch.setattr(time, "time", lambda: real + jump)
    after = clock.now()

    assert before <= after < before + 60


def test_time_goes_on():
    clock = SteadyClock()
    times = [clock.now() for _ in range(1000)]
    deadline = time.monotonic() + 5
    while clock.now() <= times[0]:
        assert time.monotonic() < deadline

    assert times == sorted(times)


def test_it_begins_now():
    assert abs(SteadyClock().now() - wall()) < 60


def test_a_clock_set_back_between_two_hubs_does_not_run_time_backwards():
    newest = wall() + 3600
    clock = SteadyClock(not_before=newest)

    assert newest <= clock.now() < newest + 60


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells how long it slept")
def test_a_laptop_that_slept_does_not_leave_the_hub_in_the_past(monkeypatch):
    clock = SteadyClock()
    before, awake = clock.now(), time.clock_gettime(time.CLOCK_BOOTTIME)
    monkeypatch.setattr(time, "clock_gettime", lambda _: awake + 8 * 3600)

    assert clock.now() - before > 7 * 3600
