"""Evidence on one metric in one cluster."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.core.analysis.confidence import most_events
from crossfade.core.analysis.counts import Window
from crossfade.core.analysis.plan import ALTERNATIVES, Metric, Plan
from crossfade.core.analysis.strata import Stratum, grown, log_growth, mixed

LEAST = 1e-300


def binomial(trials, chance):
    return [
        math.comb(trials, count) * chance**count * (1 - chance) ** (trials - count)
        for count in range(trials + 1)
    ]


def expected(ratio, against, n, canary, stable):
    """Return the expected evidence when requests fail with these probabilities."""
    by_canary, by_stable = binomial(n[0], canary), binomial(n[1], stable)
    return math.fsum(
        p * q * math.exp(log_growth(ratio, against, n, (x_c, x_s)))
        for x_c, p in enumerate(by_canary)
        for x_s, q in enumerate(by_stable)
    )


@pytest.mark.parametrize("n", [(1, 1), (1, 9), (5, 5), (9, 2), (3, 12), (0, 4), (4, 0)])
@pytest.mark.parametrize("stable", [0.0, 0.01, 0.2, 0.5, 0.9])
@pytest.mark.parametrize("share_of_tolerance", [0.3, 0.9, 1.0])
@pytest.mark.parametrize("ratio", ALTERNATIVES)
def test_evidence_is_not_expected_to_grow_while_the_canary_is_within_the_tolerance(
    n, stable, share_of_tolerance, ratio
):
    canary = min(1.0, stable * 1.1 * share_of_tolerance)

    assert expected(ratio, 1.1, n, canary, stable) <= 1 + 1e-9


@pytest.mark.parametrize("n", [(1, 1), (2, 18), (5, 5), (12, 3)])
@pytest.mark.parametrize("stable", [0.01, 0.2, 0.5])
@pytest.mark.parametrize("times", [1.0, 1.2, 1.8])
def test_proof_of_a_good_canary_is_not_expected_to_grow_while_it_is_bad(n, stable, times):
    canary = min(1.0, stable * 1.5 * times)

    assert expected(1.0, 1.5, n, canary, stable) <= 1 + 1e-9


@pytest.mark.parametrize("n", [(1, 1), (3, 9), (6, 6), (10, 2)])
@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 1.0])
@pytest.mark.parametrize("ratio", ALTERNATIVES)
def test_evidence_is_not_expected_to_grow_when_chance_alone_deals_the_events(n, share, ratio):
    total = n[0] + n[1]
    events = round(share * total)
    dealt = [
        (math.comb(n[0], x_c) * math.comb(n[1], events - x_c) / math.comb(total, events), x_c)
        for x_c in range(max(0, events - n[1]), min(n[0], events) + 1)
    ]
    mean = math.fsum(p * math.exp(log_growth(ratio, 1.0, n, (x, events - x))) for p, x in dealt)

    assert math.fsum(p for p, _ in dealt) == pytest.approx(1)
    assert mean <= 1 + 1e-9


@pytest.mark.parametrize(
    ("n", "x"), [((0, 0), (0, 0)), ((5, 0), (5, 0)), ((0, 5), (0, 5)), ((5, 5), (0, 0))]
)
def test_what_cannot_be_compared_is_no_evidence(n, x):
    assert log_growth(2.0, 1.1, n, x) == pytest.approx(0)


def test_when_everything_fails_on_both_arms_it_is_not_the_canary():
    assert log_growth(2.0, 1.1, (50, 950), (50, 950)) < 0


@given(
    st.integers(1, 200),
    st.integers(1, 2000),
    st.integers(0, 50),
    st.sampled_from(ALTERNATIVES),
)
def test_one_more_failed_request_of_the_canary_never_speaks_for_it(n_c, n_s, x_s, ratio):
    logs = [log_growth(ratio, 1.1, (n_c, n_s), (x, min(x_s, n_s))) for x in range(n_c + 1)]

    assert all(after >= before for before, after in pairwise(logs))


@given(st.integers(1, 10_000), st.integers(0, 30), st.integers(0, 300))
def test_the_rate_itself_does_not_matter_only_how_events_are_split(times, x_c, x_s):
    few, many = (100, 900), (100 * times, 900 * times)

    assert log_growth(3.0, 1.1, few, (x_c, x_s)) == pytest.approx(
        log_growth(3.0, 1.1, many, (x_c, x_s))
    )


def after(window, **metric):
    cap = metric.pop("cap", 20.0)
    plan = Plan((Metric("errors", **metric),), ("gcp",), cap=cap)
    nothing = Stratum((0.0,) * len(plan.alternatives))
    return grown(nothing, plan, 0, window, mixed(plan, window.n_c, window.n_s))


OUTAGE = Window(1, "gcp", 75, 1425, {"errors": (75, 7)})


def test_no_single_scrape_decides_alone():
    assert max(after(OUTAGE).worse) == pytest.approx(math.log(20))
    assert max(after(OUTAGE, cap=None).worse) > math.log(1e6)


def test_dispersion_divides_all_evidence_before_the_cap():
    small = Window(1, "gcp", 75, 1425, {"errors": (2, 7)})
    plain, calm = after(small), after(small, phi=2.0)

    assert calm.worse == pytest.approx([each / 2 for each in plain.worse])
    assert calm.safe == pytest.approx(plain.safe / 2)
    assert max(after(OUTAGE, phi=2.0).worse) == pytest.approx(math.log(20))


def test_a_metric_that_was_not_measured_changes_nothing():
    window = Window(1, "gcp", 75, 1425, {"slow": (75, 7)})

    assert after(window) == Stratum((0.0,) * len(ALTERNATIVES))


def test_harm_counts_against_what_stable_did_in_the_same_window():
    assert after(Window(1, "gcp", 100, 900, {"errors": (10, 9)})).excess == pytest.approx(9)
    assert after(Window(1, "gcp", 100, 900, {"errors": (80, 720)})).excess == pytest.approx(0)


def test_harm_without_stable_requests_counts_against_what_stable_did_before():
    plan = Plan((Metric("errors"),), ("gcp",))
    stratum = after(Window(1, "gcp", 100, 900, {"errors": (1, 9)}))
    alone = Window(2, "gcp", 1000, 0, {"errors": (25, 0)})

    assert grown(stratum, plan, 0, alone, mixed(plan, 1000, 0)).excess == pytest.approx(15)


def test_without_anything_to_compare_to_usual_errors_are_not_taken_for_harm():
    alone = Window(1, "gcp", 1000, 0, {"errors": (25, 0)})

    assert after(alone).excess == 0
    assert after(alone, p0=0.01).excess == pytest.approx(15)


def when_alone(n_c, x_c, known=(4000, 20), **metric):
    """What is known after a window in which all users had the canary; stable was there before."""
    plan = Plan((Metric("errors", **metric),), ("gcp",), cap=None)
    before = Stratum((0.0,) * len(plan.alternatives), n_s=known[0], x_s=known[1])
    window = Window(1, "gcp", n_c, 0, {"errors": (x_c, 0)})
    return grown(before, plan, 0, window, mixed(plan, n_c, 0))


@pytest.mark.parametrize("known", [(4000, 20), (400, 0), (50, 2), (50, 40)])
@pytest.mark.parametrize("part", [0.2, 0.9, 1.0])
@pytest.mark.parametrize("rise", [0.0, 0.1])
def test_with_all_users_on_the_canary_evidence_is_not_expected_to_grow_up_to_what_is_bad(
    known, part, rise
):
    tolerated = max(1.5 * most_events(known[1], 0.001) / known[0], rise)
    chances = binomial(30, min(1.0, part * tolerated))

    for place in range(len(ALTERNATIVES)):
        mean = math.fsum(
            chance * math.exp(when_alone(30, x_c, known, rise=rise).worse[place])
            for x_c, chance in enumerate(chances)
        )
        assert mean <= 1 + 1e-9


def test_a_fault_that_shows_once_all_users_have_the_canary_is_seen():
    assert when_alone(400, 100).log_e > math.log(100)
    assert when_alone(400, 2).log_e <= 0
    assert when_alone(400, 100).excess == pytest.approx(98)


def test_a_few_requests_without_any_of_stable_may_be_chance():
    assert when_alone(9, 9).log_e == pytest.approx(0)
    assert when_alone(10, 10).log_e > 0


def test_without_anything_known_of_stable_nothing_is_held_against_the_canary():
    assert when_alone(400, 400, known=(0, 0)).log_e == pytest.approx(0)
    assert when_alone(400, 400, known=(10, 10)).log_e == 0
