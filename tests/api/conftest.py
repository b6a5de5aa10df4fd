"""The API over a store and clusters in memory, with people of every role."""

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import httpx
import pytest

from crossfade.adapters.documents.application import parse
from crossfade.adapters.documents.application_keys import as_written
from crossfade.adapters.pipelines.graphs import Choice, read_graph
from crossfade.adapters.runners.kept_files import KeptFiles
from crossfade.adapters.runners.log_files import LogFiles
from crossfade.adapters.runners.workspace_folders import WorkspaceFolders
from crossfade.adapters.secrets.sealing import KeyRing
from crossfade.adapters.sign_on.oidc import OidcProvider
from crossfade.adapters.webhooks.reading import read_events
from crossfade.adapters.webhooks.signatures import genuine
from crossfade.api.app import create_app
from crossfade.api.services import Acts, Building, Services
from crossfade.base.clock import SteadyClock
from crossfade.base.secrets import Secret, SecretRef
from crossfade.core.access.roles import Grant, Identity, Role
from crossfade.core.application import Route, Source
from crossfade.core.dns.record import DnsSpec, UpdateKey
from crossfade.core.pipeline.forgetting import Limits
from crossfade.core.pipeline.run import decide, runs
from crossfade.core.pipeline.state import RunSight, Seen, Status
from crossfade.engine.accounts import Accounts, Caller
from crossfade.engine.audit import AuditedDocuments
from crossfade.engine.commands import Commands
from crossfade.engine.deployments import Deployments
from crossfade.engine.feed import Feed
from crossfade.engine.history import History
from crossfade.engine.names import Names
from crossfade.engine.pipelines.commands import BuildCommands, check
from crossfade.engine.pipelines.environments import Environments
from crossfade.engine.pipelines.files import PipelineFiles
from crossfade.engine.pipelines.forgetting import Forgetting, Pruning
from crossfade.engine.pipelines.records import Build, Builds, run_id
from crossfade.engine.pipelines.shared_configurations import SharedConfigurations
from crossfade.engine.pipelines.starting import Registry
from crossfade.engine.pipelines.webhooks import Senders, Webhooks
from crossfade.engine.records import Records
from crossfade.engine.secret_commands import SecretCommands
from crossfade.engine.sign_on import SignOn
from crossfade.testing.builders import application
from crossfade.testing.engine_world import EngineWorld
from crossfade.testing.fake_charts import FakeCharts
from crossfade.testing.fake_name_servers import FakeNameServers
from crossfade.testing.fake_passwords import FakePasswords
from crossfade.testing.fake_runner import FakeMachine, FakeRunner
from crossfade.testing.fake_secrets import FakeSecrets

PIPELINE = """
version: '1.0'
stages: [test, ship]
steps:
  unit: {image: alpine, stage: test, commands: [make test], title: Unit tests}
  go: {type: pending-approval, stage: ship}
  ship: {image: alpine, stage: ship, commands: [make ship]}
"""
DNS = DnsSpec("10.0.0.53", "localhost", UpdateKey("crossfade", SecretRef("dns")))
ADMIN = Caller(Identity("admin", (Grant(Role.ADMIN),)), "page", csrf="c")


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

    async def build(self):
        """Begin a build, and return it."""
        building, now = self.services.building, self.world.clock.now()
        commands = BuildCommands(building.builds, self.world.clock)
        wanted = Build("0", "shop", PIPELINE, now)
        return await commands.create(wanted, building.graph(wanted), {})

    async def turn(self, build, status=None):
        """Have the build go on; its runs are then as `status` says.  Return its state."""
        builds = self.services.building.builds
        stored = await builds.state(build.id)
        graph = self.services.building.graph(build)
        wanted = runs(graph, stored.value) if status else ()
        answers = (await builds.wishes(build)).value
        seen = Seen(
            {each.key: RunSight(each.number, status) for each in wanted},
            answers.answers,
            answers.terminate,
        )
        want = decide(graph, stored.value, seen, self.world.clock.now()).want
        return (await builds.save_state(build, stored, want, None)).value

    async def waiting(self):
        """Return a build whose approval is waited for."""
        build = await self.build()
        await self.turn(build)
        self.printed(build, "unit", "one\ntwo\nthree\n")
        await self.turn(build, Status.SUCCEEDED)
        return build

    def printed(self, build, step, text):
        self.services.building.logs.append(run_id(build, step, 1), text)


