"""Rollouts begun over HTTP, by the same rules as by the CLI."""

from dataclasses import replace

from crossfade.core.access.roles import Grant, Role
from crossfade.core.release.data import DataForms
from crossfade.testing.builders import APP, application

ADMIN = Grant(Role.ADMIN)


async def declare(api, data):
    await api.world.commands.apply(replace(application(), data=data))


async def test_versions_that_do_not_get_along_are_refused_and_forced_over_http_too(api):
    await api.world.until_ended()
    await declare(api, DataForms("a"))
    first = (await api.world.deploy({"colour": "blue"})).canary.id
    await declare(api, DataForms("b"))
    red = {"values": {"colour": "red"}}
    refused = await api.ask("POST", f"/applications/{APP}/rollouts", ADMIN, json=red)
    forced = await api.ask(
        "POST", f"/applications/{APP}/rollouts", ADMIN, json=red | {"force": True}
    )
    await api.world.until_ended()
    back = f"/applications/{APP}/rollout/undo"
    kept = await api.ask("POST", back, ADMIN, json={"to": first})
    undone = await api.ask("POST", back, ADMIN, json={"to": first, "force": True})

    assert refused.json()["code"] == kept.json()["code"] == "unsafe-plan"
    assert f"{first} does not read `b`" in refused.json()["detail"]
    assert (forced.status_code, undone.status_code) == (201, 200), (forced.text, undone.text)
    assert undone.json()["rollout"]["canary"]["id"] == first
