"""What automation may never do, whatever it has seen."""

import pytest

from crossfade.core.failover.guard import Removal, last_copy, over_budget


@pytest.mark.parametrize(
    ("removals", "percent", "now", "allowed"),
    [
        pytest.param([], 90, 100, True, id="one-cluster-always-may-go"),
        pytest.param([("gcp", 50, 33)], 33, 100, False, id="a-second-one-of-three-must-wait"),
        pytest.param([("gcp", 50, 33)], 33, 110, True, id="until-a-minute-has-passed"),
        pytest.param([("gcp", 50, 10)], 10, 100, True, id="small-ones-may-go-together"),
        pytest.param([("gcp", 50, 17)], 17, 100, True, id="up-to-the-limit"),
        pytest.param([("gcp", 50, 17)], 17.1, 100, False, id="and-not-beyond"),
        pytest.param([("aws", 99, 60)], 60, 100, True, id="the-same-decision-made-again"),
    ],
)
def test_at_most_one_cluster_or_a_third_of_capacity_goes_in_a_minute(
    removals, percent, now, allowed
):
    seen = tuple(Removal(name, float(at), share) for name, at, share in removals)

    assert (over_budget(seen, "aws", percent, float(now)) == "") is allowed


def test_the_reason_says_how_long_to_wait():
    why = over_budget((Removal("gcp", 50.0, 33.0),), "aws", 33.0, 70.0)

    assert why == (
        "budget: gcp went out less than 60 s ago, and together that is 66 % of capacity"
        " (limit 34 %); 40 s to wait"
    )


def test_the_last_copy_stays():
    assert last_copy([], "aws")
    assert last_copy(["aws"], "aws")
    assert last_copy(["gcp"], "aws") == ""