MACHINE = FakeMachine()


class _Logs(LogFiles):
    def append(self, run, text):
        self.path(run).parent.mkdir(parents=True, exist_ok=True)
        super().append(run, text)


def services_of(world, folder):
    def acts(documents):
        charts = FakeCharts("/charts/colors", "/charts/shapes")
        records = Records(documents)
        return Acts(
            Commands(records, world.connections, world.clock),
            Deployments(records, world.store, charts, world.clock, world.connections),
            BuildCommands(Builds(documents), world.clock),
            SecretCommands(documents, KeyRing(folder / "sealing.key", "KEY", ""), world.clock),
            files_of(documents, world.clock),
            SharedConfigurations(
                Builds(documents), lambda: KeyRing(folder / "sealing.key", "KEY", ""), world.clock
            ),
            Environments(documents, lambda _: FakeRunner(MACHINE), world.clock),
            Pruning(
                Forgetting(
                    Builds(documents),
                    KeptFiles(folder, lambda build: folder / build),
                    WorkspaceFolders(folder),
                    world.clock,
                ),
                Limits(),
            ),
        )

    async def hub():
        return "me"

    queries, records = world.queries, Records(world.store)
    accounts = Accounts(world.store, FakePasswords(), world.clock)
    return Services(
        world.store,
        queries,
        History(queries),
        accounts,
        Feed(world.store),
        world.clock,
        acts,
        lambda text: parse(text, "the request"),
        as_written,
        hub,
        Building(
            Builds(world.store),
            _Logs(folder),
            lambda build: read_graph(build.text, "", "the file", with_clone=False),
            lambda _: False,
            KeptFiles(folder, lambda build: folder / build),
        ),
        webhooks_of(world),
        SignOn(
            accounts, OidcProvider(FakeSecrets(oidc_client_secret="s"), SteadyClock()), world.clock
        ),
        Names(records, FakeNameServers("localhost"), world.connections, world.clock),
    )


def graph_of(build):
    choice = Choice(build.template, build.only, build.skip)
    return read_graph(build.text, "", "the file", with_clone=build.clone, choice=choice)


def files_of(documents, clock):
    def read(file, with_clone):
        return read_graph(file.text, "", file.label, with_clone=with_clone)

    async def require(graph, variables, host_images, _):
        check(graph, variables, lambda _: True, host_images, lambda _: True)

    builds = Builds(documents)
    registry = Registry(builds, clock, graph_of)
    return PipelineFiles(registry, BuildCommands(builds, clock), read, require)


def webhooks_of(world):
    builds = Builds(world.store)
    audited = AuditedDocuments(world.store, "webhook", "webhook", world.clock)
    return Webhooks(
        builds,
        Registry(Builds(audited), world.clock, graph_of),
        FakeSecrets(webhook_github="s3cret"),
        Senders(genuine, read_events),
        world.clock,
    )


@cache
def made_once():
    """Return an application; its schemas take half a second, so that all tests use one."""
    return create_app(services_of(EngineWorld(), Path()))


@pytest.fixture
async def api(tmp_path):
    world = EngineWorld()
    await world.prepare(replace(application(), dns=DNS))
    other = replace(
        application(),
        name="shapes",
        route=Route("shapes.localhost", "shapes"),
        source=Source("/charts/shapes"),
    )
    await world.commands.apply(other)
    await world.deployments.deploy("colors", {})
    services = services_of(world, tmp_path)
    services.figures.records = world.queries.records  # the hub is in this process
    password = await services.accounts.first_admin()
    await services.feed.begin()
    app = made_once()
    app.state.services = services
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
        yield Api(world, services, client, password)
    await services.sign_on.identities.close()
