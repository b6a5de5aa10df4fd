"""Who changes what a cluster carries is told what follows for its users."""

from dataclasses import replace

import pytest

from crossfade.base.ids import ClusterName
from crossfade.core.fleet.cluster import Cluster
from crossfade.engine.cluster_changes import changed_words, cluster_change

GCP = Cluster(ClusterName("gcp"), "gcp", "/k", capacity=100, usd_per_cpu_hour=0.01)


@pytest.mark.parametrize(
    ("change", "remarks"),
    [
        ({}, ()),
        ({"capacity": 90}, ("it answers 120 requests per second now: users above 90 go to other clusters, and are turned away where none has room",)),
        ({"capacity": 120}, ("it answers 120 requests per second now, which it still carries",)),
        ({"capacity": None}, ("nobody says any more what it carries: its share of users has no bound",)),
        ({"usd_per_cpu_hour": None}, ("no user moves by a price",)),
    ],
)  # fmt: skip
def test_it_is_told_what_follows_for_users(change, remarks):
    assert cluster_change(GCP, replace(GCP, **change), 120.0).remarks == remarks


def test_only_what_is_another_value_is_a_difference():
    found = cluster_change(GCP, replace(GCP, capacity=90, usd_per_cpu_hour=0.01), 0.0)

    assert [(each.path, each.before, each.after) for each in found.differences] == [
        ("capacity", 100, 90)
    ]


def test_the_history_tells_what_has_changed_and_never_where_credentials_are():
    other = replace(GCP, capacity=None, kubeconfig="/etc/other", region="moon")

    assert changed_words(GCP, other) == "kubeconfig, region, capacity 100 -> not said"
    assert changed_words(GCP, GCP) == ""
