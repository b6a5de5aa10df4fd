"""Every report of an edge is taken down once, with the shares that were in force."""

import pytest

from crossfade.engine.figures import Figures
from crossfade.engine.loops.figures import FigureLoop
from crossfade.engine.records import Records
from crossfade.ports.edge import EdgeTargetSight
from crossfade.testing.builders import APP
from crossfade.testing.engine_world import EngineWorld


@pytest.fixture
async def world():
    world = EngineWorld()
    await world.prepare()
    await world.deploy({})
    return world


def loop_of(world, figures):
    return FigureLoop(Records(world.store), world.edges, world.clock, figures)


def sight(requests, failed=0, cluster="aws"):
    return EdgeTargetSight(APP, cluster, True, requests=requests, failed=failed)


async def test_a_report_counts_once_however_often_it_is_looked_at(world):
    figures = Figures()
    loop = loop_of(world, figures)
    world.edges.report("edge-1", sight(40, 2))
    world.edges.report("edge-2", sight(2))

    for _ in range(3):
        await loop.reconcile("figures")
    world.clock.advance(1)
    world.edges.report("edge-1", sight(8))
    await loop.reconcile("figures")

    points = figures.history(APP)["aws"]
    assert sum(each.requests for each in points) == 50
    assert sum(each.failed for each in points) == 2


async def test_no_report_is_lost_by_a_hub_that_was_busy_for_seconds(world):
    figures = Figures()
    loop = loop_of(world, figures)
    world.edges.report("edge-1", sight(1))
    await loop.reconcile("figures")
    for requests in (10, 20, 30):
        world.clock.advance(1)
        world.edges.report("edge-1", sight(requests, failed=requests))
    await loop.reconcile("figures")

    points = figures.history(APP)["aws"]
    assert sum(each.requests for each in points) == 61
    assert sum(each.failed for each in points) == 60


async def test_requests_are_those_of_the_revision_that_is_in_force(world):
    figures = Figures()
    revision = (await world.rollout()).canary.id
    world.edges.report("edge-1", sight(40))

    await loop_of(world, figures).reconcile("figures")

    assert figures.history(APP)["aws"][0].revisions == {revision: 40.0}


async def test_requests_of_an_application_that_is_gone_harm_nobody(world):
    figures = Figures()
    gone = EdgeTargetSight("gone", "aws", True, requests=3)
    world.edges.report("edge-1", gone)

    await loop_of(world, figures).reconcile("figures")

    assert figures.history("gone")["aws"][0].revisions == {}
