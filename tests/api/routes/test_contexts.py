"""Shared configurations over HTTP: values of secrets are taken and never answered."""

import pytest

from crossfade.core.access.roles import Grant, Role

ADMIN, DEVELOPER = Grant(Role.ADMIN), Grant(Role.DEVELOPER)
SHOP = """
kind: pipeline
metadata: {name: shop/build}
spec:
  CONTEXTS
  steps: {unit: {image: alpine, commands: [make test]}}
"""
SECRET = {"type": "secret", "data": {"TOKEN": "hunter2hunter2"}}


async def test_one_is_made_shown_without_its_secrets_and_removed(api):
    made = await api.ask("PUT", "/contexts/tokens", ADMIN, json=SECRET)
    listed = await api.ask("GET", "/contexts", Grant(Role.VIEWER))
    shown = await api.ask("GET", "/contexts/tokens", Grant(Role.VIEWER))

    assert made.status_code == 200, made.text
    assert listed.json() == [shown.json()] == [made.json()]
    assert shown.json()["data"] == {"TOKEN": "***"}
    again = await api.ask("PUT", "/contexts/tokens", ADMIN, json=SECRET)
    assert again.status_code == 409
    over = {"type": "config", "data": {"A": "b"}, "replace": True}
    assert (await api.ask("PUT", "/contexts/tokens", ADMIN, json=over)).json()["data"] == {"A": "b"}
    assert (await api.ask("DELETE", "/contexts/tokens", ADMIN)).status_code == 204
    assert (await api.ask("DELETE", "/contexts/tokens", ADMIN)).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"type": "secret", "data": {"1X": "hunter2hunter2"}},
        {"type": "secret", "data": {"X": ["hunter2hunter2"]}},
        {"type": "secret", "data": "hunter2hunter2"},
        {"type": "hunter2hunter2", "data": {"X": "y"}},
        {"type": "secret", "data": {}, "value": "hunter2hunter2"},
    ],
)
async def test_what_is_refused_is_not_repeated(api, body):
    answer = await api.ask("PUT", "/contexts/a", ADMIN, json=body)

    assert answer.status_code == 422
    assert "hunter2" not in answer.text


async def test_who_may_only_start_pipelines_gives_them_no_configuration(api):
    """Else a pipeline for tests could be given what only the one for production is to have."""
    await api.ask("PUT", "/contexts/tokens", ADMIN, json=SECRET)
    files = {"files": [{"text": SHOP.replace("CONTEXTS", "contexts: [tokens]")}]}
    assert (await api.ask("POST", "/pipelines", ADMIN, json=files)).status_code == 200
    plain = await api.ask("POST", "/builds", DEVELOPER, json={"pipeline": "shop/build"})
    wanted = {"pipeline": "shop/build", "contexts": ["tokens"]}

    assert plain.status_code == 201
    assert (await api.ask("POST", "/builds", DEVELOPER, json=wanted)).status_code == 403
    assert (await api.ask("POST", "/builds", ADMIN, json=wanted)).status_code == 201
    build = (await api.services.building.builds.build("2")).value
    assert build.contexts == ("tokens",)
    file = {"file": {"text": SHOP.replace("CONTEXTS", "contexts: []")}, "contexts": ["tokens"]}
    assert (await api.ask("POST", "/builds/file", ADMIN, json=file)).status_code == 201


async def test_a_pipeline_that_lists_one_that_is_not_there_is_not_registered(api):
    text = SHOP.replace("CONTEXTS", "contexts: [nothing]")
    answer = await api.ask("POST", "/pipelines", ADMIN, json={"files": [{"text": text}]})

    assert answer.status_code == 422
    assert "no shared configuration `nothing`" in answer.json()["detail"]
