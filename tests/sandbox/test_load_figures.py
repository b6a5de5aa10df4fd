"""The arithmetic of load figures."""

import random

import pytest

from crossfade.sandbox.load_figures import Figures, Source

BLUE, RED = Source("blue", "aws"), Source("red", "gcp")


def test_shares_count_only_answers_since_the_given_time():
    figures = Figures()
    for tenth in range(20):
        figures.answer(tenth / 10 + 0.01, 0.001, 200, BLUE if tenth < 10 else RED)
    assert figures.shares(0).versions == {"blue": 0.5, "red": 0.5}
    assert figures.shares(1.0).versions == {"red": 1.0}
    assert figures.shares(0, 1.0).clouds == {"aws": 1.0}
    assert figures.shares(5).versions == {}


def test_an_answer_that_came_late_belongs_to_the_time_of_its_request():
    """On a busy machine answers queue up; a route that has changed since did not choose them."""
    figures = Figures()
    figures.answer(2.3, 1.5, 200, BLUE)
    figures.answer(2.3, 0.1, 200, RED)
    assert figures.shares(2.0).versions == {"red": 1.0}
    assert figures.shares(0.5, 1.0).versions == {"blue": 1.0}


def test_errors_of_versions_are_told_from_those_of_gateways():
    figures = Figures()
    figures.answer(1.0, 0.1, 500, RED)
    figures.answer(1.0, 0.1, 503, Source())
    assert figures.errors_of_versions() == 1
    assert figures.errors[RED] == 1


def test_the_answers_of_one_cloud_are_told_by_version():
    figures = Figures()
    for at, source in ((0.5, BLUE), (1.5, BLUE), (1.6, RED), (1.7, Source("red", "aws"))):
        figures.answer(at, 0.01, 200, source)
    assert figures.answers_of("aws", 1.0) == {"blue": 1, "red": 1}


def test_errors_are_failures_and_no_answers():
    figures = Figures()
    figures.answer(0.5, 0.1, 503, RED)
    figures.answer(0.6, 0.1, 404, Source())
    figures.no_answer(0.7, 10, "no answer in time")
    assert (figures.answered, figures.failed) == (1, 2)
    assert figures.last_failure == 0.7
    assert figures.shares(0).failed == 2


@pytest.mark.parametrize("seed", range(5))
def test_percentiles_are_right_to_two_percent(seed):
    numbers = random.Random(seed)  # noqa: S311 - figures, no secrets
    waits = [numbers.lognormvariate(-5, 1.5) for _ in range(2000)]
    figures = Figures()
    for wait in waits:
        figures.answer(1.0, wait, 200, BLUE)
    waits.sort()
    found = figures.latencies()
    assert found.p50_ms == pytest.approx(waits[999] * 1000, rel=0.02)
    assert found.p99_ms == pytest.approx(waits[1979] * 1000, rel=0.02)
    assert found.max_ms == pytest.approx(waits[-1] * 1000, abs=0.001)


def test_failures_are_all_counted_but_not_all_kept():
    figures = Figures()
    for _ in range(1500):
        figures.no_answer(1, 1, "x")
    assert (figures.failed, len(figures.failures)) == (1500, 1000)
