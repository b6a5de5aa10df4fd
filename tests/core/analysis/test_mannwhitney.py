"""Intervals agree with what Kayenta and R say of the same series."""

import itertools
import json
import math
from pathlib import Path
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.core.analysis.mannwhitney import (
    TOLERANCE,
    brent,
    probability_above,
    ranks,
    shift,
    standardised,
)

SERIES = json.loads((Path(__file__).parent / "kayenta_series.json").read_text())
"""Series that Kayenta's own suites are tied out with; R says the same of them."""


def test_four_values_ten_times_as_large():
    found = shift((10, 20, 30, 40), (1, 2, 3, 4))

    assert (found.low, found.high, found.estimate) == pytest.approx((6.0, 39.0, 22.5), abs=1e-6)


@pytest.mark.parametrize(
    ("name", "confidence", "low", "high", "estimate"),
    [
        ("r 90", 0.95, -0.500002521696696, -3.486287505871302e-5, -0.4999393907180323),
        ("r 180", 0.98, -0.4999173250549087, -6.912685789769486e-6, -3.45044082729315e-5),
    ],
)
def test_the_interval_is_that_of_r(name, confidence, low, high, estimate):
    found = shift(SERIES[f"{name} canary"], SERIES[f"{name} baseline"], confidence)

    assert found.low == pytest.approx(low, abs=1e-6)
    assert found.high == pytest.approx(high, abs=1e-6)
    assert found.estimate == pytest.approx(estimate, abs=1e-4)


def test_an_interval_within_the_tolerance_comes_out_as_theirs_to_the_last_digit():
    """Both ends lie above the estimate, the low one above the high one: that is the tolerance."""
    found = shift(SERIES["many zeros"], SERIES["more zeros"], 0.95)

    assert found.low == pytest.approx(3.521755377702165e-5, abs=1e-12)
    assert found.high == pytest.approx(2.02456461662334e-5, abs=1e-12)
    assert found.estimate == pytest.approx(2.6279243045155653e-5, abs=1e-12)


def test_the_standardised_rank_sum_at_the_ends_of_the_search():
    x, y = SERIES["many zeros"], SERIES["more zeros"]
    quantile = 1.9599639845400536

    assert min(x) - max(y) == -3.124999999999986
    assert max(x) - min(y) == 5.555555555555557
    assert standardised(x, y, min(x) - max(y)) - quantile == pytest.approx(17.090968923762254)
    assert standardised(x, y, max(x) - min(y)) - quantile == pytest.approx(-20.997687930433106)


def test_ties_share_their_rank():
    assert ranks([3.0, 1.0, 3.0, 2.0, 3.0]) == ([4.0, 1.0, 4.0, 2.0, 4.0], 24.0)
    assert ranks([1.0, 2.0]) == ([1.0, 2.0], 0.0)


def test_values_that_are_all_tied_have_no_interval():
    with pytest.raises(ValueError, match="tied"):
        shift((1, 1, 1), (1, 1))
    with pytest.raises(ValueError, match="one value each"):
        shift((0.3,), (0.1,))


values = st.lists(st.integers(0, 50), min_size=4, max_size=12)


@given(values, values)
def test_the_estimate_is_near_the_median_of_all_differences(x, y):
    """Exact for samples without ties but for the root search, which stops between two jumps."""
    x, y = [a + 0.013 * i for i, a in enumerate(x)], [b + 0.00071 * i for i, b in enumerate(y)]
    differences = sorted(a - b for a, b in itertools.product(x, y))
    middle = len(differences) // 2
    around = differences[max(0, middle - 2) : middle + 3]

    estimate = shift(x, y).estimate

    assert around[0] - 2 * TOLERANCE <= estimate <= around[-1] + 2 * TOLERANCE
    assert min(around) <= median(differences) <= max(around)


@given(st.floats(-50, 50), st.floats(0.1, 5))
def test_a_root_is_found_to_the_tolerance(root, slope):
    def f(at):
        return slope * (root - at) ** 3 + (root - at)

    found = brent(f, -60, 70, f(-60), f(70))

    assert abs(found - root) <= TOLERANCE


def test_a_root_at_an_end_is_that_end():
    assert brent(math.sin, 0.0, 3.0, 0.0, 1.0) == 0.0
    assert brent(math.sin, 3.0, 4.0, 1.0, 0.0) == 4.0


@pytest.mark.parametrize(("name", "probability"), [("stat high", 0.771), ("stat low", 0.12)])
def test_how_probably_the_canary_is_above(name, probability):
    found = probability_above(SERIES[f"{name} canary"], SERIES[f"{name} baseline"])

    assert found == pytest.approx(probability, abs=1e-3)


def test_how_probably_equals_and_strangers_are_above():
    assert probability_above((1, 2, 3, 4, 5), (1, 2, 3, 4, 5)) == 0.5
    assert probability_above((1, 2, 3), (24, 25, 26)) == 0.0
    assert probability_above((24, 25, 26), (1, 2, 3)) == 1.0
