"""Edges of other machines: a real Envoy and the hub know each other by certificates."""

import asyncio
import contextlib
import json
import os
import socket
import ssl
import statistics
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography import x509

from crossfade.adapters.envoy.ads import AdsEdges
from crossfade.adapters.envoy.authority import EdgeAuthority
from crossfade.adapters.envoy.bootstrap import HUB_NAME, Listener, remote_edge_bootstrap
from crossfade.adapters.envoy.tls import HubTls
from crossfade.base.certificates import Validity
from crossfade.base.clock import SteadyClock
from crossfade.base.errors import Denied, InputError
from crossfade.ports.edge import EdgePlan
from crossfade.testing.edge_process import running_edge
from crossfade.testing.free_ports import free_port


def validity(days: int = 100) -> Validity:
    return Validity(SteadyClock().now(), days)


@pytest.fixture
def authority(tmp_path: Path) -> EdgeAuthority:
    made = EdgeAuthority(tmp_path / "authority")
    made.make(validity())
    made.certify_hub(validity())
    return made


@pytest.fixture
async def hub(authority) -> AsyncIterator[AdsEdges]:
    edges = AdsEdges(0, tls=HubTls(authority.folder))
    await edges.start()
    await edges.publish(EdgePlan(7, ()))
    yield edges
    await edges.stop()


@asynccontextmanager
async def edge(folder: Path, hubs, identity, name="berlin"):
    """Run an edge that reports often; give its folder."""
    folder.mkdir()
    listener = Listener("127.0.0.1", free_port())
    bootstrap = remote_edge_bootstrap(name, hubs, free_port(), listener, identity)
    bootstrap["stats_flush_interval"] = "0.100s"
    async with running_edge(folder, bootstrap):
        yield folder / "edge.log"


async def in_force(hub: AdsEdges, name: str = "berlin") -> bool:
    found = [each.acknowledged for each in await hub.status() if each.edge == name]
    return found == [7]


async def reports(hub: AdsEdges) -> set[str]:
    return {each.edge for each in await hub.sights()}


async def test_an_edge_with_its_certificate_gets_the_plan_and_is_heard(
    hub, authority, tmp_path, until
):
    identity = authority.identity("berlin", validity())
    async with edge(tmp_path / "berlin", [("127.0.0.1", hub.port)], identity):
        await until(lambda: in_force(hub))

        async def heard() -> bool:
            return await reports(hub) == {"berlin"}

        await until(heard)


async def test_an_edge_may_not_speak_as_another_one(hub, authority, tmp_path, until):
    identity = authority.identity("berlin", validity())
    where = [("127.0.0.1", hub.port)]
    async with edge(tmp_path / "paris", where, identity, name="paris") as log:
        await until(lambda: "the certificate of this edge has another name" in log.read_text())

        assert await hub.status() == ()
        assert await reports(hub) == set()


@pytest.mark.parametrize("shows", ["a stranger's certificate", "none"])
async def test_who_has_no_certificate_of_the_authority_gets_nothing(
    hub, authority, tmp_path, until, shows
):
    stranger = EdgeAuthority(tmp_path / "stranger")
    stranger.make(validity())
    identity = stranger.identity("berlin", validity()) if shows != "none" else None
    async with edge(tmp_path / "berlin", [("127.0.0.1", hub.port)], identity) as log:
        await until(lambda: "config stream to hub closed" in log.read_text())

        assert await hub.status() == ()
        assert await reports(hub) == set()


async def test_an_edge_trusts_no_hub_with_the_certificate_of_an_edge(authority, tmp_path, until):
    """Whoever has taken over one edge must not be able to steer the others."""
    taken = authority.identity("paris", validity()).own
    for name, text in (("hub.pem", taken.pem), ("hub.key", taken.key.reveal())):
        (authority.folder / name).write_text(text)
    false = AdsEdges(0, tls=HubTls(authority.folder))
    await false.start()
    identity = authority.identity("berlin", validity())
    async with edge(tmp_path / "berlin", [("127.0.0.1", false.port)], identity) as log:
        await until(lambda: "CERTIFICATE_VERIFY_FAILED" in log.read_text())

        assert await false.status() == ()
    await false.stop()


async def test_of_several_hubs_the_one_that_leads_gets_all_reports(hub, authority, tmp_path, until):
    identity = authority.identity("berlin", validity())
    # The others stand by: more than half of all, which is when Envoy takes checks for broken.
    hubs = [("127.0.0.1", free_port()), ("127.0.0.1", free_port()), ("localhost", hub.port)]
    async with edge(tmp_path / "berlin", hubs, identity):
        await until(lambda: in_force(hub))

        async def steady() -> bool:
            sights = await hub.sights()
            return bool(sights) and len(sights[0].earlier) >= 10

        await until(steady)
        (sight,) = await hub.sights()
        lasted = [each.seconds for each in (*sight.earlier[-8:], sight)]
        # Reports that go to hubs that stand by are lost, and the next one is of a longer time.
        assert statistics.median(lasted) < 0.15


