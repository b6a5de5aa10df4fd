"""The API over a store and clusters in memory, with people of every role."""

from dataclasses import dataclass, replace
from functools import cache

import httpx
import pytest

from crossfade.adapters.documents.application import parse
from crossfade.api.app import create_app
from crossfade.api.services import Acts, Services
from crossfade.base.secrets import Secret
from crossfade.core.access.roles import Grant, Identity, Role
from crossfade.core.application import Route, Source
from crossfade.engine.accounts import Accounts, Caller
from crossfade.engine.commands import Commands
from crossfade.engine.deployments import Deployments
from crossfade.engine.feed import Feed
from crossfade.engine.history import History
from crossfade.engine.records import Records
from crossfade.testing.builders import application
from crossfade.testing.engine_world import EngineWorld
from crossfade.testing.fake_charts import FakeCharts

ADMIN = Caller(Identity("admin", (Grant(Role.ADMIN),)), "page", csrf="c")


class PlainPasswords:
    """Passwords that take no time; nobody's are real here."""

    def __init__(self):
        self.compared = 0

    async def hashed(self, password):
        return f"kept {password}"

    async def fits(self, password, kept):
        self.compared += 1
        return kept == f"kept {password}"


@dataclass
class Api:
    """The API as its clients meet it."""

    world: EngineWorld
    services: Services
    client: httpx.AsyncClient
    password: Secret

    async def token(self, *grants):
        made = await self.services.accounts.make_token(ADMIN, "t", grants, 1)
        return {"Authorization": f"Bearer {made[1].reveal()}"}

    async def ask(self, method, path, *grants, **more):
        """Ask as somebody with these grants."""
        headers = await self.token(*grants) | more.pop("headers", {})
        return await self.client.request(method, f"/api/v1{path}", headers=headers, **more)


def services_of(world):
    def acts(documents):
        charts = FakeCharts("/charts/colors")
        records = Records(documents)
        return Acts(
            Commands(records, world.connections, world.clock),
            Deployments(records, world.store, charts, world.clock, world.connections),
        )

    async def hub():
        return "me"

    queries = world.queries
    return Services(
        world.store,
        queries,
        History(queries),
        Accounts(world.store, PlainPasswords(), world.clock),
        Feed(world.store),
        world.clock,
        acts,
        lambda text: parse(text, "the request"),
        hub,
    )


@cache
def made_once():
    """Return an application; its schemas take half a second, so that all tests use one."""
    return create_app(services_of(EngineWorld()))


@pytest.fixture
async def api():
    world = EngineWorld()
    await world.prepare()
    other = replace(
        application(),
        name="shapes",
        route=Route("shapes.localhost", "shapes"),
        source=Source("/charts/shapes"),
    )
    await world.commands.apply(other)
    await world.deployments.deploy("colors", {})
    services = services_of(world)
    password = await services.accounts.first_admin()
    await services.feed.begin()
    app = made_once()
    app.state.services = services
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
        yield Api(world, services, client, password)
