"""Amounts are compared by what they mean and written as a real server writes them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.sandbox.kube import quantity


@pytest.mark.parametrize(
    ("given_text", "wanted", "number"),
    [
        ("1", "1", "1"),
        (1, "1", "1"),
        (0.5, "500m", "0.5"),
        ("1000m", "1", "1"),
        ("1500m", "1500m", "1.5"),
        ("2000", "2k", "2000"),
        ("1024Mi", "1Gi", "1073741824"),
        ("1.5Gi", "1536Mi", "1610612736"),
        ("1Ki", "1Ki", "1024"),
        ("0.5Ki", "512", "512"),
        ("0", "0", "0"),
        ("0.1n", "1n", "0.0000000001"),
        ("-1500m", "-1500m", "-1.5"),
        ("1e3", "1e3", "1000"),
        ("5E", "5E", "5000000000000000000"),
        (".5", "500m", "0.5"),
    ],
)
def test_a_quantity_has_one_way_to_be_written(given_text, wanted, number):
    assert quantity.canonical(given_text) == wanted
    assert quantity.amount(given_text) == Decimal(number)


@pytest.mark.parametrize("text", ["", "much", "1 Gi", "1gi", "--1", "1Gi2", "e3", None, True])
def test_what_is_no_quantity_has_no_amount(text):
    assert quantity.amount(text) is None
    assert quantity.canonical(text) == str(text)


@given(
    st.decimals(min_value=-(10**6), max_value=10**6, places=3),
    st.sampled_from(["", "m", "k", "M", "G", "Ki", "Mi", "Gi"]),
)
def test_the_canonical_form_means_the_same(number, suffix):
    text = f"{number:f}{suffix}"
    written = quantity.canonical(text)
    assert quantity.amount(written) == quantity.amount(text)
    assert quantity.canonical(written) == written
