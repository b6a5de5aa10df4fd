"""Logs: each line once, whole, and only those that were asked for."""

import asyncio

import pytest

from crossfade.sandbox.kube.kubelet.logs import LogFile, LogOptions, follow, read, rotated


class Ticking:
    """A clock that the test moves."""

    def __init__(self):
        self.time = 1_000_000.0

    def now(self):
        return self.time


@pytest.fixture
def clock():
    return Ticking()


@pytest.fixture
def log(tmp_path, clock):
    log = LogFile(tmp_path / "0.log", clock)
    yield log
    log.close()


def text(path, **options):
    return b"".join(read(path, LogOptions(**options))).decode()


def test_lines_come_back_as_they_were_written(log):
    log.write("stdout", b"one\ntw")
    log.write("stderr", b"oops\n")
    log.write("stdout", b"o\rtwo\n")
    assert text(log.path) == "one\noops\ntwo\rtwo\n"


def test_a_last_line_without_an_end_is_not_lost(log):
    log.write("stdout", b"no end")
    log.close()
    assert text(log.path) == "no end"


def test_a_very_long_line_stays_one_line(log):
    log.write("stdout", b"x" * 40_000)
    log.write("stdout", b"y\n")
    assert text(log.path) == "x" * 40_000 + "y\n"


@pytest.mark.parametrize(("count", "first"), [(0, None), (1, 999), (10, 990), (5000, 0)])
def test_the_tail_is_the_last_lines(log, count, first):
    for number in range(1000):
        log.write("stdout", b"%d %s\n" % (number, b"z" * 100))
    numbers = [int(line.split()[0]) for line in text(log.path, tail_lines=count).splitlines()]
    assert numbers == ([] if first is None else list(range(first, 1000)))


def test_only_lines_since_a_time(log, clock):
    log.write("stdout", b"early\n")
    clock.time += 100
    log.write("stdout", b"late\n")
    assert text(log.path, since=clock.time - 50) == "late\n"


def test_times_are_shown_on_demand(log):
    log.write("stdout", b"hello\n")
    assert text(log.path, timestamps=True) == "1970-01-12T13:46:40.000000Z hello\n"


def test_a_limit_cuts_the_answer(log):
    log.write("stdout", b"0123456789\n" * 10)
    assert text(log.path, limit_bytes=15) == "0123456789\n0123"


def test_a_long_log_keeps_its_newer_half(tmp_path, clock):
    log = LogFile(tmp_path / "0.log", clock, rotate_bytes=1000)
    for number in range(100):
        log.write("stdout", b"line %d\n" % number)
    log.close()
    lines = text(log.path).splitlines()
    assert lines[-1] == "line 99"
    assert 10 < len(lines) < 100
    assert log.path.stat().st_size + rotated(log.path).stat().st_size < 2100
    assert text(log.path, tail_lines=25).splitlines() == lines[-25:]


async def test_following_misses_nothing_and_ends_with_the_container(tmp_path, clock):
    log = LogFile(tmp_path / "0.log", clock, rotate_bytes=700)
    log.write("stdout", b"line 0\n")
    got = b""

    async def write():
        for number in range(1, 60):
            log.write("stdout", b"line %d\n" % number)
            await asyncio.sleep(0.002)
        log.write("stdout", b"the end")
        log.close()

    async with asyncio.TaskGroup() as group:
        group.create_task(write())
        async for part in follow(log.path, LogOptions(), lambda: log):
            got += part
    assert got.decode() == "".join(f"line {number}\n" for number in range(60)) + "the end"


async def test_following_from_the_tail_starts_there(log):
    log.write("stdout", b"a\nb\nc\n")
    log.close()
    parts = [part async for part in follow(log.path, LogOptions(tail_lines=1), lambda: log)]
    assert b"".join(parts) == b"c\n"
