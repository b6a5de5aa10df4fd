"""Quantities: sums that decide whether a Pod fits must be exact."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.base.quantities import add, shown, thousandths, whole


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [
        ("100m", 100),
        ("1", 1000),
        (2, 2000),
        ("0.1", 100),
        ("64Mi", 64 * 2**20 * 1000),
        ("1G", 10**12),
        ("1e3", 10**6),
        ("1E", 10**21),
        ("500u", 1),
        (None, 0),
        ("", 0),
        ("lots", 0),
        ("1Qi", 0),
    ],
)
def test_quantities_are_read_as_kubernetes_reads_them(quantity, expected):
    assert thousandths(quantity) == expected


def test_bytes_are_rounded_up():
    assert whole("1.5") == 2
    assert whole("1Ki") == 1024


@given(st.integers(1, 10_000))
def test_many_small_requests_sum_up_exactly(count):
    assert add([{"cpu": thousandths("0.1")}] * count)["cpu"] == count * 100


@given(st.text(max_size=8))
def test_nonsense_is_nothing_and_never_an_error(text):
    assert isinstance(thousandths(text), int)


@pytest.mark.parametrize(
    ("resource", "amount", "text"),
    [
        ("cpu", 1500, "1.5 CPU"),
        ("cpu", 100, "0.1 CPU"),
        ("memory", 512 * 2**20 * 1000, "512 MiB of memory"),
        ("memory", 3 * 2**29 * 1000, "1.5 GiB of memory"),
        ("ephemeral-storage", 2**30 * 1000, "1 GiB of disk"),
        ("pods", 3000, "3 pods"),
        ("nvidia.com/gpu", 2000, "2 nvidia.com/gpu"),
    ],
)
def test_amounts_are_told_in_units_that_people_know(resource, amount, text):
    assert shown(resource, amount) == text
