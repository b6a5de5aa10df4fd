"""The hub foresees what edges do when clouds are partly healthy: Envoy's arithmetic, row by row."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossfade.core.traffic.spill import (
    Level,
    Locality,
    locality_shares,
    priority_load,
    retry_load,
)


def levels(*healthy, total=100):
    return [Level(each, total) for each in healthy]


def percent(loads):
    return list(loads.healthy)


# Healthy percent per priority; the load with panic off and with Envoy's default threshold of 50.
# Rows marked * are those in which Envoy's documentation says otherwise than its code does.
ROWS = [
    ((100, 100), [100, 0], [100, 0]),
    ((72, 72), [100, 0], [100, 0]),
    ((72, 100), [100, 0], [100, 0]),
    ((71, 71), [99, 1], [99, 1]),
    ((71, 100), [99, 1], [99, 1]),
    ((50, 50), [70, 30], [70, 30]),
    ((50, 100), [70, 30], [70, 30]),
    ((25, 100), [35, 65], [35, 65]),  # *
    ((25, 100, 100), [35, 65, 0], [35, 65, 0]),
    ((0, 100), [0, 100], [0, 100]),
    ((25, 25), [50, 50], [50, 50]),
    ((25, 25, 100), [35, 35, 30], [35, 35, 30]),
    ((25, 25, 20), [37, 35, 28], [34, 33, 33]),  # *
    ((50, 60), [70, 30], [70, 30]),  # *
    ((5, 65), [8, 92], [8, 92]),  # *
    ((0, 0), [100, 0], [50, 50]),  # *
]


@pytest.mark.parametrize(("healthy", "off", "default"), ROWS)
def test_load_per_priority(healthy, off, default):
    assert percent(priority_load(levels(*healthy), panic=0)) == off
    assert percent(priority_load(levels(*healthy), panic=50)) == default


@pytest.mark.parametrize(
    ("healthy", "panics"),
    [
        ((25, 25), (True, True)),
        ((25, 25, 100), (False, False, False)),
        ((25, 25, 20), (True, True, True)),
        ((5, 65), (True, False)),
        ((0, 100), (False, False)),
        ((0, 0), (True, True)),
    ],
)
def test_a_level_ignores_health_only_while_all_together_cannot_carry_everybody(healthy, panics):
    assert priority_load(levels(*healthy), panic=50).panic == panics
    assert priority_load(levels(*healthy), panic=0).panic == tuple(False for _ in panics)


@pytest.mark.parametrize(
    ("hosts", "want"),
    [
        ([Level(25, 100), Level(5, 20)], [84, 16]),
        ([Level(0, 10), Level(0, 2)], [84, 16]),
        ([Level(0, 0), Level(0, 3)], [0, 100]),
        ([Level(0, 0), Level(0, 0)], [100, 0]),
    ],
)
def test_when_every_level_is_in_panic_hosts_are_counted_and_not_their_health(hosts, want):
    assert percent(priority_load(hosts, panic=50)) == want


@pytest.mark.parametrize(
    ("level", "healthy", "degraded"),
    [
        (Level(71, 100, degraded=29), 99, 1),
        (Level(25, 100, degraded=65), 35, 65),
        (Level(5, 100, degraded=0), 100, 0),
        (Level(0, 100, degraded=100), 0, 100),
        (Level(0, 100, degraded=7), 0, 100),
    ],
)
def test_degraded_hosts_get_what_healthy_ones_cannot_take(level, healthy, degraded):
    load = priority_load([level], panic=0)

    assert (load.healthy, load.degraded) == ((healthy,), (degraded,))


def test_what_rounding_leaves_goes_to_the_first_level_that_has_a_healthy_host():
    scores = [Level(10, 100, degraded=20), Level(20, 100, degraded=10), Level(10, 100)]

    load = priority_load(scores, panic=0, overprovisioning=100)

    assert (load.healthy, load.degraded) == ((16, 28, 14), (28, 14, 0))


def test_two_levels_that_can_take_half_share_in_proportion():
    load = priority_load([Level(20, 100), Level(30, 100)], panic=0, overprovisioning=100)

    assert percent(load) == [40, 60]


def test_hosts_that_were_never_probed_do_not_make_a_level_look_ill():
    with_new = [Level(1, 3, excluded=2), Level(2, 2)]

    assert percent(priority_load(with_new)) == [100, 0]
    assert percent(priority_load([Level(1, 3), Level(2, 2)])) == [46, 54]


def test_a_level_of_excluded_hosts_only_gets_nothing_while_another_can_serve():
    assert percent(priority_load([Level(0, 2, excluded=2), Level(2, 2)])) == [0, 100]


@pytest.mark.parametrize(
    ("up", "want"), [(100, 33.33), (70, 32.89), (69, 32.57), (50, 25.93), (25, 14.89), (0, 0)]
)
def test_a_locality_keeps_its_weight_until_it_falls_below_the_factor(up, want):
    shares = locality_shares([Locality(1, up, 100), Locality(2, 100, 100)])

    assert shares == pytest.approx((want, 100 - want), abs=0.01)


def test_localities_without_a_healthy_endpoint_get_nothing():
    assert locality_shares([Locality(1, 0, 5), Locality(3, 0, 0)]) == (0.0, 0.0)


WHOLE_HALF_HALF = [Level(100, 100), Level(50, 140), Level(50, 140)]


def test_a_retry_goes_to_another_priority():
    assert percent(retry_load(WHOLE_HALF_HALF, [])) == [100, 0, 0]
    assert percent(retry_load(WHOLE_HALF_HALF, [0])) == [0, 50, 50]
    assert percent(retry_load(WHOLE_HALF_HALF, [0, 1])) == [0, 0, 100]


def sequence(levels, tries, frequency):
    """Which priority each try goes to, when the first with any load is drawn each time."""
    attempts = []
    for _ in range(tries):
        load = retry_load(levels, attempts, update_frequency=frequency)
        attempts.append(next(i for i, part in enumerate(load.healthy) if part))
    return attempts


def test_once_every_priority_was_tried_they_all_count_again():
    only_two = [Level(100, 100), Level(0, 100), Level(50, 100)]

    assert sequence(only_two, 5, frequency=1) == [0, 2, 0, 2, 0]


def test_with_a_lower_update_frequency_a_priority_gets_more_than_one_try():
    only_two = [Level(100, 100), Level(0, 100), Level(50, 100)]

    assert sequence(only_two, 8, frequency=2) == [0, 0, 2, 2, 0, 0, 2, 2]


def test_a_retry_with_nobody_healthy_changes_nothing():
    dead = levels(0, 0)

    assert retry_load(dead, [0], panic=0) == priority_load(dead, panic=0)
    assert retry_load(dead, [0], panic=50) == priority_load(dead, panic=50)


@st.composite
def any_level(draw):
    total = draw(st.integers(0, 50))
    excluded = draw(st.integers(0, total))
    healthy = draw(st.integers(0, total - excluded))
    return Level(healthy, total, draw(st.integers(0, total - excluded - healthy)), excluded)


@settings(deadline=None)
@given(st.lists(any_level(), min_size=1, max_size=5), st.sampled_from([0, 50, 100]))
def test_every_request_goes_somewhere_and_never_to_a_level_that_cannot_take_it(levels, panic):
    load = priority_load(levels, panic=panic)

    assert sum(load.healthy) + sum(load.degraded) == 100
    alive = any(level.healthy or level.degraded for level in levels)
    for level, healthy, degraded in zip(levels, load.healthy, load.degraded, strict=True):
        if alive and not all(load.panic):
            assert healthy == 0 or level.healthy > 0
            assert degraded == 0 or level.degraded > 0


@settings(deadline=None)
@given(
    st.lists(any_level(), min_size=1, max_size=4),
    st.lists(st.integers(0, 3), max_size=6),
    st.integers(1, 3),
)
def test_every_retry_goes_somewhere(levels, attempts, frequency):
    tried = [each for each in attempts if each < len(levels)]

    load = retry_load(levels, tried, update_frequency=frequency)

    assert sum(load.healthy) + sum(load.degraded) == 100
