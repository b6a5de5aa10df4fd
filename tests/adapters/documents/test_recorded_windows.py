"""Recorded windows from files."""

import json

import pytest

from crossfade.adapters.documents.recorded_windows import read_windows
from crossfade.base.errors import InputError, NotFound
from crossfade.core.analysis.counts import Window

ONE = {"id": 1, "cluster": "gcp", "n_c": 50, "n_s": 950, "events": {"errors": [0, 4]}}
TWO = {**ONE, "id": 2, "at_s": 30.5}
READ = (
    Window(1, "gcp", 50, 950, {"errors": (0, 4)}),
    Window(2, "gcp", 50, 950, {"errors": (0, 4)}, 30.5),
)


@pytest.fixture
def read(tmp_path):
    def run(text):
        (tmp_path / "windows").write_text(text)
        return read_windows(tmp_path / "windows")

    return run


def test_a_window_on_each_line_a_list_and_a_list_over_many_lines_are_the_same(read):
    assert read(f"{json.dumps(ONE)}\n\n{json.dumps(TWO)}\n") == READ
    assert read(json.dumps([ONE, TWO])) == READ
    assert read("\n" + json.dumps([ONE, TWO], indent=2)) == READ


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"n_c": None}, r"windows:2: n_c: null is not allowed; allowed: a whole number from 0"),
        ({"n_c": -1}, r"windows:2: n_c: -1 is not allowed"),
        ({"n_c": 1.5}, r"windows:2: n_c: 1.5 is not allowed"),
        ({"n_s": True}, r"windows:2: n_s: true is not allowed"),
        ({"n_s": 1e300}, r"windows:2: n_s: 1e\+300 is not allowed"),
        ({"id": "x"}, r'windows:2: id: "x" is not allowed'),
        ({"cluster": 5}, r"windows:2: cluster: 5 is not allowed; allowed: a name"),
        ({"events": [1]}, r"windows:2: events: \[1\] is not allowed; allowed: a mapping"),
        ({"events": {"errors": 5}}, r"events.errors: 5 is not allowed; allowed: \[canary's, st"),
        ({"events": {"errors": [5, "x"]}}, r'events.errors\[1\]: "x" is not allowed'),
        ({"events": {"errors": [51, 0]}}, r"has \(51, 0\) of \(50, 950\) requests as errors"),
        ({"at_s": "now"}, r'windows:2: at_s: "now" is not allowed; allowed: seconds'),
        ({"at_s": 1e300}, r"windows:2: at_s: 1e\+300 is not allowed"),
        ({"requests": 5}, r'windows:2: unknown key "requests"; allowed: id, cluster'),
        ({"clusters": 5}, r'did you mean "cluster"'),
    ],
)
def test_a_mistake_is_told_with_its_line_and_key(read, change, says):
    with pytest.raises(InputError, match=says):
        read(f"{json.dumps(ONE)}\n{json.dumps({**TWO, **change})}\n")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "windows: has no window"),
        ("[]", "windows: has no window"),
        ("5", "windows:1: 5 is not allowed; allowed: a window"),
        ('{"id": 1}', "windows:1: cluster: is missing"),
        (f"{json.dumps(ONE)}\n{{oops", "windows:2:2: is not valid JSON"),
        ("[\n1,\n]", "windows:3:1: is not valid JSON"),
        ("[5]", r"windows: windows\[0\]: 5 is not allowed"),
        ('{"id": NaN}', "windows:1: is not valid JSON: NaN is no number"),
        ("[" * 100_000, "is not valid JSON"),
    ],
)
def test_what_is_no_record_is_told(read, text, says):
    with pytest.raises(InputError, match=says):
        read(text)


def test_a_record_that_is_not_there_is_not_found(tmp_path):
    with pytest.raises(NotFound, match="there is no file"):
        read_windows(tmp_path / "windows")
