"""Values as Helm's `--set` understands them."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.base.errors import InputError
from crossfade.core.release.values import merge, parse_set


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("a=b", {"a": "b"}),
        ("a=", {"a": ""}),
        ("a.b.c=d", {"a": {"b": {"c": "d"}}}),
        ("a=1,b=-2", {"a": 1, "b": -2}),
        ("image.tag=2.0", {"image": {"tag": "2.0"}}),
        ("a=007", {"a": "007"}),
        ("a=0", {"a": 0}),
        ("a=true,b=False", {"a": True, "b": False}),
        ("a=null", {"a": None}),
        ("a=99999999999999999999", {"a": "99999999999999999999"}),
        ("a={x,1,true}", {"a": ["x", 1, True]}),
        ("a={}", {"a": [""]}),
        ("a={x},b=1", {"a": ["x"], "b": 1}),
        ("a[0]=x", {"a": ["x"]}),
        ("a[1].b=x", {"a": [None, {"b": "x"}]}),
        ("a[0][1]=x", {"a": [[None, "x"]]}),
        (r"a\.b=x", {"a.b": "x"}),
        (r"a=x\,y", {"a": "x,y"}),
        (r"annotations.kubernetes\.io/name=x", {"annotations": {"kubernetes.io/name": "x"}}),
        ("a=b=c", {"a": "b=c"}),
        ("a=http://x/?q=1", {"a": "http://x/?q=1"}),
        ("a=b,", {"a": "b"}),
        ("a= b ", {"a": " b "}),
    ],
)
def test_an_expression_gives_what_helm_makes_of_it(expression, values):
    assert parse_set([expression]) == values


def test_what_is_set_goes_over_the_files_values_and_leaves_the_rest():
    before = {"image": {"repository": "r", "tag": "1"}, "list": [{"a": 1}, {"b": 2}]}
    got = parse_set(["image.tag=2", "list[1].b=3"], before)
    assert got == {"image": {"repository": "r", "tag": 2}, "list": [{"a": 1}, {"b": 3}]}
    assert before["image"]["tag"] == "1", "the caller's values are changed"


def test_text_stays_text_when_asked_for():
    assert parse_set(["a=1,b={true}"], text=True) == {"a": "1", "b": ["true"]}


@pytest.mark.parametrize(
    "expression",
    ["a", "a.b", "=x", "a..b=1", ".a=1", "a.=1", "a[x]=1", "a[-1]=1", "a[70000]=1", "a[0=1",
     "a={x", "a,b=1", "a[0]b=1", ".".join("a" * 40) + "=1", "[0]=x"],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_with_a_hint(expression):
    with pytest.raises(InputError) as raised:
        parse_set([expression])
    assert expression in str(raised.value)
    assert raised.value.hint


@pytest.mark.parametrize(
    ("expression", "values"), [("a.b=1", {"a": 5}), ("a[0]=1", {"a": {"x": 1}})]
)
def test_a_value_that_is_in_the_way_is_not_thrown_away(expression, values):
    with pytest.raises(InputError):
        parse_set([expression], values)


def test_maps_are_merged_and_all_else_is_replaced():
    under = {"a": {"x": 1, "y": 2}, "b": [1, 2], "c": 1}
    assert merge(under, {"a": {"y": 3}, "b": [3], "c": {"z": 1}, "d": None}) == {
        "a": {"x": 1, "y": 3}, "b": [3], "c": {"z": 1}, "d": None,
    }  # fmt: skip


@given(st.text(alphabet="ab.[]{}=,\\01 ", max_size=20))
def test_any_text_is_read_or_refused_never_a_crash(expression):
    with suppress(InputError):
        parse_set([expression])


@pytest.mark.parametrize("expression", ["a=null,a.b=1", "a=null,a[0]=1", "b.a=null,b.a.c=1"])
def test_a_null_that_was_set_is_no_map_and_no_list_as_in_helm(expression):
    with pytest.raises(InputError, match="there is another value"):
        parse_set([expression])
