"""`crossfade edge`"""

import asyncio
import os

from crossfade.adapters.store.sql import SqlStore
from crossfade.core.fleet.edges import EdgeState, EdgeStates
from crossfade.engine.records import Records, save_edge_plan, save_edges
from crossfade.ports.edge import EdgePlan
from crossfade.settings import load


def remember(*edges: EdgeState) -> None:
    async def save() -> None:
        store = await SqlStore.open(load(os.environ).database_url)
        await Records(store).commit(
            save_edge_plan(0, EdgePlan(7, ())), save_edges(0, EdgeStates(edges))
        )
        await store.close()

    asyncio.run(save())


def test_without_edges_it_says_so_and_that_no_hub_runs(crossfade):
    listed = crossfade("edge", "list")

    assert (listed.code, listed.out) == (0, "no edge is connected\n")
    assert "no hub runs on this store" in listed.err
    assert crossfade("edge", "list", "-o", "json").data == {"plan": 0, "edges": []}


def test_before_the_first_plan_there_is_none_to_have_in_force(crossfade):
    async def save() -> None:
        store = await SqlStore.open(load(os.environ).database_url)
        await Records(store).commit(save_edges(0, EdgeStates((EdgeState("edge-1", 0),))))
        await store.close()

    asyncio.run(save())

    assert crossfade("edge", "list").out.splitlines()[1].endswith("waits for the first plan")


def test_each_edge_is_listed_with_its_plan_and_what_is_wrong(crossfade):
    remember(
        EdgeState("edge-1", 7),
        EdgeState("edge-2", 5),
        EdgeState("edge-3", 6, "bad path"),
        EdgeState("edge-4", 7, gone_since=1.0),
    )
    lines = crossfade("edge", "list").out.splitlines()

    assert lines[0].split() == ["EDGE", "PLAN", "STATE"]
    assert lines[1].split() == ["edge-1", "7", "of", "7", "in", "force"]
    assert lines[2].endswith("behind")
    assert lines[3].endswith("refused: bad path")
    assert "gone for" in lines[4]
    assert crossfade("edge", "list", "-o", "json").data["edges"][1] == {
        "edge": "edge-2",
        "plan": 5,
        "refused": "",
        "gone_since": None,
    }
