"""What every implementation of the NameServers port does, on BIND, on Knot and in memory."""

import asyncio
import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from itertools import pairwise

import pytest

from crossfade.adapters.dns.rfc2136 import Rfc2136NameServers
from crossfade.base.errors import Conflict, Denied, InputError, NotFound, Unavailable
from crossfade.base.secrets import SecretRef
from crossfade.core.dns.record import Algorithm, DnsSpec, Published, UpdateKey
from crossfade.ports.dns import NameServers
from crossfade.testing import dns_servers
from crossfade.testing.fake_name_servers import FakeNameServers
from crossfade.testing.fake_secrets import FakeSecrets
from crossfade.testing.free_ports import free_port

HOST = "colors.app.test"
OTHER = base64.b64encode(b"another secret of 32 bytes......").decode()
TWO = Published(("192.0.2.1", "192.0.2.2"), 30, "us")
KEY = UpdateKey(dns_servers.KEY_NAME, SecretRef("dns"))


@dataclass
class Zone:
    servers: NameServers
    spec: DnsSpec
    real: bool


@pytest.fixture(params=["bind", "knot", "fake"])
async def zone(request, tmp_path) -> AsyncIterator[Zone]:
    spec = DnsSpec("127.0.0.1", dns_servers.ZONE, KEY, port=free_port())
    if request.param == "fake":
        yield Zone(FakeNameServers(dns_servers.ZONE), spec, real=False)
        return
    if why := dns_servers.missing(request.param):
        pytest.skip(why)
    known = FakeSecrets(dns=dns_servers.SECRET, other=OTHER, broken="no base64!")
    async with dns_servers.running(request.param, tmp_path, spec.port):
        yield Zone(Rfc2136NameServers(known), spec, real=True)


@pytest.fixture
def real(zone) -> Zone:
    if not zone.real:
        pytest.skip("asks a real name server")
    return zone


async def test_a_name_that_nobody_has_published_has_nothing(zone):
    assert await zone.servers.read(zone.spec, HOST) == Published()


async def test_what_is_written_is_read_again(zone):
    await zone.servers.write(zone.spec, HOST, Published(), TWO)

    assert await zone.servers.read(zone.spec, HOST) == TWO


async def test_addresses_of_both_kinds_come_and_go(zone):
    both = Published(("192.0.2.1", "2001:db8::1"), 30, "us")
    steps = (Published(), TWO, both, replace(both, addresses=("2001:db8::1",)), TWO)
    for before, want in pairwise(steps):
        await zone.servers.write(zone.spec, HOST, before, want)
        assert await zone.servers.read(zone.spec, HOST) == want


async def test_a_change_of_what_somebody_else_has_changed_is_refused_whole(zone):
    await zone.servers.write(zone.spec, HOST, Published(), TWO)
    newer = replace(TWO, addresses=("192.0.2.7",))
    await zone.servers.write(zone.spec, HOST, TWO, newer)
    for late in (Published(), TWO, replace(newer, owner="them")):
        with pytest.raises(Conflict):
            await zone.servers.write(zone.spec, HOST, late, replace(TWO, addresses=("192.0.2.8",)))

    assert await zone.servers.read(zone.spec, HOST) == newer


async def test_of_two_writers_at_once_one_wins(zone):
    async def write(owner: str) -> bool:
        try:
            await zone.servers.write(zone.spec, HOST, Published(), replace(TWO, owner=owner))
        except Conflict:
            return False
        return True

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(write(f"hub-{number}")) for number in range(5)]

    assert [task.result() for task in tasks].count(True) == 1


async def test_a_server_without_the_zone_is_told_from_one_that_is_away(zone):
    wrong = replace(zone.spec, zone="other.test")
    with pytest.raises(InputError):
        await zone.servers.read(wrong, "colors.other.test")


async def test_a_server_that_is_away_is_unavailable(real):
    with pytest.raises(Unavailable):
        await real.servers.read(replace(real.spec, port=1), HOST)


async def test_the_server_is_asked_only_for_what_it_is_the_authority_of(real):
    with pytest.raises(InputError):
        await real.servers.read(real.spec, "colors.example.org")


@pytest.mark.parametrize(
    ("key", "error"),
    [
        (UpdateKey("nobody", SecretRef("dns")), Denied),
        (UpdateKey("crossfade", SecretRef("other")), Denied),
        (UpdateKey("crossfade", SecretRef("dns"), Algorithm.SHA512), Denied),
        (UpdateKey("crossfade", SecretRef("broken")), InputError),
        (UpdateKey("crossfade", SecretRef("missing")), NotFound),
    ],
)
async def test_a_key_that_is_not_the_zone_s_changes_nothing(real, key, error):
    with pytest.raises(error):
        await real.servers.write(replace(real.spec, key=key), HOST, Published(), TWO)

    assert await real.servers.read(real.spec, HOST) == Published()


async def test_an_alias_is_not_overwritten(real):
    with pytest.raises(InputError, match="alias"):
        await real.servers.read(real.spec, "alias.app.test")
    with pytest.raises(Conflict):
        await real.servers.write(real.spec, "alias.app.test", Published(), TWO)


async def test_a_record_that_a_person_made_has_no_owner(real):
    found = await real.servers.read(real.spec, "manual.app.test")

    assert (found.addresses, found.owner) == (("192.0.2.99",), "")
