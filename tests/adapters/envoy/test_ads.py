"""The hub's end of the edges: its limits, and what it says when it cannot work."""

import socket
from pathlib import Path

import pytest
from envoy.config.core.v3 import base_pb2
from envoy.service.discovery.v3 import discovery_pb2

from crossfade.adapters.envoy import ads
from crossfade.adapters.envoy.ads import AdsEdges
from crossfade.adapters.envoy.bootstrap import edge_bootstrap
from crossfade.base.errors import Conflict
from crossfade.testing.edge_process import running_edge


async def test_a_port_that_is_taken_is_named():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Conflict, match=rf"taken \(address=127\.0\.0\.1:{port}\)"):
            await AdsEdges(port).start()


async def test_stopping_can_be_repeated_and_frees_the_port():
    edges = AdsEdges(0)
    await edges.start()
    await edges.stop()
    await edges.stop()

    again = AdsEdges(edges.port)
    await again.start()
    await again.stop()


async def test_more_edges_than_allowed_do_not_take_the_place_of_those_that_are_there(
    world, tmp_path, until
):
    world.edges._max_edges = 1
    async with running_edge(folder(tmp_path), other(world)) as edge:
        await until(lambda: turned_away(world, edge.admin_url))
        (status,) = await world.edges.status()

    assert status.edge == "edge-1"


async def test_one_edge_does_not_take_the_places_of_all_others(world, monkeypatch, tmp_path, until):
    monkeypatch.setattr(ads, "_MOST_OF_ONE", 1)
    bootstrap = other(world)
    bootstrap["node"]["id"] = "edge-1"
    async with running_edge(folder(tmp_path), bootstrap) as edge:
        await until(lambda: turned_away(world, edge.admin_url))
        assert [each.edge for each in world.edges._sessions] == ["edge-1"]


async def test_an_edge_that_does_not_say_where_it_listens_is_told_so(world, tmp_path, until):
    bootstrap = other(world)
    bootstrap["node"]["metadata"] = {"listener_port": "the usual one"}
    async with running_edge(folder(tmp_path), bootstrap):
        await until(lambda: complaint(world, "listener_port"))


def test_what_an_edge_says_fits_a_line_and_changes_no_terminal():
    """Whoever has taken over an edge writes what it refuses, into the store and to people."""
    request = discovery_pb2.DiscoveryRequest(node=base_pb2.Node(id="taken-over"))
    request.error_detail.message = "\x1b[2Jno\nsuch route " + "x" * 100_000
    request.error_detail.code = 13

    said = ads._request(request).error

    assert said.startswith(" [2Jno such route xxx")
    assert len(said) == ads._MOST_WORDS


def other(world) -> dict:
    return edge_bootstrap(
        "edge-2", "127.0.0.1", world.edges.port, world.free_port(), world.free_port()
    )


def folder(tmp_path: Path) -> Path:
    made = tmp_path / "edge-2"
    made.mkdir()
    return made


async def turned_away(world, admin_url: str) -> bool:
    page = await world.client.get(f"{admin_url}/stats?filter=cluster.hub.upstream_rq_total")
    return int(page.text.rpartition(": ")[2]) >= 2


async def complaint(world, word: str) -> bool:
    return any(word in status.refused for status in await world.edges.status())
