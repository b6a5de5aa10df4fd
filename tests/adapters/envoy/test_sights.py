"""What the hub hears of clouds from real edges that look at them."""

from dataclasses import dataclass, field

import grpc
import pytest
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2

from crossfade.adapters.envoy.ads import AdsEdges
from crossfade.adapters.envoy.bootstrap import edge_bootstrap
from crossfade.adapters.envoy.sights import Sights
from crossfade.ports.edge import EdgeSight, EdgeTargetSight, read_until, unread
from crossfade.testing.clock import FakeClock
from crossfade.testing.edge_process import running_edge


@dataclass
class Heard:
    """All reports of one edge since it was made, added up."""

    world: object
    edge: str = "edge-1"
    read: dict[str, float] = field(default_factory=dict)
    sums: dict[str, EdgeTargetSight] = field(default_factory=dict)

    @property
    def at(self) -> float:
        """When its newest report arrived."""
        return self.read.get(self.edge, 0.0)

    async def listen(self) -> dict[str, EdgeTargetSight]:
        """Take in the reports that are new; return the newest state with the sums, by cluster."""
        sights = [each for each in await self.world.edges.sights() if each.edge == self.edge]
        new, self.read = unread(sights, self.read), read_until(sights)
        for target in (each for sight in new for each in sight.targets):
            before = self.sums.get(str(target.cluster))
            self.sums[str(target.cluster)] = added(before, target) if before else target
        return self.sums

    async def until(self, until, right) -> dict[str, EdgeTargetSight]:
        """Listen until `right` says so of the sums."""

        async def heard() -> bool:
            return bool(right(await self.listen()))

        await until(heard)
        return self.sums


def added(one: EdgeTargetSight, newer: EdgeTargetSight) -> EdgeTargetSight:
    return EdgeTargetSight(
        newer.application,
        newer.cluster,
        newer.healthy,
        newer.trouble,
        one.requests + newer.requests,
        one.failed + newer.failed,
        one.slow + newer.slow,
        one.connect_failures + newer.connect_failures,
    )


@pytest.fixture
async def heard(world, until) -> Heard:
    """From here on requests are counted: those of the fixture's own are in earlier reports."""
    made = Heard(world)
    await made.until(until, lambda seen: set(seen) == {"aws", "gcp", "onprem"})
    for _ in range(2):
        last = made.at
        made.sums.clear()
        await made.until(until, lambda _, last=last: made.at > last)
    return made


async def test_every_request_is_heard_of_once(world, heard, until):
    for _ in range(30):
        await world.get("/")
    await heard.until(until, lambda seen: sum(each.requests for each in seen.values()) >= 30)
    last = heard.at
    await heard.until(until, lambda _: heard.at > last)

    assert sum(each.requests for each in heard.sums.values()) == 30
    assert not any(
        each.failed or each.slow or each.connect_failures for each in heard.sums.values()
    )
    assert all(each.healthy and each.trouble == "" for each in heard.sums.values())


async def test_a_cloud_s_failures_count_and_an_application_s_own_do_not(world, heard, until):
    await world.send(aws=1, gcp=0, onprem=0)
    for code in (500, 500, 501, 502, 503, 200):
        await world.get(f"/?code={code}", method="POST")
    seen = await heard.until(until, lambda seen: seen["aws"].requests >= 6)

    assert (seen["aws"].requests, seen["aws"].failed) == (6, 2)


async def test_a_request_that_another_cloud_had_to_answer_counts_where_it_failed(
    world, heard, until
):
    for _ in range(30):
        await world.clouds["gcp"].become(503)
        assert (await world.get("/")).status_code == 200
        await world.clouds["gcp"].become(200)  # or probes would keep users away before long
    seen = await heard.until(until, lambda seen: seen["gcp"].failed >= 1)

    assert seen["aws"].failed == seen["onprem"].failed == 0


async def test_slow_tries_are_heard_of_though_users_were_answered_by_another_cloud(
    world, heard, until
):
    world.try_seconds = 0.2
    await world.send(aws=1, gcp=1, onprem=1)
    async with world.users(rate=100).running() as users:
        world.clouds["gcp"].hang()
        seen = await heard.until(until, lambda seen: seen["gcp"].slow >= 5)
        world.clouds["gcp"].wake()

    assert users.failed() == []
    assert seen["aws"].slow == seen["onprem"].slow == 0
    assert all(each.slow + each.failed <= each.requests for each in seen.values())


