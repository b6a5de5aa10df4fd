"""The fleet changed over HTTP, by the same rules as by the CLI."""

import pytest

from crossfade.core.access.roles import Grant, Role
from crossfade.engine.audit import AuditLog

ADMIN = Grant(Role.ADMIN)
GCP = {"name": "gcp", "context": "gcp-2", "kubeconfig": "/etc/kubeconfig", "provider": "gcp"}


async def test_a_cluster_is_added_with_what_was_said_of_it(api):
    await api.ask("DELETE", "/fleet/gcp", ADMIN)
    wanted = GCP | {"labels": {"tier": "prod"}, "capacity": 500, "preemptible": True}
    answer = await api.ask("POST", "/fleet", ADMIN, json=wanted)
    found = (await api.ask("GET", "/fleet/gcp", ADMIN)).json()

    assert answer.status_code == 201, answer.text
    assert answer.json() | {"version": ""} == found | {"version": ""}
    assert answer.json()["version"], "who adds it is told what has answered"
    assert (found["capacity"], found["preemptible"]) == (500, True)
    assert "kubeconfig" not in answer.text
    done = [each.deed.what async for each in AuditLog(api.world.store).entries()]
    assert ("cluster/gcp: added to the fleet",) in done


@pytest.mark.parametrize(
    ("change", "status", "detail"),
    [
        ({"name": "Not A Name"}, 422, "this is no name for a cluster"),
        ({"kubeconfig": "here"}, 422, "the kubeconfig `here` is no absolute path"),
        ({"labels": {"a b": "c"}}, 422, "this is no label"),
        ({"name": "nowhere"}, 503, "no answer"),
    ],
)
async def test_a_cluster_that_cannot_be_one_is_not_added(api, change, status, detail):
    before = (await api.ask("GET", "/fleet", ADMIN)).json()
    answer = await api.ask("POST", "/fleet", ADMIN, json=GCP | change)

    assert (answer.status_code, answer.json()["detail"]) == (status, detail)
    assert (await api.ask("GET", "/fleet", ADMIN)).json() == before


async def test_a_cluster_is_removed_and_then_not_there(api):
    answer = await api.ask("DELETE", "/fleet/gcp", ADMIN)

    assert answer.status_code == 204, answer.text
    assert (await api.ask("GET", "/fleet/gcp", ADMIN)).status_code == 404
    assert (await api.ask("DELETE", "/fleet/gcp", ADMIN)).status_code == 404


async def test_a_drain_names_its_effect_first_and_is_undone_by_a_restore(api):
    await api.world.until_ended()
    await api.world.turn()
    effects = (await api.ask("GET", "/fleet/aws/drain", ADMIN)).json()
    drained = await api.ask("POST", "/fleet/aws/drain", ADMIN)
    standing = (await api.ask("GET", "/failover", ADMIN)).json()["clusters"][0]

    assert [each["application"] for each in effects] == ["colors"]
    assert effects[0]["to"] == ["gcp", "onprem"]
    assert drained.json()["drained_since"] is not None
    assert (standing["cluster"], standing["standing"]) == ("aws", "drained")
    restored = await api.ask("POST", "/fleet/aws/restore", ADMIN)
    assert restored.json()["drained_since"] is None


async def test_a_drain_that_is_sent_twice_is_one(api):
    key = {"Idempotency-Key": "k"}
    for command in ("drain", "restore", "drain"):
        headers = key if command == "drain" else {}
        answer = await api.ask("POST", f"/fleet/aws/{command}", ADMIN, headers=headers)
        assert answer.status_code == 200

    assert answer.json()["drained_since"] is None


async def test_the_last_copy_is_not_drained_over_http_either(api):
    await api.world.until_ended()
    await api.world.turn()
    for cluster in ("aws", "gcp"):
        await api.ask("POST", f"/fleet/{cluster}/drain", ADMIN)
        await api.world.turn()
    answer = await api.ask("POST", "/fleet/onprem/drain", ADMIN)

    assert (answer.status_code, answer.json()["code"]) == (409, "unsafe-plan")
    assert "last copy" in answer.json()["detail"]


async def test_what_a_cluster_carries_and_costs_is_changed_after_a_look_and_the_rest_stays(api):
    wanted = {"capacity": 80, "usd_per_cpu_hour": 0.02}
    before = (await api.ask("GET", "/fleet/gcp", ADMIN)).json()
    looked = await api.ask("POST", "/fleet/gcp/preview", ADMIN, json=wanted)
    assert (await api.ask("GET", "/fleet/gcp", ADMIN)).json() == before, "a look changes nothing"
    changed = await api.ask("PATCH", "/fleet/gcp", ADMIN, json=wanted)

    assert looked.json() == {
        "name": "gcp",
        "differences": [
            {"path": "capacity", "before": None, "after": 80},
            {"path": "usd_per_cpu_hour", "before": None, "after": 0.02},
        ],
        "remarks": [
            "it answers 0 requests per second now, which it still carries",
            "no user moves by a price",
        ],
    }
    assert changed.json() == before | wanted
    said = "cluster/gcp: changed: usd_per_cpu_hour not said -> 0.02, capacity not said -> 80"
    done = [each.deed.what async for each in AuditLog(api.world.store).entries()]
    assert (said,) in done


async def test_what_is_not_said_of_a_cluster_stays_and_null_is_said(api):
    for body in ({"capacity": 80, "usd_per_cpu_hour": 0.02}, {"capacity": None}, {}):
        answer = await api.ask("PATCH", "/fleet/gcp", ADMIN, json=body)
        assert answer.status_code == 200, answer.text

    assert (answer.json()["capacity"], answer.json()["usd_per_cpu_hour"]) == (None, 0.02)


@pytest.mark.parametrize(
    "body", [{"capacity": 0}, {"usd_per_cpu_hour": -1}, {"region": "x"}, {"capacity": 1.5}]
)
async def test_what_a_cluster_cannot_carry_or_cost_is_refused(api, body):
    for method, path in (("PATCH", "/fleet/gcp"), ("POST", "/fleet/gcp/preview")):
        assert (await api.ask(method, path, ADMIN, json=body)).status_code == 422
