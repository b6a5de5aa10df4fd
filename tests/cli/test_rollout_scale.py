"""`crossfade rollout scale` needs no hub, and tells what is wrong with its numbers."""

import pytest


@pytest.mark.parametrize(
    ("options", "canary", "stable"),
    [
        pytest.param("--replicas 10 --weight 15 --max-surge 0", 2, 8, id="nearest"),
        pytest.param("--replicas 10 --weight 1", 1, 10, id="a-quarter-of-surge-by-default"),
        pytest.param("--replicas 3 --weight 34 --max-surge 1", 1, 2, id="surge-in-pods"),
        pytest.param("--replicas 3 --weight 49 --max-surge 10%", 2, 2, id="surge-in-percent"),
        pytest.param("--replicas 4 --weight 500 --max-weight 1000", 2, 2, id="finer-weights"),
        pytest.param("--replicas 10 --weight 33 --traffic-routed", 4, 10, id="a-router-splits"),
        pytest.param("--replicas 4 --weight 200 --traffic-routed", 8, 4, id="more-than-everything"),
        pytest.param("--replicas 0 --weight 50", 0, 0, id="no-pods"),
    ],
)
def test_the_counts_are_printed_for_programs(crossfade, options, canary, stable):
    ran = crossfade("rollout", "scale", *options.split(), "--output", "json")

    assert ran.data == {"canary": canary, "stable": stable}


def test_people_get_one_line(crossfade):
    ran = crossfade("rollout", "scale", "--replicas", "10", "--weight", "50")

    assert ran.out == "canary 5, stable 5\n"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param("--weight 101", "--weight 101 is more than --max-weight 100", id="weight"),
        pytest.param("--weight 5 --max-surge much", "--max-surge: `much` is neither", id="surge"),
        pytest.param("--weight -1", "greater than or equal to 0", id="below-0"),
        pytest.param(
            "--weight 1 --max-weight 0", "greater than or equal to 1", id="no-weight-at-all"
        ),
    ],
)
def test_wrong_numbers_are_refused(crossfade, options, said):
    ran = crossfade("rollout", "scale", "--replicas", "10", *options.split())

    assert ran.code == 2
    assert said in ran.err
    assert "hint:" in ran.err
