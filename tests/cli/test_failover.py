"""`crossfade failover`, and `crossfade fleet drain` and `restore`"""

import asyncio
import os

from crossfade.adapters.store.sql import SqlStore
from crossfade.core.failover.evidence import Condition
from crossfade.core.failover.health import Api, ClusterHealth, Witness
from crossfade.core.failover.shedding import Shedding
from crossfade.core.failover.standing import Presence, Standing
from crossfade.core.failover.users import Users
from crossfade.core.fleet.cluster import Cluster
from crossfade.core.fleet.signals import Vote
from crossfade.engine.records import (
    Records,
    Stored,
    save_application,
    save_cluster,
    save_health,
    save_users,
)
from crossfade.ports.documents import Event
from crossfade.settings import load
from crossfade.testing.builders import record

LOST = ClusterHealth(
    "gcp",
    Condition.BOTH_DOWN,
    Presence("gcp", Standing.OUT),
    reason="out: both-down",
    api=Api(False, "no answer in 2 s"),
    witnesses=(Witness("edge:edge-1", Vote.DOWN, "no connection"), Witness("hub", Vote.DOWN)),
)


def remember(*health, users=None):
    async def save():
        store = await SqlStore.open(load(os.environ).database_url)
        records = Records(store)
        for each in health:
            witnesses = [{"name": one.name, "vote": one.vote.value} for one in each.witnesses]
            event = Event(f"cluster/{each.cluster}", 1.0, each.reason, {"witnesses": witnesses})
            await records.commit(
                save_cluster(0, Cluster(each.cluster, each.cluster, "/kubeconfig")),
                save_health(0, each),
                events=(event,),
            )
        if users is not None:
            await records.commit(save_users(0, users))
        await store.close()

    asyncio.run(save())


def test_an_empty_fleet_is_told_as_such(crossfade):
    assert crossfade("failover", "status").out == "the fleet is empty\n"


def test_status_says_who_is_away_who_says_so_and_why(crossfade):
    users = Users("colors", {"aws": {"r1": 10_000}}, {}, {"aws": "serving", "gcp": "out"})
    remember(ClusterHealth("aws", Condition.HEALTHY), LOST, users=users)
    shown = crossfade("failover", "status")
    aws, gcp = shown.out.splitlines()[1:]

    assert aws.split()[:5] == ["aws", "serving", "healthy", "colors", "100"]
    assert gcp.split()[:3] == ["gcp", "out", "both-down"]
    assert "edge:edge-1 down, hub down" in gcp
    assert "no answer in 2 s" in gcp
    data = crossfade("failover", "status", "-o", "json").data
    assert data["clusters"][1]["users"] == {"colors": 0.0}


def test_users_whom_nobody_can_carry_are_told(crossfade):
    remember(
        ClusterHealth("aws", Condition.HEALTHY),
        users=Users("colors", {}, {}, {}, shed=1250, missing=30, limited=True),
    )

    assert (
        "nobody can carry 12.5 % of colors: 30 requests per second"
        in crossfade("failover", "status").err
    )


def test_the_size_of_a_standby_is_told(crossfade):
    remember(ClusterHealth("gcp", Condition.HEALTHY), users=Users("colors", sizes={"gcp": 25}))

    assert "colors: standby at 25 % of its pods" in crossfade("failover", "status").out


def test_requests_that_edges_turn_away_are_told_by_class_and_counted(crossfade):
    away = Shedding(1.0, {"others": 1250}, {"others": 2500}, turned_away=420)
    remember(
        ClusterHealth("aws", Condition.HEALTHY),
        users=Users("colors", shed=1250, shedding=away, demand=500, missing=30, limited=True),
    )

    assert (
        "edges turn away 12.5 % (others) of colors, 420 requests so far"
        in crossfade("failover", "status").err
    )
    (served,) = crossfade("failover", "status", "-o", "json").data["applications"]
    assert (served["shed_by_class"], served["turned_away"]) == ({"others": 12.5}, 420)


def test_why_tells_of_an_application_when_requests_were_turned_away(crossfade):
    remember(LOST)

    async def save():
        store = await SqlStore.open(load(os.environ).database_url)
        event = Event("users/colors", 2.0, "colors turns away 12.5 % (others)", {})
        await Records(store).commit(save_application(Stored(record()), record()), events=(event,))
        await store.close()

    asyncio.run(save())

    assert "colors turns away 12.5 % (others)" in crossfade("failover", "why", "colors").out


def test_why_tells_all_that_was_decided_of_a_cluster(crossfade):
    remember(LOST)
    shown = crossfade("failover", "why", "gcp").out

    assert "out: both-down" in shown
    assert "edge:edge-1 down, hub down" in shown
    assert crossfade("failover", "why", "gcp", "-o", "json").data["name"] == "gcp"
    assert crossfade("failover", "why", "azure").code == 3


def test_a_drain_is_not_done_by_a_script_that_has_not_said_yes(crossfade):
    remember(ClusterHealth("aws", Condition.HEALTHY))
    refused = crossfade("fleet", "drain", "aws")

    assert refused.code == 2
    assert "say --yes" in refused.err
    assert (
        crossfade("failover", "status", "-o", "json").data["clusters"][0]["standing"] == "serving"
    )


def test_a_dry_run_says_what_would_happen_and_changes_nothing(crossfade):
    remember(ClusterHealth("aws", Condition.HEALTHY))

    assert "aws has no users" in crossfade("fleet", "drain", "aws", "--dry-run").out
    assert "step by step" in crossfade("fleet", "restore", "aws", "--dry-run").out
    assert crossfade("fleet", "restore", "azure", "--dry-run").code == 3
    assert (
        crossfade("failover", "status", "-o", "json").data["clusters"][0]["standing"] == "serving"
    )


def test_a_cluster_without_users_is_drained_at_once_and_restored(crossfade):
    remember(ClusterHealth("aws", Condition.HEALTHY))

    assert "aws is drained" in crossfade("fleet", "drain", "aws", "--yes").out
    assert "drained" in crossfade("failover", "status").out
    assert "users may come back" in crossfade("fleet", "restore", "aws").out
    assert crossfade("fleet", "drain", "azure", "--yes").code == 3


def test_the_last_copy_is_not_drained_whoever_asks(crossfade):
    async def apply():
        from crossfade.core.rollout.record import Record
        from crossfade.engine.records import Stored, save_application
        from crossfade.testing.builders import application

        store = await SqlStore.open(load(os.environ).database_url)
        record = Record(application())
        await Records(store).commit(save_application(Stored(record), record))
        await store.close()

    remember(
        ClusterHealth("aws", Condition.HEALTHY),
        users=Users("colors", {"aws": {"r1": 10_000}}, {}, {"aws": "serving"}),
    )
    asyncio.run(apply())
    refused = crossfade("fleet", "drain", "aws", "--yes")

    assert refused.code == 4
    assert "it is the last copy" in refused.err
