"""What every implementation of the edges port does for those who publish plans."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from crossfade.adapters.envoy.ads import AdsEdges
from crossfade.adapters.envoy.bootstrap import edge_bootstrap
from crossfade.base.errors import Conflict, InputError
from crossfade.base.ids import ApplicationName, ClusterName
from crossfade.core.fleet.edges import FORGOTTEN_SECONDS
from crossfade.ports.edge import (
    EdgePlan,
    EdgeRoute,
    Edges,
    EdgeTarget,
    EdgeTargetSight,
    read_until,
    unread,
)
from crossfade.testing.clock import FakeClock
from crossfade.testing.edge_process import running_edge
from crossfade.testing.fake_edges import FakeEdges
from crossfade.testing.free_ports import free_port


def route(name: str = "colors", host: str = "colors.localhost", weight: int = 100) -> EdgeRoute:
    targets = (
        EdgeTarget(ClusterName("aws"), "aws/eu", "127.0.0.1", 9, weight),
        EdgeTarget(ClusterName("gcp"), "gcp/eu", "127.0.0.1", 10, 100),
    )
    return EdgeRoute(ApplicationName(name), host, "/healthz", 0.5, targets)


class World:
    """Some edges, and how they come and go."""

    edges: Edges

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = FakeClock()

    async def acknowledged(self) -> dict[str, int]:
        return {status.edge: status.acknowledged for status in await self.edges.status()}

    async def until(self, want: dict[str, int]) -> None:
        async with asyncio.timeout(10):
            while await self.acknowledged() != want:
                await asyncio.sleep(0.005)


class FakeWorld(World):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.edges = FakeEdges(self.clock)

    @contextlib.asynccontextmanager
    async def connected(self, edge: str) -> AsyncIterator[None]:
        self.edges.connect(edge)
        yield
        self.edges.disconnect(edge)

    async def reported(self, edge: str, clusters: set[str], at: float = 0.0) -> None:
        """Return once the edge has reported these clusters, where nobody answers."""
        name = ApplicationName("colors")
        dead = [EdgeTargetSight(name, ClusterName(each), False, "dead") for each in clusters]
        self.edges.report(edge, *dead)


class EnvoyWorld(World):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.edges = AdsEdges(0, clock=self.clock)

    @contextlib.asynccontextmanager
    async def connected(self, edge: str) -> AsyncIterator[None]:
        folder = self.folder / edge
        folder.mkdir()
        admin, listener = free_port(), free_port()
        bootstrap = edge_bootstrap(edge, "127.0.0.1", self.edges.port, admin, listener)
        async with running_edge(folder, bootstrap):
            yield

    async def reported(self, edge: str, clusters: set[str], at: float = 0.0) -> None:
        """Return once the edge has reported these clusters, at this time or later."""
        async with asyncio.timeout(10):
            while not any(
                sight.edge == edge
                and sight.at >= at
                and {str(each.cluster) for each in sight.targets} == clusters
                for sight in await self.edges.sights()
            ):
                await asyncio.sleep(0.005)


@pytest.fixture(params=["envoy", "fake"])
async def setting(request, tmp_path) -> AsyncIterator[World]:
    if request.param == "fake":
        yield FakeWorld(tmp_path)
        return
    made = EnvoyWorld(tmp_path)
    await made.edges.start()
    try:
        yield made
    finally:
        await made.edges.stop()


async def test_nobody_acknowledges_while_no_edge_is_connected(setting):
    await setting.edges.publish(EdgePlan(1, (route(),)))

    assert await setting.edges.status() == ()


async def test_an_edge_that_connects_before_the_first_plan_has_acknowledged_none(setting):
    async with setting.connected("edge-1"):
        await setting.until({"edge-1": 0})


async def test_an_edge_that_connects_later_gets_the_newest_plan(setting):
    await setting.edges.publish(EdgePlan(1, (route(),)))
    await setting.edges.publish(EdgePlan(2, (route(weight=5),)))
    async with setting.connected("edge-1"):
        await setting.until({"edge-1": 2})


async def test_every_edge_acknowledges_every_change(setting):
    async with setting.connected("edge-1"), setting.connected("edge-2"):
        for number, routes in (
            (1, ()),
            (2, (route(),)),
            (3, (route(weight=0),)),
            (7, (route(), route("shapes", "shapes.localhost"))),
            (8, (route("shapes", "shapes.localhost"),)),
            (9, ()),
        ):
            await setting.edges.publish(EdgePlan(number, routes))
            await setting.until({"edge-1": number, "edge-2": number})


async def test_publishing_can_be_repeated(setting):
    plan = EdgePlan(3, (route(),))
    async with setting.connected("edge-1"):
        await setting.edges.publish(plan)
        await setting.until({"edge-1": 3})
        await setting.edges.publish(plan)
        await setting.until({"edge-1": 3})


async def test_a_new_number_with_the_same_content_is_acknowledged(setting):
    async with setting.connected("edge-1"):
        await setting.edges.publish(EdgePlan(3, (route(),)))
        await setting.until({"edge-1": 3})
        await setting.edges.publish(EdgePlan(4, (route(),)))
        await setting.until({"edge-1": 4})


async def test_an_edge_that_goes_is_no_longer_listed(setting):
    await setting.edges.publish(EdgePlan(1, (route(),)))
    async with setting.connected("edge-1"):
        async with setting.connected("edge-2"):
            await setting.until({"edge-1": 1, "edge-2": 1})
        await setting.until({"edge-1": 1})


async def test_an_older_plan_does_not_replace_a_newer_one(setting):
    await setting.edges.publish(EdgePlan(5, (route(),)))

    with pytest.raises(Conflict):
        await setting.edges.publish(EdgePlan(4, (route(weight=1),)))


async def test_a_plan_with_one_host_for_two_applications_is_refused_whole(setting):
    async with setting.connected("edge-1"):
        await setting.edges.publish(EdgePlan(1, (route(),)))
        with pytest.raises(InputError):
            await setting.edges.publish(EdgePlan(2, (route(), route("shapes", "COLORS.localhost"))))
        await setting.until({"edge-1": 1})


async def test_an_edge_that_has_reported_nothing_has_no_sight(setting):
    assert await setting.edges.sights() == ()


async def test_a_hub_that_was_busy_for_seconds_still_reads_every_report(setting):
    await setting.edges.publish(EdgePlan(1, (route(),)))
    async with setting.connected("edge-1"):
        await setting.reported("edge-1", {"aws", "gcp"})
        read = read_until(await setting.edges.sights())
        for _ in range(3):
            setting.clock.advance(1)
            now = setting.clock.now()
            await setting.reported("edge-1", {"aws", "gcp"}, at=now)
        sights = await setting.edges.sights()
        (last,) = sights

    assert {each.at for each in unread(sights, read)} == {now - 2, now - 1, now}
    assert unread(sights, read)[-1] == last
    assert unread(sights, read_until(sights)) == ()
    assert unread(sights, {}) == (last,), "who has just begun takes in no old ones"


async def test_an_edge_that_falls_silent_is_remembered_for_a_while_and_then_forgotten(setting):
    await setting.edges.publish(EdgePlan(1, (route(),)))
    async with setting.connected("edge-1"):
        await setting.reported("edge-1", {"aws", "gcp"})
    (last,) = await setting.edges.sights()

    assert (last.edge, last.at) == ("edge-1", setting.clock.now())
    assert [each.cluster for each in last.targets] == ["aws", "gcp"]
    assert not any(each.healthy for each in last.targets), "nobody answers there"
    assert all(each.trouble for each in last.targets)
    setting.clock.advance(FORGOTTEN_SECONDS - 1)
    assert await setting.edges.sights() == (last,)
    setting.clock.advance(1)
    assert await setting.edges.sights() == ()
