"""Names in DNS while sites come and go."""

from dataclasses import replace

import pytest

from crossfade.base.errors import Unavailable
from crossfade.base.secrets import SecretRef
from crossfade.core.dns.record import DnsSpec, Published, Scheme, UpdateKey
from crossfade.core.fleet.edges import EdgeState, EdgeStates
from crossfade.engine.loops.names import NameLoop
from crossfade.engine.names import Names
from crossfade.engine.records import Records, save_edge_plan, save_edges
from crossfade.ports.edge import EdgePlan, EdgeRoute, EdgeTarget
from crossfade.ports.gateway_probe import Tls
from crossfade.testing.builders import APP, application
from crossfade.testing.engine_world import EngineWorld
from crossfade.testing.fake_name_servers import FakeNameServers

A, B = "192.0.2.1", "192.0.2.2"
SPEC = DnsSpec("10.0.0.53", "localhost", UpdateKey("crossfade", SecretRef("dns")))


class Reach:
    """The GatewayProbe port: these hosts answer."""

    def __init__(self):
        self.answering = {A, B}

        self.asked = []

    async def answers(self, host: str, port: int, tls: Tls | None = None) -> None:
        self.asked.append((host, port, tls))
        if host not in self.answering:
            raise Unavailable("the gateway does not answer", hint="is it up?", why="refused")


class Sites:
    """An application whose name is published, with two sites."""

    def __init__(self):
        self.world, self.probe = EngineWorld(), Reach()
        self.servers = FakeNameServers("localhost")
        self.records = Records(self.world.store)
        self.names = Names(self.records, self.servers, self.probe, self.world.clock)
        self.loop = NameLoop(self.names)

    async def begin(self, spec: DnsSpec) -> None:
        await self.world.prepare(replace(application(), dns=spec))
        self.host = (await self.records.application(APP)).value.spec.route.host

    async def plan(self, **weights: int) -> None:
        stored = await self.records.edge_plan()
        targets = tuple(
            EdgeTarget(
                name, name, {"aws": A, "gcp": B}.get(name, f"{name}.example.com"), 80, weight
            )
            for name, weight in weights.items()
        )
        route = EdgeRoute(APP, self.host, "/", 0.5, targets)
        plan = EdgePlan((stored.value.number if stored else 0) + 1, (route,))
        await self.records.commit(save_edge_plan(stored.version if stored else 0, plan))

    async def look(self, seconds: float = 2.0) -> tuple[str, ...]:
        self.world.clock.advance(seconds)
        (key,) = await self.loop.keys()
        await self.loop.reconcile(key)
        return self.servers.names.get(self.host, Published()).addresses

    async def state(self):
        (state,) = await self.names.remembered()
        return state


@pytest.fixture
async def sites():
    made = Sites()
    await made.begin(SPEC)
    return made


async def test_the_name_leads_to_every_cluster_that_has_users_whatever_its_share(sites):
    await sites.plan(aws=1, gcp=99)

    assert await sites.look() == (A, B)


async def test_users_leave_a_cluster_that_has_none_any_more(sites):
    await sites.plan(aws=100, gcp=100)
    await sites.look()
    await sites.plan(aws=100, gcp=0)

    assert await sites.look() == (A,)
    reasons = [each.reason for each in await sites.world.store.events(f"dns/{APP}")]
    assert reasons[-1] == f"{sites.host}: remove {B}"


async def test_a_name_keeps_its_last_answers_when_nothing_is_fit(sites):
    await sites.plan(aws=100, gcp=100)
    await sites.look()
    await sites.plan(aws=0, gcp=0)

    assert await sites.look() == (A, B)


async def test_a_cluster_that_nobody_reaches_is_not_published_until_it_answers(sites):
    sites.probe.answering.discard(B)
    await sites.plan(aws=100, gcp=100)
    assert await sites.look() == (A,)

    sites.probe.answering.add(B)
    assert await sites.look() == (A, B)


async def test_a_site_that_speaks_only_tls_is_asked_by_the_name_that_users_come_with(sites):
    await sites.begin(replace(SPEC, probe_scheme=Scheme.HTTPS, probe_port=443))
    sites.probe.answering.discard(B)
    await sites.plan(aws=100, gcp=100)

    assert await sites.look() == (A,)
    asked = Tls(sites.host, verify=True)
    assert sites.probe.asked == [(A, 443, asked), (B, 443, asked)]
    await sites.look()
    (known,) = await sites.names.remembered()
    told = (
        f"{B} answers nobody and is not published (port 443: the gateway does not answer: refused)"
    )
    assert known.reason == f"in place; {told}"


async def test_a_gateway_that_is_a_name_is_never_published_as_an_address(sites):
    await sites.plan(aws=100, onprem=100)

    assert await sites.look() == (A,)


async def test_nothing_is_written_while_all_is_in_place(sites):
    await sites.plan(aws=100)
    await sites.look()
    await sites.look()
    written = await sites.world.store.sequence()
    for _ in range(5):
        await sites.look()

    assert len(sites.servers.written) == 1
    assert await sites.world.store.sequence() == written


async def test_a_second_installation_takes_no_name_away(sites):
    await sites.plan(aws=100)
    sites.servers.names[sites.host] = Published((B,), 30, "somebody")

    assert await sites.look() == (B,)
    state = await sites.state()
    assert (state.refused, state.reason) == (True, "the name belongs to `somebody`")


async def test_a_server_that_is_silent_is_said_and_the_change_made_once_it_is_back(sites):
    await sites.plan(aws=100)
    sites.servers.silent = True
    assert await sites.look() == ()
    assert "does not answer" in (await sites.state()).trouble

    sites.servers.silent = False
    assert await sites.look() == (A,)
    await sites.look()
    assert (await sites.state()).trouble == ""


async def test_a_hub_that_dies_between_saving_and_writing_leaves_nothing_undone(sites):
    async def dies(*_):
        raise KeyboardInterrupt

    await sites.plan(aws=100)
    write, sites.servers.write = sites.servers.write, dies
    with pytest.raises(KeyboardInterrupt):
        await sites.look()
    sites.servers.write = write

    assert await sites.look() == (A,)


async def test_with_edges_the_name_leads_to_those_that_are_connected(sites):
    both = replace(SPEC, edges={"edge-1": A, "edge-2": B})
    made = Sites()
    await made.begin(both)
    there = EdgeStates((EdgeState("edge-1", 1), EdgeState("edge-2", 1, gone_since=1.0)))
    await made.records.commit(save_edges(0, there))

    assert await made.look() == (A,)


async def test_a_flapping_site_changes_the_name_four_times_a_minute_whatever_hub_runs(sites):
    for turn in range(21):
        await sites.plan(aws=100, gcp=100 * (turn % 2))
        sites.loop = NameLoop(sites.names)
        await sites.look()
    assert len(sites.servers.written) == 4
    assert "stays until a minute after" in (await sites.state()).reason

    await sites.look(seconds=60)
    assert len(sites.servers.written) == 5


async def test_an_address_that_is_written_otherwise_than_zones_do_is_published_once():
    made = Sites()
    made.probe.answering.add("2001:db8::2")
    await made.begin(replace(SPEC, edges={"edge-1": "2001:0DB8:0:0::2"}))
    await made.records.commit(save_edges(0, EdgeStates((EdgeState("edge-1", 1),))))
    for _ in range(3):
        assert await made.look() == ("2001:db8::2",)

    assert len(made.servers.written) == 1
