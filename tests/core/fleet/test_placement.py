"""Applications run where all labels fit."""

import pytest

from crossfade.core.application import Placement
from crossfade.core.fleet.cluster import Cluster
from crossfade.core.fleet.placement import placed

PROD = Cluster("aws", "aws", "/kubeconfig", "aws", "eu-west-1", labels={"tier": "prod", "a": "b"})


@pytest.mark.parametrize(
    ("labels", "fits"),
    [({}, True), ({"tier": "prod"}, True), ({"tier": "dev"}, False), ({"tier": "prod", "x": "y"}, False)],
)  # fmt: skip
def test_placed(labels, fits):
    assert placed(Placement(labels), PROD) is fits


def test_clusters_of_one_region_of_a_provider_fail_together():
    assert PROD.cloud == "aws/eu-west-1"
