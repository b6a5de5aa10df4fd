"""Environments over HTTP: listed, read and ended by those who may start builds."""

from crossfade.base.codec import to_json
from crossfade.core.access.roles import Grant, Role
from crossfade.engine.access_records import AUDIT_LOG
from crossfade.engine.pipelines.environments import ENVIRONMENT, Environment, Environments
from crossfade.ports.documents import Save

DEVELOPER, VIEWER = Grant(Role.DEVELOPER), Grant(Role.VIEWER)


async def launched(api):
    """Have an environment in the store; nothing of it runs any more."""
    build = await api.build()
    body = Environment("shop/review", build.id, "shop", 0.0, 600.0, f"{build.id}.0/up@1")
    await api.world.store.commit((Save(ENVIRONMENT, body.name, 0, to_json(body)),), ())


async def test_of_what_a_service_has_printed_for_weeks_the_end_is_shown(api, monkeypatch):
    async def logs(_, name, printed):
        for part in (f"the beginning of {name}\n", *["x" * 65_536] * 20, "", "the end\n"):
            printed(part)

    monkeypatch.setattr(Environments, "logs", logs)
    text = (await api.ask("GET", "/environments/shop/log", VIEWER)).json()["text"]

    first, _, rest = text.partition("\n")
    assert first == f"({22 + 20 * 65_536 + 8 - 2**20} characters are left out)"
    assert len(rest) == 2**20
    assert rest.endswith("the end\n")


async def test_one_is_listed_and_ended_and_who_has_done_it_is_known(api):
    await launched(api)
    (row,) = (await api.ask("GET", "/environments", VIEWER)).json()
    log = await api.ask("GET", "/environments/shop%2Freview/log", VIEWER)

    assert (row["environment"]["name"], row["status"]) == ("shop/review", "ended")
    assert log.json() == {"text": ""}
    assert (await api.ask("DELETE", "/environments/shop%2Freview", VIEWER)).status_code == 403
    assert (await api.ask("DELETE", "/environments/shop%2Freview", DEVELOPER)).status_code == 204
    assert (await api.ask("GET", "/environments", VIEWER)).json() == []
    assert (await api.ask("DELETE", "/environments/shop%2Freview", DEVELOPER)).status_code == 404
    deeds = [each.reason for each in await api.world.store.events(AUDIT_LOG)]
    assert "environment/shop/review: ended" in deeds
