"""What is remembered comes back as it was, and nobody overwrites what another has written."""

import pytest

from crossfade.base.errors import Conflict, InputError, NotFound
from crossfade.core.failover.health import ClusterHealth
from crossfade.core.fleet.cluster import Cluster
from crossfade.core.release.report import Address, Report
from crossfade.core.rollout.record import Record
from crossfade.engine.records import (
    Records,
    Stored,
    report_name,
    rollout_name,
    save_application,
    save_cluster,
    save_edge_plan,
    save_health,
    save_report,
    save_rollout,
)
from crossfade.ports.documents import Event, Save
from crossfade.ports.edge import EdgePlan, EdgeRoute, EdgeTarget
from crossfade.testing.builders import APP, application, record, rollout
from crossfade.testing.fake_store import FakeStore

REPORT = Report(APP, "aws", 5.0, shares={"r1": 100}, address=Address("aws.test", 80))
PLAN = EdgePlan(3, (EdgeRoute(APP, "h", "/", 0.5, (EdgeTarget("aws", "a/b", "h", 80, 100),)),))


@pytest.fixture
def records():
    return Records(FakeStore())


async def test_everything_comes_back_as_it_was_saved(records):
    cluster, health = Cluster("aws", "aws", "/kubeconfig"), ClusterHealth("aws", version="v1")
    await records.commit(
        save_application(Stored(record()), record()),
        save_rollout(Stored(rollout()), rollout()),
        save_cluster(0, cluster),
        save_health(0, health),
        save_report(0, REPORT),
        save_edge_plan(0, PLAN),
    )

    assert await records.application(APP) == Stored(record(), 1)
    assert await records.rollout(record()) == Stored(rollout(), 1)
    assert await records.find_cluster("aws") == Stored(cluster, 1)
    assert await records.clusters() == (Stored(cluster, 1),)
    assert await records.health() == {"aws": Stored(health, 1)}
    assert await records.find_health("aws") == Stored(health, 1)
    assert await records.find_report(APP, "aws") == Stored(REPORT, 1)
    assert await records.edge_plan() == Stored(PLAN, 1)


async def test_what_is_not_there_is_none_or_told(records):
    assert await records.find_application(APP) is None
    assert await records.rollout(Record(application())) is None
    assert await records.edge_plan() is None
    with pytest.raises(NotFound) as raised:
        await records.application(APP)
    assert "crossfade apply" in raised.value.hint


async def test_a_value_that_was_read_before_somebody_else_wrote_is_refused(records):
    await records.commit(save_application(Stored(record()), record()))
    old = await records.application(APP)
    await records.commit(save_application(old, record()))
    with pytest.raises(Conflict):
        await records.commit(save_application(old, record()))


async def test_a_hub_that_was_replaced_writes_nothing():
    store = FakeStore()
    old = await store.acquire("hub", "old", 0.0, 1.0)
    await store.acquire("hub", "new", 2.0, 1.0)
    with pytest.raises(Conflict):
        await Records(store, fence=old.epoch).commit(save_report(0, REPORT))
    assert await Records(store).reports() == ()


async def test_whoever_listens_learns_of_each_commit_that_was_made_and_of_no_other(records):
    heard = []
    records.on_commit = lambda *news: heard.append(news)
    await records.commit(save_report(0, REPORT))
    with pytest.raises(Conflict):
        await records.commit(save_report(0, REPORT))

    assert heard == [(1, (("report", "colors@aws"),))]


async def test_what_cannot_be_read_says_so_instead_of_being_dropped(records):
    await records.commit(Save("cluster", "aws", 0, {"name": "aws"}))
    with pytest.raises(InputError, match="stored Cluster cannot be read"):
        await records.clusters()


async def test_the_history_is_kept_in_order(records):
    for number in range(3):
        await records.commit(events=(Event("rollout/x", float(number), f"step {number}", {}),))

    assert [event.reason for event in await records.events("rollout/x", after=1)] == [
        "step 1",
        "step 2",
    ]


def test_rollouts_sort_by_age_beyond_the_ninth():
    names = [rollout_name(APP, number) for number in (9, 10, 100)]

    assert names == sorted(names)
    assert report_name(APP, "aws") == "colors@aws"
