"""YAML of pipeline files: 1.2, with places, and without ways to bring the reader down."""

import time

import pytest

from crossfade.adapters.pipelines.reading import parse
from crossfade.core.pipeline.tree import Date, Mark, plain


def read(text: str):
    trees, unreadable = parse(text)
    assert unreadable == ()
    (tree,) = trees
    return tree


def refused(text: str) -> str:
    trees, unreadable = parse(text)
    if trees:
        pytest.fail("it was read")  # not shown: it may be endless
    (first, *_) = unreadable
    return f"{first.at.line}:{first.at.column}: {first.path}: {first.message}"


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("on", "on"),
        ("yes", "yes"),
        ("True", True),
        ("~", None),
        ("", None),
        ("0777", 777),
        ("0o17", 15),
        ("0x1F", 31),
        ("0b11", 3),
        ("1_000", 1000),
        ("1.10", 1.1),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("-.inf", float("-inf")),
        ("1_", "1_"),
        ("1.2.3", "1.2.3"),
        ("12:30", "12:30"),
        ("2020-01-01", Date("2020-01-01")),
        ("2020-01-01T10:00:00Z", Date("2020-01-01T10:00:00Z")),
        ("'2020-01-01'", "2020-01-01"),
        ("!!str 5", "5"),
        ("!!float 5", 5.0),
        ("=", "="),
    ],
)
def test_words_mean_what_yaml_1_2_says(written, value):
    node = read(f"a: {written}")["a"]

    assert node is not None
    assert (node.value, type(node.value)) == (value, type(value))


def test_the_key_on_is_a_text_with_a_place():
    tree = read("when:\n  on: [success]\n")
    when = tree["when"]

    assert when is not None
    assert plain(when) == {"on": ["success"]}
    assert when.entries["on"].at == Mark(2, 3)
    assert when.entries["on"].node.items[0].at == Mark(2, 8)


def test_anchors_and_merge_keys():
    text = (
        "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc:\n  <<: [*a, *b]\n  x: 3\nd:\n  y: 4\n  <<: *a\n"
    )

    assert plain(read(text)) == {
        "a": {"x": 1, "y": 1},
        "b": {"y": 2, "z": 2},
        "c": {"x": 3, "y": 1, "z": 2},
        "d": {"x": 1, "y": 4},
    }


def test_keys_that_are_no_texts_become_some():
    assert list(read("{1: a, 1.50: b, true: c, ~: d}").entries) == ["1", "1.5", "true", "null"]


def test_a_variable_without_quotes_is_no_text():
    image = read("image: {{IMAGE}}")["image"]

    assert image is not None
    assert image.entries


def test_several_documents():
    trees, unreadable = parse("a: 1\n---\n---\nb: 2\n")

    assert unreadable == ()
    assert [plain(tree) for tree in trees] == [{"a": 1}, {"b": 2}]


def test_tabs_between_words_are_spaces():
    assert plain(read("a:\tb\nc\t: d # x\ty\ne: f\tg\n")) == {"a": "b", "c": "d", "e": "f g"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "3:1: a: is given twice, first in line 1"),
        ("a: !flatten [1]\n", '1:4: a: the tag "!flatten" is not known here'),
        ("<<: [1]\n", "1:5: : `<<` takes a mapping"),
        ("a: [1\n", "is not valid YAML"),
        ("a: b: c\n", "is not valid YAML"),
        ("\ta: 1\n", "a tab cannot be used here"),
        ("a:\n  - b\n \t- c\n", "a tab cannot be used here"),
        ("a: 'x\n", "is not valid YAML"),
        ("a: *nope\n", "is not valid YAML"),
        ("", "is empty; a pipeline begins with"),
        ("# only a comment\n", "is empty"),
        ("a: \x01\n", "a control character"),
        ("a: &a [*a]\n", "is nested too deeply, or contains itself"),
        ("[" * 5000, "is nested too deeply"),
        (": x\n", "a key is missing before the colon"),
        ("a: !!int x\n", "is not what the tag !!int says"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(text, message):
    assert message in refused(text)


def test_a_bomb_of_aliases_is_refused_at_once():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    started = time.process_time()

    assert "aliases included" in refused("\n".join(lines))
    assert time.process_time() - started < 5


def test_an_anchor_that_is_given_twice_is_no_problem():
    assert plain(read("a: &x 1\nb: &x 2\nc: *x\n")) == {"a": 1, "b": 2, "c": 2}
