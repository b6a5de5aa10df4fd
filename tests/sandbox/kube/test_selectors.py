"""Selectors in objects and in queries."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.sandbox.kube import selectors
from crossfade.sandbox.kube.client import ApiError
from crossfade.sandbox.kube.kinds import POD

keys, values = st.sampled_from(["a", "b", "example.com/c"]), st.sampled_from(["", "1", "2"])
label_sets = st.dictionaries(keys, values)


@given(wanted=label_sets, found=label_sets)
def test_exact_labels_mean_the_same_in_objects_and_in_queries(wanted, found):
    by_object = selectors.label_selector({"matchLabels": wanted})(found)
    query = ",".join(f"{key}={value}" for key, value in wanted.items())
    by_query = selectors.labels(query)({"metadata": {"labels": found}})
    assert by_object == by_query == (wanted.items() <= found.items())


@given(key=keys, some=st.lists(values, min_size=1), found=label_sets)
def test_a_set_and_its_opposite_never_agree(key, some, found):
    pairs = (("In", "NotIn", some), ("Exists", "DoesNotExist", []))
    for yes, no, values in pairs:
        answers = [
            selectors.label_selector(
                {"matchExpressions": [{"key": key, "operator": operator, "values": values}]}
            )(found)
            for operator in (yes, no)
        ]
        assert answers[0] != answers[1]


def test_no_selector_selects_nothing_and_an_empty_one_all():
    assert not selectors.label_selector(None)({"a": "1"})
    assert selectors.label_selector({})({"a": "1"})


@given(st.text(max_size=12))
def test_any_text_is_read_or_refused(text):
    for read in (selectors.labels, lambda text: selectors.fields(POD, text)):
        code = 400
        try:
            read(text)({"metadata": {"name": "a"}})
        except ApiError as error:
            code = error.code
        assert code == 400


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        ("spec.nodeName=", True),
        ("spec.hostNetwork=false", True),
        ("status.phase!=Running,metadata.name=p", True),
        ("metadata.name=a\\,b", False),
    ],
)
def test_fields_that_are_absent_have_their_zero(selector, selected):
    pod = {"metadata": {"name": "p"}, "spec": {}, "status": {"phase": "Pending"}}
    assert selectors.fields(POD, selector)(pod) is selected
