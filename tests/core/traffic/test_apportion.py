"""Shares are whole parts that sum, and nobody moves because somebody else has gone."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossfade.core.traffic.apportion import apportion

MANY = 10_000


@pytest.mark.parametrize(
    ("total", "weights", "limits", "parts"),
    [
        pytest.param(10_000, [1, 1, 1], [MANY] * 3, (3334, 3333, 3333), id="thirds"),
        pytest.param(10_000, [45, 45, 10], [MANY] * 3, (4500, 4500, 1000), id="exact"),
        pytest.param(10_000, [50, 50], [2000, MANY], (2000, 8000), id="what-is-full-is-passed-on"),
        pytest.param(10_000, [50, 50], [2000, 3000], (2000, 3000), id="no-more-than-all-can-carry"),
        pytest.param(10_000, [0, 7], [MANY, MANY], (0, 10_000), id="no-weight-no-users"),
        pytest.param(10_000, [0, 0], [MANY, MANY], (0, 0), id="nobody"),
        pytest.param(2, [1, 1, 1], [MANY] * 3, (1, 1, 0), id="fewer-parts-than-takers"),
        pytest.param(10_000, [], [], (), id="no-takers"),
    ],
)
def test_apportion(total, weights, limits, parts):
    assert apportion(total, weights, limits) == parts


TAKERS = st.lists(
    st.tuples(st.integers(0, 1000), st.one_of(st.just(MANY), st.integers(0, 4000))),
    min_size=1,
    max_size=8,
)


def one_by_one(total, weights, limits):
    """The method as it is defined, without any shortcut."""
    parts = [0] * len(weights)
    for _ in range(total):
        able = [i for i, w in enumerate(weights) if w > 0 and parts[i] < limits[i]]
        if not able:
            break
        parts[min(able, key=lambda i: ((2 * parts[i] + 1) / weights[i], i))] += 1
    return tuple(parts)


@settings(deadline=None)
@given(st.integers(0, 200), TAKERS)
def test_the_shortcut_deals_as_if_one_by_one(total, takers):
    weights, limits = zip(*takers, strict=True)

    assert apportion(total, weights, limits) == one_by_one(total, weights, limits)


@settings(deadline=None)
@given(TAKERS)
def test_parts_sum_and_no_limit_is_broken(takers):
    weights, limits = zip(*takers, strict=True)
    parts = apportion(MANY, weights, limits)
    room = sum(limit for weight, limit in takers if weight)

    assert sum(parts) == min(MANY, room)
    assert all(part <= limit for part, limit in zip(parts, limits, strict=True))


@settings(deadline=None)
@given(TAKERS, st.data())
def test_those_who_stay_lose_nobody_when_another_goes(takers, data):
    weights, limits = (list(each) for each in zip(*takers, strict=True))
    before = apportion(MANY, weights, limits)
    gone = data.draw(st.integers(0, len(takers) - 1))
    weights[gone] = 0
    after = apportion(MANY, weights, limits)

    assert all(after[i] >= before[i] for i in range(len(takers)) if i != gone)
