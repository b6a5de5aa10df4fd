"""Registered pipelines over HTTP, and builds that the hub is asked for."""

import pytest

from crossfade.core.access.roles import Grant, Role
from crossfade.engine.access_records import AUDIT_LOG
from crossfade.engine.pipelines.starting import Start

ADMIN, DEVELOPER = Grant(Role.ADMIN), Grant(Role.DEVELOPER)
SHOP = """
kind: pipeline
metadata: {name: shop/build}
spec:
  triggers: [{name: nightly, type: cron, expression: 0 0 * * *}]
  steps: {unit: {image: alpine, commands: [make test]}}
"""


async def registered(api, text=SHOP):
    answer = await api.ask("POST", "/pipelines", ADMIN, json={"files": [{"text": text}]})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_pipeline_is_registered_started_and_forgotten(api):
    assert await registered(api) == [{"pipeline": "shop/build", "change": "saved"}]
    assert await registered(api) == [{"pipeline": "shop/build", "change": "unchanged"}]
    wanted = {"pipeline": "shop/build", "variables": {"A": {"value": "x"}}}
    begun = await api.ask("POST", "/builds", DEVELOPER, json=wanted)
    listed = (await api.ask("GET", "/pipelines", Grant(Role.VIEWER))).json()

    assert begun.status_code == 201, begun.text
    assert (begun.json()["run"], begun.json()["hub"]) == ("1", True)
    row = {"pipeline": "shop/build", "triggers": "nightly", "builds": 1, "newest": "1"}
    assert listed == [row]
    assert (await api.ask("DELETE", "/pipelines/shop/build", ADMIN)).status_code == 204
    assert (await api.ask("DELETE", "/pipelines/shop/build", ADMIN)).status_code == 404
    assert (await api.ask("POST", "/builds", ADMIN, json=wanted)).status_code == 404


async def test_nothing_is_registered_unless_all_files_are_accepted(api):
    nameless = "version: '1.0'\nsteps: {a: {image: alpine, commands: [ls]}}"
    files = {"files": [{"text": SHOP}, {"text": nameless, "label": "b.yml"}]}
    answer = await api.ask("POST", "/pipelines", ADMIN, json=files)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-input")
    assert (await api.ask("GET", "/pipelines", ADMIN)).json() == []


@pytest.mark.parametrize("place", ["steps", "../steps", "file:///steps"])
async def test_definitions_are_at_an_address_or_an_absolute_path(api, place):
    files = {"files": [{"text": SHOP, "definitions": place}]}
    answer = await api.ask("POST", "/pipelines", ADMIN, json=files)

    assert answer.status_code == 422
    assert "at no absolute path" in answer.json()["detail"]


async def test_a_build_that_is_asked_for_twice_with_a_key_is_one(api):
    await registered(api)
    headers = {"Idempotency-Key": "k"}
    wanted = {"pipeline": "shop/build"}
    two = [
        await api.ask("POST", "/builds", DEVELOPER, json=wanted, headers=headers) for _ in range(2)
    ]
    file = {"file": {"text": SHOP}}
    more = [
        await api.ask("POST", "/builds/file", ADMIN, json=file, headers={"Idempotency-Key": "l"})
        for _ in range(2)
    ]
    other = wanted | {"branch": "main"}
    misused = await api.ask("POST", "/builds", DEVELOPER, json=other, headers=headers)

    assert [each.json()["run"] for each in two] == ["1", "1"]
    assert [each.json()["run"] for each in more] == ["2", "2"]
    assert (misused.status_code, misused.json()["code"]) == (409, "conflict")


async def test_values_of_secret_variables_are_neither_answered_nor_repeated_in_errors(api):
    await registered(api)
    secret = {"TOKEN": {"value": "hunter2", "secret": True}}
    wanted = {"pipeline": "shop/build", "variables": secret}
    await api.ask("POST", "/builds", DEVELOPER, json=wanted)
    wrong = await api.ask("POST", "/builds", DEVELOPER, json=wanted | {"variables": "hunter2"})

    assert wrong.status_code == 422
    assert "hunter2" not in wrong.text
    for path in ("/builds/1", "/builds/1/state", "/builds", "/events", "/audit"):
        assert "hunter2" not in (await api.ask("GET", path, ADMIN)).text


