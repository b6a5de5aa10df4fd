"""Paths into JSON answers."""

import pytest

from crossfade.base.errors import InputError
from crossfade.core.analysis.json_path import parse_path

DOCUMENT = {"data": {"items": [{"ok": True}, {"ok": False}], "a b": 1, "nil": None}, "n": 0}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("", DOCUMENT),
        ("$", DOCUMENT),
        ("{$}", DOCUMENT),
        ("n", 0),
        ("{$.data.items[0].ok}", True),
        ("{.data.items[-1].ok}", False),
        ("$.data['a b']", 1),
        ('$["data"]["a b"]', 1),
        ("$.data.items[*].ok", [True, False]),
        ("$.data.items.*.ok", [True, False]),
        ("$.data.nil", None),
        ("{ $.data.items }", DOCUMENT["data"]["items"]),
    ],
)
def test_a_path_gives_what_is_there(path, value):
    assert parse_path(path).find(DOCUMENT) == (True, value)


@pytest.mark.parametrize(
    "path", ["$.other", "$.data.items[2]", "$.data.items[-3]", "$.n.x", "$.data[0]", "$.n[*]"]
)
def test_what_is_not_there_is_nothing_and_not_null(path):
    assert parse_path(path).find(DOCUMENT)[0] is False


@pytest.mark.parametrize(
    "path", ["$..ok", "$.items[?(@.ok)]", "$.items[0", "$.items[1:2]", "$.", "$[]", "$.a b", "$['a"]
)
def test_a_path_of_another_dialect_is_refused_at_its_place(path):
    with pytest.raises(InputError, match="cannot be read at"):
        parse_path(path)


def test_a_path_longer_than_anybody_writes_is_refused():
    with pytest.raises(InputError):
        parse_path(".a" * 10_000)