async def test_a_cloud_that_is_gone_is_unhealthy_within_two_reports(world, heard, until):
    async with world.users(rate=100).running():
        await world.clouds["gcp"].kill()
        seen = await heard.until(until, lambda seen: not seen["gcp"].healthy)
        assert seen["gcp"].trouble in ("probes fail", "requests fail", "probes or requests fail")
        await heard.until(until, lambda seen: seen["gcp"].connect_failures > 0)
        await world.clouds["gcp"].start()
        await world.send(aws=1, gcp=1, onprem=1)
        await heard.until(until, lambda seen: seen["gcp"].healthy)


async def test_a_cloud_that_only_fails_requests_is_told_from_one_that_fails_probes(
    world, heard, until
):
    await world.clouds["gcp"].become(503)
    seen = await heard.until(until, lambda seen: not seen["gcp"].healthy)
    assert seen["gcp"].trouble == "probes fail"

    await world.send(aws=1, gcp=1, onprem=1)
    async with world.users(rate=200, path="/?code=503", method="POST").running():
        await heard.until(
            until,
            lambda seen: any(each.trouble.endswith("requests fail") for each in seen.values()),
        )


async def test_a_cloud_without_users_is_watched_too(world, heard, until):
    await world.send(aws=1, gcp=1, onprem=0)
    await world.clouds["onprem"].kill()
    seen = await heard.until(until, lambda seen: not seen["onprem"].healthy)

    assert seen["onprem"].trouble == "probes fail"


async def test_of_two_edges_one_is_cut_off_and_both_are_known_by_name(
    world, heard, tmp_path, until
):
    folder = tmp_path / "second"
    folder.mkdir()
    bootstrap = edge_bootstrap(
        "edge-2", "127.0.0.1", world.edges.port, world.free_port(), world.free_port()
    )
    async with running_edge(folder, bootstrap):
        other = Heard(world, "edge-2")
        await other.until(until, lambda seen: set(seen) == {"aws", "gcp", "onprem"})
        await until(lambda: plans(world, {"edge-1": world.number, "edge-2": world.number}))
    await other.listen()
    silent = other.at
    await world.send(aws=1, gcp=1, onprem=2)
    await until(lambda: plans(world, {"edge-1": world.number}))
    await heard.until(until, lambda _: heard.at > silent)

    first, second = await world.edges.sights()
    assert (first.edge, second.edge) == ("edge-1", "edge-2")
    assert first.at > second.at == silent


async def test_an_edge_tells_by_its_own_clock_for_how_long_it_has_counted(world, heard, until):
    last = heard.at
    await heard.until(until, lambda _: heard.at > last)
    (sight,) = await world.edges.sights()

    assert 0.05 < sight.seconds < 5.0  # asked for is a tenth of a second


async def test_nothing_is_counted_twice_when_a_hub_returns(world, heard, until):
    for _ in range(10):
        await world.get("/")
    await heard.until(until, lambda seen: sum(each.requests for each in seen.values()) >= 10)
    port = world.edges.port
    await world.edges.stop()
    world.edges = AdsEdges(port, tuning=world.tuning)
    await world.edges.start()
    again = Heard(world)
    await again.until(until, lambda seen: set(seen) == {"aws", "gcp", "onprem"})
    await world.get("/")
    await again.until(until, lambda seen: any(each.requests for each in seen.values()))

    assert sum(each.requests for each in again.sums.values()) == 1


async def test_a_silent_edge_is_forgotten_after_five_minutes():
    clock = FakeClock()
    sights = Sights(clock, max_edges=2)
    sights.take("edge-1", metrics_service_pb2.ExportMetricsServiceRequest())
    clock.advance(299)
    assert sights.newest() == (EdgeSight("edge-1", 1000.0, ()),)
    clock.advance(1)
    assert sights.newest() == ()


async def test_a_report_without_a_name_is_refused(world):
    async with grpc.aio.insecure_channel(f"127.0.0.1:{world.edges.port}") as channel:
        export = channel.unary_unary(
            "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"
        )
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await export(b"")

    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def plans(world, want: dict[str, int]) -> bool:
    return {status.edge: status.acknowledged for status in await world.edges.status()} == want
