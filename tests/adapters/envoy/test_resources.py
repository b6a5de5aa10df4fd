"""What edges are told, as pure values; that Envoy takes it is in test_validate.py."""

import pytest

from crossfade.adapters.envoy import resources
from crossfade.adapters.envoy.resources import Tuning
from crossfade.base.errors import InputError
from crossfade.base.ids import ApplicationName, ClusterName
from crossfade.ports.edge import EdgePlan, EdgeRoute, EdgeTarget


def target(name: str, weight: int) -> EdgeTarget:
    return EdgeTarget(ClusterName(name), f"{name}/eu", "127.0.0.1", 17101, weight)


def route(*targets: EdgeTarget, name: str = "colors", host: str = "c.localhost") -> EdgeRoute:
    return EdgeRoute(ApplicationName(name), host, "/healthz", 0.5, targets)


ADDRESSES = {"127.0.0.1": ("127.0.0.1",)}


def weights(assignment: dict) -> dict[str, int]:
    return {
        each["locality"]["zone"]: each["load_balancing_weight"] for each in assignment["endpoints"]
    }


def test_clusters_of_weight_0_are_where_no_route_leads():
    users, standby = resources.endpoints(route(target("aws", 70), target("gcp", 0)), ADDRESSES)
    host = resources.virtual_host(route(), Tuning())

    assert weights(users) == {"aws": 70}
    assert list(weights(standby)) == ["gcp"]
    assert {each["route"]["cluster"] for each in host["routes"]} == {users["cluster_name"]}


def test_a_locality_names_the_cloud_and_the_cluster():
    users, _ = resources.endpoints(route(target("aws", 70)), ADDRESSES)

    (locality,) = users["endpoints"]
    assert locality["locality"] == {"region": "aws/eu", "zone": "aws"}


@pytest.mark.parametrize("weights_now", [(1, 99), (0, 5), (7, 7)])
def test_shares_are_in_the_endpoints_only_so_that_a_change_restarts_nothing(weights_now):
    before = route(target("aws", 100), target("gcp", 100))
    after = route(target("aws", weights_now[0]), target("gcp", weights_now[1]))

    assert resources.clusters(before, Tuning()) == resources.clusters(after, Tuning())
    assert resources.virtual_host(before, Tuning()) == resources.virtual_host(after, Tuning())


def test_every_cluster_has_limits_far_above_what_a_failover_needs():
    for cluster in resources.clusters(route(), Tuning()):
        for limits in cluster["circuit_breakers"]["thresholds"]:
            assert limits["retry_budget"]["min_retry_concurrency"] >= 100, "3 by default"
            assert limits["max_requests"] >= 16_000


def test_an_application_s_own_errors_take_no_cluster_out():
    users, _ = resources.clusters(route(), Tuning())
    host = resources.virtual_host(route(), Tuning())

    assert users["outlier_detection"]["enforcing_consecutive_5xx"] == 0
    for each in host["routes"]:
        assert "5xx" not in each["route"]["retry_policy"]["retry_on"].split(",")


def test_without_retries_there_is_no_policy_at_all():
    host = resources.virtual_host(route(), Tuning(retries=0))

    assert all("retry_policy" not in each["route"] for each in host["routes"])


def test_the_application_of_a_cluster_is_found_again():
    assert resources.application_of("colors") == ("colors", False)
    assert resources.application_of(resources.standby("colors")) == ("colors", True)


@pytest.mark.parametrize("host", ["c.localhost", "C.LocalHost"])
def test_a_host_can_belong_to_one_application_only(host):
    plan = EdgePlan(1, (route(), route(name="shapes", host=host)))

    with pytest.raises(InputError, match="same host") as caught:
        resources.check(plan)
    assert caught.value.facts["applications"] == "colors, shapes"


def test_an_application_without_a_host_is_refused():
    with pytest.raises(InputError, match="no host"):
        resources.check(EdgePlan(1, (route(host=""),)))
