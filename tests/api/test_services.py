"""What lists are made of."""

from dataclasses import replace

from crossfade.core.access.roles import Grant, Role
from crossfade.core.application import Route, Source
from crossfade.engine.cached_documents import CachedDocuments
from crossfade.engine.records import Records
from crossfade.testing.builders import application


async def test_a_list_has_what_was_changed_just_now_though_the_loops_have_not_looked_again(api):
    kept = CachedDocuments(api.world.store)
    api.services.figures.records = Records(kept)
    await kept.refresh()

    async def names():
        found = await api.ask("GET", "/applications", Grant(Role.VIEWER))
        return [each["name"] for each in found.json()["items"]]

    assert await names() == ["colors", "shapes"]
    route, source = Route("new.localhost", "new"), Source("/charts/new")
    await api.world.commands.apply(replace(application(), name="new", route=route, source=source))

    assert await names() == ["colors", "new", "shapes"]