async def test_who_has_asked_for_a_build_and_by_what_way_is_in_the_audit_log(api):
    await registered(api)
    await api.ask("POST", "/builds", DEVELOPER, json={"pipeline": "shop/build"})
    await api.ask("POST", "/builds/1/terminate", DEVELOPER, json={"why": "too slow"})
    deeds = [each.facts["deed"] for each in await api.world.store.events(AUDIT_LOG)]
    done = [each["what"][0] for each in deeds if not each["what"][0].startswith("token/")]

    assert done[-3:] == [
        "pipeline/shop/build: registered by a command",
        "build/1: asked for: shop/build",
        "build/1: ended by admin: too slow",
    ]
    assert {each["who"] for each in deeds[1:]} == {"admin"}


async def test_a_file_is_not_run_by_who_may_only_start_what_is_registered(api):
    file = {"text": SHOP}
    for path, body in (("/builds/file", {"file": file}), ("/pipelines", {"files": [file]})):
        answer = await api.ask("POST", path, Grant(Role.RELEASER), json=body)

        assert (answer.status_code, answer.json()["code"]) == (403, "not-allowed")


async def test_steps_in_place_of_the_pipelines_own_take_what_running_a_file_takes(api):
    await registered(api)
    wanted = {"pipeline": "shop/build", "template": SHOP, "skip": ["unit"]}
    refused = await api.ask("POST", "/builds", DEVELOPER, json=wanted)
    some = await api.ask("POST", "/builds", DEVELOPER, json=wanted | {"template": ""})
    begun = await api.ask("POST", "/builds", ADMIN, json=wanted)

    assert (refused.status_code, refused.json()["code"]) == (403, "not-allowed")
    assert (some.status_code, begun.status_code) == (201, 201), begun.text


GUARDED = """
kind: pipeline
metadata: {name: shop/ship}
spec:
  steps:
    unit: {image: alpine, commands: [make test]}
    go: {type: pending-approval}
    ship: {image: alpine, commands: [make ship]}
"""


@pytest.mark.parametrize("choice", [{"skip": ["go"]}, {"only": ["ship"]}, {"only": ["unit"]}])
async def test_who_may_not_answer_approvals_may_not_leave_them_out(api, choice):
    await registered(api, GUARDED)
    wanted = {"pipeline": "shop/ship", **choice}
    refused = await api.ask("POST", "/builds", DEVELOPER, json=wanted)
    begun = await api.ask("POST", "/builds", Grant(Role.RELEASER), json=wanted)
    plain = await api.ask(
        "POST", "/builds", DEVELOPER, json=wanted | {"only": [], "skip": ["unit"]}
    )

    assert (refused.status_code, refused.json()["code"]) == (403, "not-allowed")
    assert (begun.status_code, plain.status_code) == (201, 201), begun.text


async def test_nobody_takes_the_place_of_a_build_that_a_cron_or_a_step_is_to_start(api):
    await registered(api)
    for key in ("cron/shop/build/nightly/1800000000", "7.0/child@1"):
        wanted = {"pipeline": "shop/build", "once": key}
        taken = [await api.ask("POST", "/builds", DEVELOPER, json=wanted) for _ in range(2)]
        registry = api.services.acts(api.world.store).files.registry
        started = await registry.start(Start("shop/build", once=key))

        assert taken[0].json()["run"] == taken[1].json()["run"]
        assert started.id != taken[0].json()["run"]


async def test_nobody_starts_builds_in_the_name_of_somebody_else(api):
    await registered(api)
    forged = {"CF_BUILD_INITIATOR": {"value": "cron"}}
    wanted = {"pipeline": "shop/build", "variables": forged}
    await api.ask("POST", "/builds", DEVELOPER, json=wanted)
    state = (await api.services.building.builds.state("1")).value

    assert state.variables["CF_BUILD_INITIATOR"].value == "admin"
