"""The peers in the benchmark do what their documents say; else its ratios mean nothing."""

import random
import statistics
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture(scope="module")
def bench():
    """Return the modules of the benchmark, which lie in a folder of programs."""
    sys.path.insert(0, str(BENCH))
    try:
        import canary_harm
        import canary_policies
        import canary_world
    finally:
        sys.path.remove(str(BENCH))
    return {"harm": canary_harm, "policies": canary_policies, "world": canary_world}


def decided(bench, policy, **row):
    run = bench["harm"].once
    everyone = bench["harm"].PEERS | bench["harm"].OURS
    decision, minutes, _ = run(bench["world"].Row("row", **row), everyone[policy], 1)
    return decision, minutes


@pytest.mark.parametrize(
    ("policy", "decision", "minutes"),
    [
        ("Flagger README", "rollback", 11),
        ("Flagger tutorial", "rollback", 6),
        ("Flagger threshold 1", "rollback", 2),
        ("Argo strict", "rollback", 1),
        ("z peeked p < .01", "rollback", 1),
        ("Kayenta 3 x 1 h", "rollback", 60),
        ("Kayenta 3 x 15 min", "rollback", 15),
    ],
)
def test_an_outage_of_the_canary_is_met_when_the_settings_say_so(bench, policy, decision, minutes):
    assert decided(bench, policy, plus=1) == (decision, minutes)


@pytest.mark.parametrize(
    ("policy", "minutes"),
    [
        ("Flagger README", 10),
        ("Flagger tutorial", 5),
        ("Argo docs", 40),
        ("Kayenta 3 x 1 h", 180),
        ("ours, risk budget", 10),
    ],
)
def test_a_good_canary_takes_as_long_as_the_settings_say(bench, policy, minutes):
    assert decided(bench, policy, base=0.002) == ("promote", minutes)


def test_the_same_seed_is_the_same_world_for_every_policy(bench):
    row = bench["world"].Row("row", "harsh")
    one, other = bench["world"].World(row, 5), bench["world"].World(row, 5)

    assert [one.tick(0.1) for _ in range(20)] == [other.tick(0.1) for _ in range(20)]


@pytest.mark.parametrize("mean", [0.5, 11.0, 13.0, 400.0])
def test_draws_have_the_mean_and_the_spread_of_a_poisson_distribution(bench, mean):
    rng = random.Random(2)  # noqa: S311 - a simulation
    drawn = [bench["world"].poisson(rng, mean) for _ in range(4000)]

    assert statistics.fmean(drawn) == pytest.approx(mean, rel=0.06)
    assert statistics.variance(drawn) == pytest.approx(mean, rel=0.12)


@pytest.mark.parametrize(("trials", "chance"), [(20, 0.1), (500, 0.3), (500, 0.9), (7, 1.0)])
def test_draws_have_the_mean_and_the_spread_of_a_binomial_distribution(bench, trials, chance):
    rng = random.Random(3)  # noqa: S311 - a simulation
    drawn = [bench["world"].binomial(rng, trials, chance) for _ in range(4000)]

    assert statistics.fmean(drawn) == pytest.approx(trials * chance, rel=0.03)
    spread = trials * chance * (1 - chance)
    assert statistics.variance(drawn) == pytest.approx(spread, rel=0.12)
