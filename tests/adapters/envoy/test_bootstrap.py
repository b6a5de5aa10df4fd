"""How edges are started."""

import json
import re

from crossfade.adapters.envoy.bootstrap import (
    Listener,
    edge_bootstrap,
    edge_command,
    remote_edge_bootstrap,
)
from crossfade.adapters.envoy.statistics import SENT
from crossfade.testing.edge_validation import validate_bootstrap


def made() -> dict:
    return edge_bootstrap("edge-1", "127.0.0.1", 17001, 17002, 17000)


async def test_envoy_takes_the_bootstrap():
    await validate_bootstrap(json.loads(json.dumps(made())))


def test_each_edge_tells_the_hub_where_it_listens():
    metadata = made()["node"]["metadata"]

    assert metadata == {"listener_host": "127.0.0.1", "listener_port": 17000}


def test_reports_go_out_while_the_only_hub_is_too_busy_for_checks_and_to_one_of_a_hundred():
    hubs = [("hub.example.com", 17443)]
    made = remote_edge_bootstrap("berlin", hubs, 2, Listener("192.0.2.1", 3), None)
    (hub,) = made["static_resources"]["clusters"]
    percent = hub["common_lb_config"]["healthy_panic_threshold"]["value"]

    assert 0 < percent <= 1


def test_the_admin_page_is_for_this_machine_only():
    assert made()["admin"]["address"]["socket_address"]["address"] == "127.0.0.1"


def test_users_of_an_application_called_external_are_counted():
    (left_out,) = made()["stats_config"]["stats_matcher"]["exclusion_list"]["patterns"]
    expression = left_out["safe_regex"]["regex"]

    assert re.fullmatch(expression, "cluster.colors.external.upstream_rq_5xx")
    assert not re.fullmatch(expression, "cluster.external.upstream_rq_5xx")
    assert not re.fullmatch(SENT, "cluster.colors.external.upstream_rq_5xx")


def test_an_edge_lives_on_when_the_thread_that_started_it_ends():
    command = edge_command("/tmp/edge.json", concurrency=2)

    assert "--disable-hot-restart" in command
    assert command[command.index("--concurrency") + 1] == "2"
