"""Users do not fail over to a revision that cannot read what theirs has written."""

import pytest

from crossfade.core.failover.skew import (
    Fit,
    SkewPolicy,
    Target,
    may_contract,
    targets,
    too_far_apart,
)

POLICY = SkewPolicy(revisions=2, seconds=3600.0, schemas={"r1": "v7", "r2": "v7", "r3": "v8"})


def names(found):
    return [each.cluster for each in found]


def test_the_same_revision_is_preferred_then_one_that_gets_along():
    running = {"aws": ["r2"], "gcp": ["r1"], "onprem": ["r3"]}

    assert targets(POLICY, "r1", running) == (
        Target("gcp", Fit.SAME),
        Target("aws", Fit.COMPATIBLE),
    )


def test_only_a_person_sends_users_to_one_that_does_not():
    running = {"onprem": ["r3"], "gcp": ["r1"]}

    assert names(targets(POLICY, "r1", {"onprem": ["r3"]})) == []
    assert names(targets(POLICY, "r1", running, break_glass=True)) == ["gcp", "onprem"]


def test_a_cluster_is_as_good_as_the_worst_revision_that_its_users_meet():
    assert names(targets(POLICY, "r1", {"aws": ["r1", "r3"], "gcp": ["r1", "r2"], "idle": []})) == [
        "gcp"
    ]


def test_revisions_without_a_class_get_along_with_themselves_only():
    nobody = SkewPolicy()

    assert nobody.compatible("r8", "r8")
    assert not nobody.compatible("r8", "r9")


@pytest.mark.parametrize(
    ("serving", "since", "now", "told"),
    [
        (["r1"], 0.0, 1e9, ""),
        (["r1", "r2", "r1"], 0.0, 3600.0, ""),
        (["r1", "r2"], 0.0, 3601.0, "r1, r2 have had users for more than 3600 s"),
        (["r1", "r2", "r3"], 0.0, 1.0, "r1, r2, r3 have users; 2 revisions may"),
        (["r1", "r2"], None, 1e9, ""),
    ],
)
def test_how_far_clusters_may_be_apart(serving, since, now, told):
    assert too_far_apart(POLICY, serving, since, now) == told


@pytest.mark.parametrize(
    ("known", "reachable", "told"),
    [
        ({"aws": ["r3"], "gcp": ["r3"]}, ["aws"], ""),
        (
            {"aws": ["r3"], "gcp": ["r2"]},
            ["aws"],
            "gcp cannot be reached, and may still run an older revision",
        ),
        ({"aws": ["r1", "r3"]}, ["aws"], "aws still runs an older revision"),
    ],
)
def test_data_is_not_contracted_while_an_older_revision_may_come_back(known, reachable, told):
    assert may_contract(POLICY, "r3", known, reachable) == told
