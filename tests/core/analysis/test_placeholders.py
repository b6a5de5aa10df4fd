"""Placeholders in queries and messages."""

import pytest

from crossfade.base.errors import InputError
from crossfade.core.analysis.placeholders import fill, fill_json, names

FIELDS = {"revision": "r1", "args.path": "/a"}


def test_names_are_replaced_by_their_values():
    assert fill('x{rev="{{ revision }}", path="{{args.path}}"}', FIELDS) == 'x{rev="r1", path="/a"}'
    assert names("{{revision}} {{ args.path }}") == ("revision", "args.path")


def test_a_value_is_not_looked_into_so_that_nobody_can_smuggle_in_a_name():
    assert fill("{{a}}", {"a": "{{b}}", "b": "x"}) == "{{b}}"


def test_single_braces_are_promql_and_stay():
    assert fill('sum(rate(a{b="c"}[1m])) by (le)', FIELDS) == 'sum(rate(a{b="c"}[1m])) by (le)'


def test_a_misspelt_name_is_refused_with_the_right_one():
    with pytest.raises(InputError) as raised:
        fill("{{revison}}", FIELDS)
    assert raised.value.hint.startswith("did you mean `{{revision}}`?")


@pytest.mark.parametrize("text", ["{{}}", "{{ .Values.x }}", "{{ a b }}", "{{a|b}}", "{{a\n.b}}"])
def test_templates_of_other_languages_are_refused_not_sent(text):
    with pytest.raises(InputError, match="is no placeholder"):
        fill(text, FIELDS)


def test_texts_anywhere_in_json_are_filled_and_keys_stay():
    value = {"{{revision}}": ["{{revision}}", 1, None, {"a": "{{args.path}}"}]}
    assert fill_json(value, FIELDS) == {"{{revision}}": ["r1", 1, None, {"a": "/a"}]}
