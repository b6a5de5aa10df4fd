"""What an edge says of the clouds behind it."""

import pytest

from crossfade.adapters.envoy.stats import EdgeStats, TargetFigures, figures
from crossfade.base.errors import Unavailable


def host(zone: str, stats: dict[str, object], **health: bool) -> dict:
    return {
        "locality": {"region": "r", "zone": zone},
        "stats": [{"name": name, "value": value} for name, value in stats.items()],
        "health_status": {"eds_health_status": "HEALTHY", **health},
    }


SEEN = {
    "cluster_statuses": [
        {"name": "hub", "host_statuses": [{"stats": []}]},
        {
            "name": "colors",
            "added_via_api": True,
            "host_statuses": [
                host("gcp", {"rq_success": "90", "rq_error": "10", "rq_active": "2"}),
                host("aws", {"rq_success": 0}, failed_active_health_check=True),
                host("aws", {"rq_success": "7"}),
            ],
        },
        {
            "name": "colors~standby",
            "added_via_api": True,
            "host_statuses": [host("onprem", {}, failed_outlier_check=True)],
        },
    ]
}
CONFIGURED = {
    "configs": [
        {
            "endpoint_config": {
                "cluster_name": "colors",
                "endpoints": [
                    {"locality": {"region": "r", "zone": "gcp"}, "load_balancing_weight": 30},
                    {"locality": {"region": "r", "zone": "aws"}, "load_balancing_weight": 70},
                ],
            }
        }
    ]
}


def test_figures_are_per_application_and_cluster():
    assert figures(SEEN, CONFIGURED) == (
        TargetFigures("colors", "aws", 70, True, "", 7, 0, 0),
        TargetFigures("colors", "gcp", 30, True, "", 100, 10, 2),
        TargetFigures("colors", "onprem", 0, False, "requests", 0, 0, 0),
    )


async def test_a_real_edge_s_figures_are_read(world):
    await world.send(aws=70, gcp=30, onprem=0)
    await world.get("/?code=500")

    found = {each.cluster: each for each in await world.figures()}

    assert {name: each.weight for name, each in found.items()} == {
        "aws": 70,
        "gcp": 30,
        "onprem": 0,
    }
    assert sum(each.errors for each in found.values()) == 1


async def test_an_edge_that_does_not_answer_is_not_an_edge_without_traffic():
    stats = EdgeStats("http://127.0.0.1:1")
    with pytest.raises(Unavailable):
        await stats.read()
    await stats.close()
