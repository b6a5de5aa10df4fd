"""What shared configurations may hold, and which variables builds have of them."""

import pytest

from crossfade.base.errors import InputError
from crossfade.core.pipeline.shared_configuration import (
    LARGEST_BYTES,
    SharedKind,
    contexts_of,
    masked_data,
    named_anywhere,
    shared_data,
    shared_name,
    shared_variables,
)
from crossfade.core.pipeline.variables import Source, Variable

CONFIG, SECRET, YAML = SharedKind.CONFIG, SharedKind.SECRET, SharedKind.YAML


@pytest.mark.parametrize("name", ["", "-x", ".x", "a/b", "a b", "x" * 254, "a\n"])
def test_a_name_that_no_path_or_file_could_have_is_refused(name):
    with pytest.raises(InputError, match="not the name of a shared configuration"):
        shared_name(name)


def test_the_usual_names_are_taken():
    assert [shared_name(each) for each in ("test-hello", "A.b_1")] == ["test-hello", "A.b_1"]


def test_numbers_and_flags_of_plain_ones_are_texts_as_in_variables():
    assert shared_data(CONFIG, {"A": 5, "B": True, "C": "x", "D": 1.5}) == {
        "A": "5",
        "B": "true",
        "C": "x",
        "D": "1.5",
    }


@pytest.mark.parametrize(
    ("kind", "data", "said"),
    [
        (CONFIG, {}, "needs at least one variable"),
        (CONFIG, "geheim", "needs at least one variable"),
        (CONFIG, {"A": ["geheim"]}, "the value of A is a list or a mapping"),
        (SECRET, {"A": None}, "the value of A is nothing"),
        (YAML, {"A": {"b": ["geheim", float("nan")]}}, "the value of A has what no store keeps"),
        (YAML, {"A": {"geheim\0": 1}}, "the value of A has what no store keeps"),
        (SECRET, {"A": "geheim\ud800"}, "the value of A has what no store keeps"),
        (CONFIG, {"1A": "geheim"}, "'1A' is not the name of a variable"),
        (YAML, {"a=b": "geheim"}, "'a=b' is not the name of a variable"),
        (YAML, {"A": "geheim" * LARGEST_BYTES}, "is not kept"),
    ],
)
def test_what_cannot_be_variables_is_refused_without_its_values(kind, data, said):
    with pytest.raises(InputError, match=said) as caught:
        shared_data(kind, data)

    assert "geheim" not in f"{caught.value} {caught.value.hint}"


def test_lists_and_mappings_become_json_in_one_line():
    found = shared_variables(YAML, {"m": {"a": [1, "ü"]}, "n": None, "t": False})

    assert {name: each.value for name, each in found.items()} == {
        "m": '{"a": [1, "ü"]}',
        "n": "",
        "t": "false",
    }


@pytest.mark.parametrize("kind", SharedKind)
def test_values_of_secret_ones_are_masked_in_logs(kind):
    secret = kind in (SharedKind.SECRET, SharedKind.SECRET_YAML, SharedKind.VAULT)

    assert shared_variables(kind, {"A": "x"}) == {"A": Variable("A", "x", Source.SHARED, secret)}


def test_of_a_secret_one_only_the_names_are_shown():
    assert masked_data({"A": "geheim", "B": {"c": "geheim"}}) == {"A": "***", "B": "***"}


@pytest.mark.parametrize("given", ["x", [1], [""], {"a": "b"}])
def test_contexts_that_are_no_list_of_names_are_refused_with_their_place(given):
    with pytest.raises(InputError, match=r"spec\.triggers\[0\]\.contexts is"):
        contexts_of({"contexts": given}, "spec.triggers[0]")


def test_who_names_a_configuration_is_found_whatever_else_is_wrong():
    spec = {
        "contexts": ["a", 1],
        "triggers": [{"contexts": ["b"]}, 3, {"contexts": "no list"}],
        "cronTriggers": [{"contexts": ["c"]}],
    }

    assert list(named_anywhere(spec)) == ["a", "b", "c"]
    assert contexts_of({}) == ()
