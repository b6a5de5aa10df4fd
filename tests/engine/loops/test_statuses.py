"""Git servers learn how builds stand: each news once, and none is forgotten."""

from dataclasses import replace

import pytest

from crossfade.adapters.git_servers.statuses import GitServers
from crossfade.adapters.pipelines.graphs import read_graph
from crossfade.base.errors import Unavailable
from crossfade.core.pipeline.commit_status import Commit
from crossfade.core.pipeline.run import decide
from crossfade.core.pipeline.state import Answer, Seen
from crossfade.engine.loops.statuses import Statuses
from crossfade.engine.pipelines.commands import BuildCommands
from crossfade.engine.pipelines.records import Build, Builds
from crossfade.testing.clock import FakeClock
from crossfade.testing.fake_git_server import TOKEN, FakeGitServer
from crossfade.testing.fake_secrets import FakeSecrets
from crossfade.testing.fake_store import FakeStore
from crossfade.testing.http_service import Reply, http_service

TEXT = "version: '1.0'\nsteps:\n  ask: {type: pending-approval}\n"
SHA = "a" * 40


class World:
    def __init__(self, service, server, servers):
        self.service, self.server = service, server
        self.clock, self.store = FakeClock(), FakeStore()
        self.builds = Builds(self.store)
        self.graph = read_graph(TEXT, "", "the file", with_clone=False)
        self.servers = servers

    async def build(self, **more):
        values = {"pull": 7, "comment": True, **more}
        commit = Commit("github", "acme/web", SHA, "t", "here", api=self.service.address, **values)
        wanted = Build("0", "shop/web", TEXT, 0.0, hub=True, commit=commit)
        return await BuildCommands(self.builds, self.clock).create(wanted, self.graph, {})

    async def turn(self, build, **seen):
        stored = await self.builds.state(build.id)
        want = decide(self.graph, stored.value, Seen(**seen), self.clock.now()).want
        await self.builds.save_state(build, stored, want, None)

    def hub(self):
        return Statuses(Builds(self.store), self.servers, self.clock)

    def states(self):
        return [state for _, _, state in self.server.statuses]


@pytest.fixture
async def world():
    server = FakeGitServer(False, {SHA}, {7})
    async with http_service() as service:
        service.answer = server.answer
        servers = GitServers(FakeSecrets(git_here=TOKEN))
        yield World(service, server, servers)
        await servers.close()


APPROVED = {"answers": {"ask": Answer(approved=True)}}


async def test_a_server_learns_each_news_once(world):
    build, hub = await world.build(), world.hub()
    for _ in range(2):
        await hub.reconcile(build.id)
    await world.turn(build)
    for _ in range(2):
        await hub.reconcile(build.id)
    await world.turn(build, **APPROVED)
    for _ in range(2):
        await hub.reconcile(build.id)

    assert world.states() == ["pending", "pending", "success"]
    assert len(world.server.comments) == 1
    assert await hub.keys() == []
    await world.hub().reconcile(build.id)
    assert len(world.states()) == 3, "the next hub tells nothing again"


async def test_what_a_server_could_not_be_told_is_told_later(world):
    build, hub = await world.build(), world.hub()
    await world.turn(build)
    await world.turn(build, **APPROVED)
    world.service.say(Reply(503))
    with pytest.raises(Unavailable):
        await hub.reconcile(build.id)
    assert await hub.keys() == [build.id]

    world.service.answer = world.server.answer
    await hub.reconcile(build.id)

    assert world.states() == ["success"]


async def test_a_refusal_is_in_the_history_of_the_build_and_stops_nothing(world):
    build, hub = await world.build(), world.hub()
    world.server.commits.clear()
    await world.turn(build)
    await world.turn(build, **APPROVED)

    await hub.reconcile(build.id)

    events = await world.store.events(f"build/{build.id}")
    assert [each.reason for each in events if "was not told" in each.reason]
    assert await hub.keys() == []


async def test_nobody_comments_unless_it_is_wanted(world):
    for more in ({"comment": False}, {"pull": 0}):
        build = await world.build(**more)
        await world.turn(build)
        await world.turn(build, **APPROVED)
        await world.hub().reconcile(build.id)

    assert world.server.comments == {}


async def test_builds_without_a_commit_are_told_to_nobody(world):
    wanted = replace(Build("0", "p", TEXT, 0.0), hub=True)
    await BuildCommands(world.builds, world.clock).create(wanted, world.graph, {})

    assert await world.hub().keys() == []
