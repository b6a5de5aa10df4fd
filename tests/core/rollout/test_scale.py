"""Pods follow weights as they do for users of Argo Rollouts, and no share is left without pods."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.core.rollout.scale import (
    Counts,
    Now,
    Routed,
    Running,
    applied_on_abort,
    by_replicas,
    by_traffic,
    fence_posts,
    next_counts,
    scale_for,
    share_of,
    weight_on_abort,
)

# replicas, weight, surge -> canary, stable
BY_REPLICAS = """
0 0 0 0 0 | 0 50 0 0 0 | 0 100 0 0 0 | 0 0 1 0 0 | 0 50 1 0 0 | 0 100 1 0 0
1 0 0 0 1 | 1 1 0 0 1 | 1 49 0 0 1 | 1 50 0 1 0 | 1 99 0 1 0 | 1 100 0 1 0
1 0 1 0 1 | 1 1 1 1 1 | 1 49 1 1 1 | 1 50 1 1 1 | 1 99 1 1 1 | 1 100 1 1 0
2 0 0 0 2 | 2 1 0 1 1 | 2 50 0 1 1 | 2 99 0 1 1 | 2 100 0 2 0
2 0 1 0 2 | 2 1 1 1 2 | 2 50 1 1 1 | 2 99 1 2 1 | 2 100 1 2 0
3 10 0 1 2 | 3 25 0 1 2 | 3 33 0 1 2 | 3 34 0 1 2 | 3 49 0 1 2 | 3 50 0 2 1
3 10 1 1 3 | 3 25 1 1 3 | 3 33 1 1 2 | 3 34 1 1 2 | 3 49 1 2 2 | 3 50 1 2 2
10 0 1 0 10 | 10 1 0 1 9 | 10 14 0 1 9 | 10 15 0 2 8 | 10 16 0 2 8 | 10 99 0 9 1 | 10 100 1 10 0
10 1 1 1 10 | 10 18 1 2 9 | 10 19 1 2 9 | 10 20 1 2 8 | 10 23 1 2 8 | 10 24 1 3 8
10 25 1 3 8 | 10 99 1 10 1
"""
ROWS = [
    tuple(map(int, cell.split()))
    for cell in BY_REPLICAS.replace("\n", "|").split("|")
    if cell.strip()
]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_ratio_of_pods_comes_nearest_to_the_weight(row):
    replicas, weight, surge, canary, stable = row
    assert by_replicas(replicas, weight, max_surge=surge) == Counts(canary, stable)


@pytest.mark.parametrize("max_weight", [1, 7, 100, 1000])
def test_a_weight_between_nothing_and_everything_leaves_neither_revision_without_pods(max_weight):
    for replicas, surge in itertools.product(range(1, 26), range(4)):
        for weight in range(1, max_weight, max(1, max_weight // 100)):
            counts = by_replicas(replicas, weight, max_weight, surge)
            if replicas + min(surge, 1) >= 2:
                assert counts.canary > 0, (replicas, weight, surge)
                assert counts.stable > 0, (replicas, weight, surge)


def test_no_more_pods_than_the_surge_allows_and_no_fewer_than_wanted():
    for replicas, weight, surge in itertools.product(range(26), range(101), range(4)):
        counts = by_replicas(replicas, weight, max_surge=surge)
        most = replicas + min(surge, 1) if replicas else 0
        assert replicas <= counts.canary + counts.stable <= most


def test_no_weight_has_no_canary_and_the_full_weight_no_stable():
    for replicas, surge in itertools.product(range(26), range(4)):
        assert by_replicas(replicas, 0, max_surge=surge) == Counts(0, replicas)
        assert by_replicas(replicas, 100, max_surge=surge) == Counts(replicas, 0)


def test_a_tie_takes_the_larger_canary():
    assert by_replicas(10, 35) == Counts(4, 6)
    assert by_replicas(4, 125, max_weight=1000) == Counts(1, 3)


@pytest.mark.parametrize(("replicas", "weight"), [(2, 75), (5, 90), (10, 95), (25, 98), (50, 99)])
def test_a_tie_just_below_everything_keeps_both_revisions(replicas, weight):
    """Argo Rollouts leaves these without any canary pod, against its own promise."""
    assert by_replicas(replicas, weight) == Counts(replicas - 1, 1)


def test_no_other_split_of_as_many_pods_is_nearer_to_the_weight():
    for replicas, weight in itertools.product(range(2, 26), range(1, 100)):
        counts = by_replicas(replicas, weight)
        far = abs(counts.canary * 100 / replicas - weight)
        inner = range(1, replicas)
        assert far <= min(abs(other * 100 / replicas - weight) for other in inner) + 1e-9


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable", "expected"),
    [
        pytest.param(10, "25%", "25%", (3, 2), id="surge-rounds-up-and-unavailable-down"),
        pytest.param(10, "0%", "0%", (0, 1), id="something-must-be-able-to-move"),
        pytest.param(10, 0, 0, (0, 1), id="the-same-in-numbers"),
        pytest.param(1, "25%", "25%", (1, 0), id="one-pod"),
        pytest.param(2, "0%", "1%", (0, 1), id="rounded-down-to-nothing"),
        pytest.param(4, 3, 9, (3, 4), id="no-more-than-all-are-unavailable"),
        pytest.param(0, "25%", "25%", (0, 0), id="no-pods-at-all"),
    ],
)
def test_fence_posts(replicas, surge, unavailable, expected):
    posts = fence_posts(replicas, surge, unavailable)
    assert (posts.surge, posts.unavailable) == expected


def test_fence_posts_are_a_quarter_unless_given():
    assert fence_posts(8) == fence_posts(8, "25%", "25%")


@pytest.mark.parametrize("wrong", ["-1", -1, "a lot", "%", "2.5", "", "25 %", "²"])
def test_a_surge_that_is_no_count_is_refused(wrong):
    with pytest.raises(ValueError, match="neither a number of pods nor a percentage"):
        fence_posts(10, wrong)


# replicas weight surge unavailable | stable wanted, available | canary wanted, available | older
#   -> stable, canary
STEPS = {
    "pods-about-to-go-do-not-count": (10, 100, 3, 0, (7, 8), (6, 3), 0, 7, 6),
    "surge-in-pods": (10, 20, 2, 0, (10, 10), (0, 0), 0, 10, 2),
    "surge-in-percent": (10, 20, "20%", 0, (10, 10), (0, 0), 0, 10, 2),
    "stable-gives-up-what-is-too-many": (10, 20, "20%", 0, (10, 10), (2, 2), 0, 8, 2),
    "never-past-the-surge": (10, 30, 2, 0, (10, 10), (0, 0), 0, 10, 2),
    "down-first-without-surge": (10, 20, 0, 2, (10, 10), (0, 0), 0, 8, 0),
    "unavailable-in-percent": (10, 20, 0, "20%", (10, 10), (0, 0), 0, 8, 0),
    "never-past-unavailable": (10, 30, 0, 2, (10, 10), (0, 0), 0, 8, 0),
    "up-and-down-at-once": (10, 50, 2, 1, (10, 10), (0, 0), 0, 9, 2),
    "weight-0-removes-the-canary": (10, 0, 1, 1, (10, 10), (1, 1), 0, 10, 0),
    "weight-100-removes-stable": (10, 100, 1, 1, (1, 1), (10, 10), 0, 0, 10),
    "some-weight-has-a-canary": (1, 20, 1, 0, (1, 1), (0, 0), 0, 1, 1),
    "not-all-weight-keeps-stable": (1, 90, 1, 0, (1, 1), (0, 0), 0, 1, 1),
    "one-pod-below-half-without-surge": (1, 49, 0, 1, (1, 1), (0, 0), 0, 1, 0),
    "one-pod-above-half-without-surge": (1, 51, 0, 1, (1, 1), (0, 0), 0, 0, 0),
    "and-then-the-canary": (1, 51, 0, 1, (0, 0), (0, 0), 0, 0, 1),
    "stable-grows-before-the-canary": (10, 30, 1, 0, (1, 1), (0, 0), 3, 7, 1),
    "both-shrink": (10, 30, 0, 3, (8, 5), (4, 4), 0, 7, 3),
    "room-for-the-canary-comes-from-unready-stable": (10, 100, 1, 0, (10, 2), (10, 8), 0, 2, 9),
    "older-ones-go-first": (10, 30, 0, 1, (8, 6), (4, 2), 3, 8, 4),
    "an-uneven-weight-takes-one-down-first": (10, 5, 0, 1, (10, 10), (0, 0), 0, 9, 0),
    "and-then-one-up": (10, 5, 0, 1, (9, 9), (0, 0), 0, 9, 1),
    "both-zero-percent-moves-one": (10, 10, "0%", "0%", (10, 10), (0, 0), 0, 9, 0),
    "surge-holds-while-stable-is-unready": (4, 100, 1, 0, (4, 1), (0, 0), 0, 4, 1),
    "down-to-unavailable-within-the-surge": (3, 99, 0, 2, (3, 3), (0, 0), 0, 1, 0),
    "unready-stable-shrinks-by-what-replaces-it": (4, 100, 1, 0, (4, 1), (1, 1), 0, 3, 1),
    "back-1-stable-grows-first": (4, 0, 1, 0, (0, 0), (4, 4), 0, 1, 4),
    "back-2-waits-for-stable": (4, 0, 1, 0, (1, 0), (4, 4), 0, 1, 4),
    "back-3-one-for-one": (4, 0, 1, 0, (1, 1), (4, 4), 0, 1, 3),
    "full-promotion": (4, 100, 4, 4, (4, 4), (0, 0), 0, 0, 4),
    "full-promotion-within-the-limits": (4, 100, 3, 0, (4, 4), (0, 0), 0, 4, 3),
}


@pytest.mark.parametrize("name", STEPS)
def test_the_next_step_of_a_canary_that_is_split_by_pods(name):
    replicas, weight, surge, unavailable, stable, canary, older, want_stable, want_canary = STEPS[
        name
    ]
    posts = fence_posts(replicas, surge, unavailable)
    desired = by_replicas(replicas, weight, max_surge=posts.surge)
    now = Now(Running(*canary), Running(*stable), older)
    assert next_counts(replicas, desired, posts, now) == Counts(want_canary, want_stable)


def test_a_first_deployment_gets_all_pods():
    posts = fence_posts(10, 0, 1)
    assert next_counts(10, Counts(1, 9), posts, Now(Running(9, 9), None)) == Counts(10, 0)
    assert next_counts(10, Counts(1, 9), posts, Now(Running(10, 0), None)) == Counts(10, 0)


def counts(most):
    return st.integers(0, most).flatmap(
        lambda wanted: st.builds(Running, st.just(wanted), st.integers(0, wanted))
    )


@given(st.integers(0, 30), st.integers(0, 100), st.sampled_from([0, 1, 3, "10%", "25%", "100%"]), st.sampled_from([0, 1, 2, "25%", "50%"]), counts(30), counts(30), st.sampled_from([0, 0, 0, 2]))  # fmt: skip
def test_no_step_leaves_the_fence_posts_by_itself(
    replicas, weight, surge, unavailable, canary, stable, older
):
    posts = fence_posts(replicas, surge, unavailable)
    desired = by_replicas(replicas, weight, max_surge=posts.surge)
    now = Now(canary, stable, older)
    got = next_counts(replicas, desired, posts, now)
    assert got.canary >= 0
    assert got.stable >= 0
    total, before = got.canary + got.stable, canary.wanted + stable.wanted
    assert total + older <= max(replicas + posts.surge, before + older), "above the surge"
    left = min(canary.available, got.canary) + min(stable.available, got.stable)
    had = canary.available + stable.available
    needed = replicas - posts.unavailable
    if (
        total < before
        and had >= needed
        and canary.available == canary.wanted
        and stable.available == stable.wanted
    ):
        assert left >= needed, "took away what was needed"
    if older:
        assert got.canary >= canary.wanted
        assert got.stable >= stable.wanted


@given(st.integers(1, 20), st.lists(st.integers(0, 100), min_size=1, max_size=4), st.sampled_from([0, 1, "25%"]), st.sampled_from([0, 1, "25%"]))  # fmt: skip
def test_every_weight_is_reached_and_enough_pods_are_ready_all_the_way(
    replicas, weights, surge, unavailable
):
    """Pods come up at once here, so each step must make progress until the counts are as wanted."""
    posts = fence_posts(replicas, surge, unavailable)
    at = Counts(0, replicas)
    for weight in weights:
        desired = by_replicas(replicas, weight, max_surge=posts.surge)
        for _ in range(4 * replicas + 4):
            now = Now(Running(at.canary, at.canary), Running(at.stable, at.stable))
            at = next_counts(replicas, desired, posts, now)
            assert replicas - posts.unavailable <= at.canary + at.stable <= replicas + posts.surge
            if at == desired:
                break
        assert at == desired


@pytest.mark.parametrize(
    ("replicas", "routed", "canary", "stable"),
    [
        pytest.param(10, Routed(10), 1, 10, id="stable-stays-whole"),
        pytest.param(10, Routed(33), 4, 10, id="rounded-up"),
        pytest.param(1, Routed(100, canary_replicas=9), 9, 1, id="explicit-pods"),
        pytest.param(4, Routed(200), 8, 4, id="explicit-weight-above-everything"),
        pytest.param(10, Routed(20), 2, 10, id="scale-that-follows-the-weight"),
        pytest.param(
            1, Routed(0, canary_replicas=1, aborted=True), 1, 1, id="explicit-pods-kept-on-abort"
        ),
        pytest.param(1, Routed(0, aborted=True), 0, 1, id="aborted"),
        pytest.param(10, Routed(5, min_pods=2), 2, 10, id="at-least-two"),
        pytest.param(1, Routed(100, min_pods=2), 1, 1, id="but-not-more-than-all"),
        pytest.param(10, Routed(0, min_pods=2), 0, 10, id="no-pods-stay-no-pods"),
    ],
)
def test_pods_where_a_router_splits_users(replicas, routed, canary, stable):
    assert by_traffic(replicas, routed) == Counts(canary, stable)


def dynamic(weight, actual, **more):
    return Routed(weight, dynamic_stable=True, actual=Counts(*actual), **more)


@pytest.mark.parametrize(
    ("routed", "canary", "stable"),
    [
        pytest.param(dynamic(10, (10, 90)), 1, 9, id="stable-shrinks-as-users-leave"),
        pytest.param(dynamic(20, (10, 90)), 2, 9, id="canary-grows-before-its-users-come"),
        pytest.param(
            dynamic(0, (20, 80), aborted=True), 2, 10, id="canary-stays-while-it-has-users"
        ),
        pytest.param(dynamic(0, (10, 90), aborted=True), 1, 10, id="canary-shrinks-as-users-leave"),
        pytest.param(Routed(30, dynamic_stable=True), 3, 7, id="before-any-weight-is-known"),
        pytest.param(dynamic(95, (95, 5), min_pods=2), 10, 2, id="at-least-two-of-stable"),
    ],
)
def test_pods_with_a_dynamic_stable(routed, canary, stable):
    assert by_traffic(10, routed) == Counts(canary, stable)


def back(canary, stable, steps, delay=None):
    return weight_on_abort(
        10,
        Now(Running(canary, canary), None if stable is None else Running(stable, stable)),
        steps,
        delay,
    )


@pytest.mark.parametrize(
    ("canary", "stable", "steps", "delay", "weight"),
    [
        pytest.param(5, 9, (10, 50), None, 10, id="held-up-by-the-canary's-pods"),
        pytest.param(5, 5, (10, 50), 30, 10, id="a-delay-looks-at-stable-only"),
        pytest.param(5, 9, (10, 50), 30, 0, id="a-delay-does-not-deadlock"),
        pytest.param(5, 9, (10, 50), 0, 10, id="a-delay-of-0-is-held-up"),
        pytest.param(6, 4, (20, 60), None, 20, id="the-step-before"),
        pytest.param(1, 4, (20, 60), None, 20, id="what-stable-lacks"),
        pytest.param(6, None, (20, 60), None, 0, id="no-stable"),
        pytest.param(0, 10, (20, 60), None, 0, id="nothing-left-to-walk"),
    ],
)
def test_an_aborted_canary_walks_back_by_its_steps(canary, stable, steps, delay, weight):
    assert back(canary, stable, steps, delay) == weight


def test_a_walk_back_brings_stable_to_what_the_next_lower_step_needs():
    """Ten pods at 60 %: the walk goes to 20 %, so stable grows to 8 while 6 canaries stay."""
    routed = dynamic(back(6, 4, (20, 60)), (60, 40), aborted=True)
    assert by_traffic(10, routed) == Counts(6, 8)


@given(
    st.integers(0, 20),
    st.integers(0, 20),
    st.integers(0, 100),
    st.one_of(st.none(), st.integers(0, 100)),
)
def test_the_weight_of_an_aborted_canary_never_rises(replicas, available, desired, actual):
    applied = applied_on_abort(replicas, available, desired, actual)
    assert applied >= 0
    if actual is not None:
        assert applied <= actual


def test_the_weight_of_an_aborted_canary_waits_for_stable():
    assert applied_on_abort(10, 4, 20, 60) == 60
    assert applied_on_abort(10, 8, 20, 60) == 20
    assert applied_on_abort(10, 9, 0, 10) == 10
    assert applied_on_abort(10, 10, 0, 10) == 0
    assert applied_on_abort(10, 3, 20, None) == 70


def test_pods_that_carry_a_weight_are_rounded_up():
    weights = [(0, 0), (20, 2), (25, 3), (33, 4), (99, 10), (100, 10)]
    assert [share_of(10, weight) for weight, _ in weights] == [pods for _, pods in weights]
    assert share_of(23, 100_000_000, 100_000_000) == 23


@pytest.mark.parametrize(
    ("percent", "clusters", "survive", "scale"),
    [(10, 3, 0, 10), (10, 3, 1, 15), (10, 3, 2, 30), (50, 2, 1, 100), (80, 3, 1, 100), (1, 1, 3, 1), (0.4, 3, 0, 1), (0, 3, 2, 0)],
)  # fmt: skip
def test_pods_are_enough_also_when_clusters_are_lost(percent, clusters, survive, scale):
    assert scale_for(percent, clusters, survive) == scale


def test_a_share_that_comes_out_even_gets_no_pod_more_by_rounding():
    assert scale_for(0.07, clusters=100, survive=99) == 7


@given(st.integers(0, 10_000), st.integers(1, 30), st.integers(0, 30))
def test_pods_are_as_many_as_the_users_after_the_loss_and_no_more(hundredths, clusters, survive):
    scale = scale_for(hundredths / 100, clusters, survive)
    left = max(1, clusters - survive)

    assert scale <= 100
    assert scale == 100 or scale * left * 100 >= hundredths * clusters
    assert (scale - 1) * left * 100 < hundredths * clusters or scale == 0