def shown(hub: AdsEdges, authority: EdgeAuthority, folder: Path) -> x509.Certificate:
    """Return the certificate that the hub shows to who connects now."""
    own = authority.identity("berlin", validity()).own
    (folder / "own.pem").write_text(own.pem + own.key.reveal())
    context = ssl.create_default_context(cafile=str(authority.folder / "ca.pem"))
    context.load_cert_chain(folder / "own.pem")
    context.set_alpn_protocols(["h2"])
    with (
        socket.create_connection(("127.0.0.1", hub.port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=HUB_NAME) as wrapped,
    ):
        return x509.load_der_x509_certificate(wrapped.getpeercert(binary_form=True) or b"")


async def test_a_renewed_certificate_counts_without_a_restart(hub, authority, tmp_path):
    before = await asyncio.to_thread(shown, hub, authority, tmp_path)
    authority.certify_hub(validity())
    after = await asyncio.to_thread(shown, hub, authority, tmp_path)

    assert before.serial_number != after.serial_number


async def test_a_damaged_renewal_leaves_the_hub_with_what_it_had(hub, authority, tmp_path):
    before = await asyncio.to_thread(shown, hub, authority, tmp_path)
    (authority.folder / "hub.pem").write_text("half")
    after = await asyncio.to_thread(shown, hub, authority, tmp_path)

    assert before.serial_number == after.serial_number


async def test_a_certificate_that_ends_soon_is_told(authority, hub, tmp_path, until, caplog):
    identity = authority.identity("berlin", validity(days=12))
    async with edge(tmp_path / "berlin", [("127.0.0.1", hub.port)], identity):
        await until(lambda: in_force(hub))

    (line,) = [each for each in caplog.records if "ends soon" in each.message]
    assert (line.edge, line.days) == ("berlin", 12)


class Moved:
    """A clock that is so many days ahead."""

    def __init__(self) -> None:
        self.days, self._clock = 0.0, SteadyClock()

    def now(self) -> float:
        return self._clock.now() + self.days * 86400


async def test_ends_are_told_each_day_while_connections_outlive_certificates(
    authority, tmp_path, until, caplog
):
    clock = Moved()
    hub = AdsEdges(0, tls=HubTls(authority.folder), clock=clock)
    await hub.start()
    await hub.publish(EdgePlan(7, ()))
    identity = authority.identity("berlin", validity(days=90))
    told = caplog.records

    def days() -> list[object]:
        return [getattr(each, "days", "over") for each in told if "certificate" in each.message]

    async with edge(tmp_path / "berlin", [("127.0.0.1", hub.port)], identity):
        await until(lambda: in_force(hub))
        assert days() == []
        clock.days = 80
        for _ in range(3):
            await hub.publish(EdgePlan(7, ()))
        assert days() == [20, 20, 10]  # of the authority, the hub and the edge
        clock.days = 91
        await hub.publish(EdgePlan(7, ()))
        assert days()[3:] == [9, 9, "over"]
    await hub.stop()


async def test_a_hub_does_not_begin_with_a_certificate_that_no_edge_trusts(authority):
    for each in ("ca.pem", "ca.key"):
        (authority.folder / each).unlink()
    authority.make(validity())

    with pytest.raises(InputError) as caught:
        await AdsEdges(0, tls=HubTls(authority.folder)).start()
    assert "--renew" in caught.value.hint


def knock(port: int) -> None:
    """Connect without a certificate, and wait until that is refused."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
        context.wrap_socket(plain) as wrapped,
        contextlib.suppress(OSError),
    ):
        while wrapped.recv(1000):
            pass


async def test_who_knocks_without_a_certificate_writes_nothing_into_the_log(hub, capfd):
    """Whoever gets to the port could fill the disk."""
    for _ in range(3):
        await asyncio.to_thread(knock, hub.port)

    assert capfd.readouterr().err == ""


async def test_a_damaged_renewal_is_told_once_and_not_for_each_connection(
    hub, authority, tmp_path, caplog
):
    """Each edge looks every second whether the hub is there."""
    (authority.folder / "hub.pem").write_text("half")
    for _ in range(3):
        await asyncio.to_thread(shown, hub, authority, tmp_path)
    (authority.folder / "hub.key").unlink()
    await asyncio.to_thread(shown, hub, authority, tmp_path)

    assert len([each for each in caplog.records if "cannot be used" in each.message]) == 2


@pytest.mark.parametrize("name", ["ca.pem", "hub.pem", "hub.key"])
async def test_a_hub_does_not_begin_without_its_files(authority, name):
    (authority.folder / name).unlink()

    with pytest.raises(InputError) as caught:
        await AdsEdges(0, tls=HubTls(authority.folder)).start()
    assert str(authority.folder / name) in caught.value.what


async def test_a_hub_does_not_begin_with_a_key_that_others_may_read(authority):
    os.chmod(authority.folder / "hub.key", 0o644)

    with pytest.raises(Denied):
        await AdsEdges(0, tls=HubTls(authority.folder)).start()


async def test_a_hub_does_not_begin_with_a_key_of_another_certificate(authority, tmp_path):
    other = EdgeAuthority(tmp_path / "other")
    other.make(validity())
    other.certify_hub(validity())
    (authority.folder / "hub.key").write_text((other.folder / "hub.key").read_text())

    with pytest.raises(InputError):
        await AdsEdges(0, tls=HubTls(authority.folder)).start()


def test_the_configuration_of_an_edge_is_json_with_its_key_in_it_and_no_key_of_the_authority(
    authority,
):
    identity = authority.identity("berlin", validity())
    made = remote_edge_bootstrap("berlin", [("h", 1)], 2, Listener("192.0.2.1", 3), identity)
    text = json.dumps(made)

    assert "PRIVATE KEY" in text
    key = (authority.folder / "ca.key").read_text().splitlines()[1]
    assert key not in text
