"""How edges are started."""

import json

from crossfade.adapters.envoy.bootstrap import edge_bootstrap, edge_command
from crossfade.adapters.envoy.validate import validate_bootstrap


def made() -> dict:
    return edge_bootstrap("edge-1", "127.0.0.1", 17001, 17002, 17000)


async def test_envoy_takes_the_bootstrap():
    await validate_bootstrap(json.loads(json.dumps(made())))


def test_each_edge_tells_the_hub_where_it_listens():
    metadata = made()["node"]["metadata"]

    assert metadata == {"listener_host": "127.0.0.1", "listener_port": 17000}


def test_the_admin_page_is_for_this_machine_only():
    assert made()["admin"]["address"]["socket_address"]["address"] == "127.0.0.1"


def test_an_edge_lives_on_when_the_thread_that_started_it_ends():
    command = edge_command("/tmp/edge.json", concurrency=2)

    assert "--disable-hot-restart" in command
    assert command[command.index("--concurrency") + 1] == "2"
