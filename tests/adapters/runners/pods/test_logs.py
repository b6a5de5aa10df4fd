"""Logs of pods, read in turns: every line once, whatever a turn sees of it."""

from hypothesis import given
from hypothesis import strategies as st

from crossfade.adapters.runners.pods.logs import Position, news

FIRST = b"2026-01-31T12:00:00.000001Z one\n2026-01-31T12:00:00.000001Z two\n"


def test_a_log_is_read_from_its_beginning_without_its_times():
    text, at = news(FIRST, Position())

    assert text == b"one\ntwo\n"
    assert (at.lines, at.since) == (2, "2026-01-31T12:00:00Z")


def test_what_was_read_does_not_come_again_when_the_second_is_asked_for_once_more():
    _, at = news(FIRST, Position())
    more = FIRST + b"2026-01-31T12:00:00.000001Z three\n2026-01-31T12:00:01.5Z four\n"

    assert news(more, at)[0] == b"three\nfour\n"
    assert news(more, news(more, at)[1])[0] == b""


def test_a_line_without_an_end_goes_on_where_it_was_left():
    text, at = news(b"2026-01-31T12:00:00.1Z to be", Position())
    rest, after = news(b"2026-01-31T12:00:00.1Z to be continued\n", at)

    assert (text, rest, after.begun) == (b"to be", b" continued\n", -1)


def test_carriage_returns_and_empty_lines_stay_as_they_are():
    log = b"2026-01-31T12:00:00.1Z 10%\r20%\r\n2026-01-31T12:00:00.2Z \n"

    assert news(log, Position())[0] == b"10%\r20%\r\n\n"


def test_the_time_to_ask_from_keeps_its_zone():
    assert Position("2026-01-31T12:00:00.5+05:30", 1).since == "2026-01-31T12:00:00+05:30"


@given(
    st.lists(st.tuples(st.integers(0, 5), st.binary(max_size=4)), max_size=12),
    st.lists(st.integers(0, 200), max_size=4),
)
def test_every_byte_comes_once_however_the_log_grows(lines, cuts):
    lines = sorted(lines, key=lambda each: each[0])
    texts = [(n, text.replace(b"\n", b"")) for n, text in lines]
    log = b"".join(b"2026-01-31T12:00:0%d.0Z %s\n" % each for each in texts)
    found, at = b"", Position()
    for cut in [*sorted(cuts), len(log)]:
        seen = log[:cut]
        head = seen.rpartition(b"\n")[2]
        if b" " not in head:  # a line is written with its time at once
            seen = seen[: len(seen) - len(head)]
        begin = min(
            (i for i in _starts(log) if log[i : i + 19] == at.time[:19].encode()), default=0
        )
        text, at = news(seen[begin:] if begin < len(seen) else b"", at)
        found += text

    assert found == b"".join(text + b"\n" for _, text in texts)


def _starts(log: bytes) -> list[int]:
    starts, at = [], 0
    while at < len(log):
        starts.append(at)
        at = log.index(b"\n", at) + 1
    return starts
