"""YAML that is broken, hostile, or only looks like something else."""

import time

import pytest

from crossfade.adapters.documents.files import LARGEST_BYTES
from crossfade.adapters.documents.problems import Problems
from crossfade.adapters.documents.tree import MOST_VALUES, read_tree


def first_problem(text: str) -> tuple[int, int, str]:
    problems = Problems("f.yaml")
    read_tree(text, problems)
    found = min(problems.found)
    return found.at.line, found.at.column, found.message


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        pytest.param("a:\n\tb: 1", 2, 1, "a tab cannot be used here", id="tab"),
        pytest.param(
            "a:\n  b: 1\n \tc: 2", 3, 2, "a tab cannot be used here", id="tab-after-spaces"
        ),
        pytest.param("a: 1\nb: 2\na: 3", 3, 1, "is given twice, first in line 1", id="key-twice"),
        pytest.param("a: [1, 2", 1, 9, "is not valid YAML", id="open-list"),
        pytest.param("a: b: c", 1, 5, "is not valid YAML", id="two-colons"),
        pytest.param("a: *x", 1, 4, "is not valid YAML: found undefined alias", id="no-anchor"),
        pytest.param("a: !secret b", 1, 4, 'the tag "!secret" is not known', id="tag"),
        pytest.param("a: !!python/object:os.system x", 1, 4, "the tag", id="python-tag"),
        pytest.param("a: !!set {b}", 1, 4, 'the tag "!!set" is not known', id="set"),
        pytest.param("<<: {a: 1}", 1, 1, "merge keys", id="merge"),
        pytest.param("? [a]\n: 1", 1, 3, "a key must be text", id="list-as-key"),
        pytest.param("a: .nan", 1, 4, "is not a number that JSON can hold", id="nan"),
        pytest.param("a: 1e999", 1, 4, "is not a number that JSON can hold", id="infinite"),
        pytest.param("a: " + "9" * 101, 1, 4, "is too large a number", id="huge-number"),
        pytest.param("a: !!int x", 1, 4, "is not a whole number", id="int-tag"),
        pytest.param("a: &x {b: *x}", 1, 7, "contains itself", id="cycle"),
        pytest.param("[" * 5000, 1, 1, "nested too deeply", id="deep"),
        pytest.param("[" * 60 + "]" * 60, 1, 52, "nested too deeply", id="rather-deep"),
        pytest.param("a: 1\nb: \x07", 2, 4, "control character", id="bell"),
    ],
)
def test_it_is_told_where_and_what(text, line, column, message):
    found = first_problem(text)

    assert found[:2] == (line, column) or "contains itself" in found[2]
    assert message in found[2]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("on", "on"),
        ("NO", "NO"),
        ("True", True),
        ("2026-01-01", "2026-01-01"),
        ("1:30", "1:30"),
        ("0o17", 15),
        ("017", 17),
        ("0x1F", 31),
        ("-5", -5),
        ("1e3", 1000.0),
        ("1.50", 1.5),
        ("!!str 12", "12"),
        ("'12'", "12"),
        ("~", None),
        ("=", "="),
    ],
)
def test_a_plain_value_is_what_yaml_1_2_says(text, value):
    problems = Problems("f.yaml")
    (tree,) = read_tree(f"a: {text}", problems)
    read = tree.value["a"][1].value

    assert not problems.found
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_a_file_may_say_its_version_and_is_read_by_the_rules_of_1_2(version):
    problems = Problems("f.yaml")
    (tree,) = read_tree(f"%YAML {version}\n%TAG ! tag:shop,2026:\n---\na: on\n", problems)

    assert not problems.found
    assert tree.value["a"][1].value == "on"


def test_a_bomb_of_aliases_is_refused_at_once():
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12))
    start = time.monotonic()

    assert f"more than {MOST_VALUES} values" in first_problem(bomb)[2]
    assert time.monotonic() - start < 10


def test_the_largest_file_is_read_in_bearable_time():
    start = time.monotonic()
    problems = Problems("f.yaml")
    lines = "".join(f"k{n}: some value that is long enough\n" for n in range(MOST_VALUES))
    read_tree(lines[:LARGEST_BYTES].rpartition("\n")[0], problems)

    assert not problems.found
    assert time.monotonic() - start < 20
