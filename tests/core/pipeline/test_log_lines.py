"""Lines keep their numbers, however the text that they are in comes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.core.pipeline import log_lines
from crossfade.core.pipeline.log_lines import LogLines

texts = st.text(alphabet="ab\r\n", max_size=60)


def cut(text, places):
    lines, found, last = LogLines(), [], 0
    for place in sorted(place % (len(text) + 1) for place in places):
        found += lines.feed(text[last:place])
        last = place
    found += lines.feed(text[last:])
    found += lines.finish()
    assert lines.count == len(found)
    return found


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(log_lines, "LONGEST", 5)


@given(texts, st.lists(st.integers(0, 60), max_size=8))
def test_lines_are_the_same_however_the_text_is_cut(text, places):
    assert cut(text, places) == cut(text, [])


@given(st.lists(st.text(alphabet="ab", max_size=5), max_size=10))
def test_every_line_is_there_once(written):
    assert cut("".join(f"{line}\n" for line in written), [3]) == written


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ("a", ["a"]),
        ("a\r\n\nb\r", ["a", "", "b"]),
        ("aaaaa\n", ["aaaaa"]),
        ("aaaaabbbbbc\n", ["aaaaa", "bbbbb", "c"]),
    ],
)
def test_ends_of_lines_are_no_part_of_them_and_long_ones_are_several(text, lines):
    assert cut(text, []) == lines
