"""`crossfade dns`, on a real name server"""

import asyncio
import os

import pytest

from crossfade.adapters.store.sql import SqlStore
from crossfade.base.ids import ApplicationName, ClusterName
from crossfade.base.secrets import SecretRef
from crossfade.core.application import Application, Route, Source
from crossfade.core.dns.record import DnsSpec, UpdateKey
from crossfade.core.rollout.record import Record
from crossfade.engine.loops.names import NameLoop
from crossfade.engine.records import Records, Stored, save_application, save_edge_plan
from crossfade.ports.edge import EdgePlan, EdgeRoute, EdgeTarget
from crossfade.settings import load
from crossfade.testing import dns_servers
from crossfade.testing.free_ports import free_port
from crossfade.wiring import session

HOST = "colors.app.test"


async def remember(port: int, gateway: int) -> None:
    """Save an application that publishes its name, and the plan that gives it users."""
    spec = DnsSpec("127.0.0.1", dns_servers.ZONE, UpdateKey("crossfade", SecretRef("dns")), port)
    store = await SqlStore.open(load(os.environ).database_url)
    name = ApplicationName("colors")
    record = Record(Application(name, Source("/c"), Route(HOST, "colors"), dns=spec))
    target = EdgeTarget(ClusterName("aws"), "aws", "127.0.0.1", gateway, 100)
    plan = EdgePlan(1, (EdgeRoute(name, HOST, "/", 0.5, (target,)),))
    await Records(store).commit(save_application(Stored(record), record), save_edge_plan(0, plan))
    await store.close()


async def hub_looks() -> None:
    async with session(load(os.environ)) as opened:
        await NameLoop(opened.names()).reconcile("colors")


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")
    writer.close()


def test_without_names_it_says_what_to_do(crossfade):
    listed = crossfade("dns", "status")

    assert listed.code == 0
    assert listed.out == "no application publishes its name; see `spec.dns`\n"
    assert crossfade("dns", "status", "-o", "json").data == {"names": []}


def test_an_application_that_is_not_there_is_not_found(crossfade):
    planned = crossfade("dns", "plan", "shapes")

    assert planned.code == 3
    assert "hint:" in planned.err


@pytest.mark.parametrize("server", ["bind", "knot"])
async def test_a_name_is_planned_published_and_shown(crossfade, monkeypatch, tmp_path, server):
    if why := dns_servers.missing(server):
        pytest.skip(why)
    monkeypatch.setenv("CROSSFADE_SECRET_DNS", dns_servers.SECRET)

    async def run(*arguments: str):
        return await asyncio.to_thread(crossfade, *arguments)

    folder, port = tmp_path / "server", free_port()
    folder.mkdir()
    gateway = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with gateway, dns_servers.running(server, folder, port):
        await remember(port, gateway.sockets[0].getsockname()[1])
        planned = await run("dns", "plan", "colors")
        assert planned.code == 0, planned.err
        assert "next       add 127.0.0.1" in planned.out
        assert "published  nothing" in planned.out

        await hub_looks()
        await hub_looks()
        status = await run("dns", "status")
        assert "colors.app.test" in status.out
        assert "127.0.0.1 (TTL 30s)" in status.out
        assert status.out.rstrip().endswith("in place")
    away = await run("dns", "plan", "colors")
    assert away.code == 6
    assert "the name server does not answer" in away.err
