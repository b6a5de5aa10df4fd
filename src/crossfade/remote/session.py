"""
What commands work with, over HTTP: the same calls as on a store of one's own, the same values.

What no request does is refused by name when a command comes to it.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from pathlib import Path

from crossfade.adapters.documents.absolute import with_absolute_charts
from crossfade.api.routes.failover import Decided, Turn
from crossfade.api.routes.fleet import Member
from crossfade.base.clock import Clock, SteadyClock
from crossfade.base.codec import from_json, to_json
from crossfade.base.errors import NotFound, Unavailable
from crossfade.base.ids import ApplicationName, ClusterName, RevisionId
from crossfade.core.application import Application, Values
from crossfade.core.dns.state import NameState
from crossfade.core.fleet.cluster import Cluster
from crossfade.core.fleet.edges import EdgeView
from crossfade.core.rollout.commands import Command
from crossfade.core.rollout.record import Record
from crossfade.core.rollout.state import Rollout
from crossfade.engine.admission import Admitted
from crossfade.engine.deploy_plan import DeployPlan
from crossfade.engine.draining import Effect
from crossfade.engine.failover_status import FailoverStatus
from crossfade.engine.history import Story
from crossfade.engine.queries import FleetView, RolloutView
from crossfade.engine.records import Stored
from crossfade.ports.documents import Event
from crossfade.remote.access import RemoteAudit, RemotePeople, RemoteSecrets, RemoteSignOn
from crossfade.remote.client import API, HubClient, Part, segment
from crossfade.remote.contexts import RemoteContexts
from crossfade.remote.drills import RemoteDrilling
from crossfade.remote.logins import Login

WATCH_SECONDS = 0.25
_FACTS = ("before", "after", "standing", "action", "witnesses")


class RemoteQueries(Part):
    """Looks."""

    async def fleet(self) -> tuple[FleetView, ...]:
        """Return the clusters that one may see, by name."""
        members = await self.client.all(f"{API}/fleet", Member)
        return tuple(_view(each) for each in members)

    async def edges(self) -> EdgeView:
        """Return all edges, and which plan is the newest."""
        return from_json(EdgeView, await self.client.get(f"{API}/edges"))

    async def rollouts(self, application: ApplicationName | None = None) -> tuple[Rollout, ...]:
        """Return the newest rollout of each application, or all of one, newest first."""
        path = f"{_app(application)}/rollouts" if application else f"{API}/rollouts"
        return await self.client.all(path, Rollout)

    async def rollout(self, application: ApplicationName, number: int | None = None) -> RolloutView:
        """Return the newest rollout, or that number.  Raises NotFound."""
        wanted = number or await self.newest(application)
        found = await self.client.get(f"{_app(application)}/rollouts/{wanted}")
        return from_json(RolloutView, found)

    async def newest(self, application: ApplicationName) -> int:
        """Return the number of the newest rollout.  Raises NotFound before the first."""
        record = await self.record(application)
        if not record.rollout:
            raise NotFound(
                f"`{application}` has no rollout yet",
                hint=f"`crossfade deploy {application}` starts one",
            )
        return record.rollout

    async def watch(
        self, application: ApplicationName, number: int | None = None
    ) -> AsyncIterator[RolloutView]:
        """Yield the rollout whenever it has changed, until it has ended."""
        number = number or await self.newest(application)
        last: RolloutView | None = None
        while True:
            view = await self.rollout(application, number)
            if view != last:
                yield view
                last = view
            if not view.rollout.active:
                return
            await asyncio.sleep(WATCH_SECONDS)

    async def record(self, application: ApplicationName) -> Record:
        """Return everything remembered of the application.  Raises NotFound."""
        return from_json(Record, await self.client.get(_app(application)))


class RemoteNames(Part):
    """Names in DNS."""

    async def remembered(self) -> tuple[NameState, ...]:
        """Return the names as the hub last saw them."""
        return tuple(from_json(NameState, each) for each in await self.client.get(f"{API}/names"))

    async def planned(self, application: ApplicationName) -> NameState:
        """Return what the zone says and what it should say."""
        return from_json(NameState, await self.client.get(f"{_app(application)}/dns"))


class RemoteRecords(Part):
    """Single reads."""

    async def find_application(self, name: ApplicationName) -> Stored[Record] | None:
        """Return the application, or None."""
        try:
            return Stored(await RemoteQueries(self.client).record(name))
        except NotFound:
            return None


class RemoteCommands(Part):
    """Commands on fleet and rollouts."""

    @property
    def records(self) -> RemoteRecords:
        """Single reads."""
        return RemoteRecords(self.client)

    async def add_cluster(self, cluster: Cluster) -> str:
        """Add a cluster, or change it; return its Kubernetes version."""
        member = await self.client.post(f"{API}/fleet", asdict(cluster))
        return str(member["version"])

    async def remove_cluster(self, name: ClusterName) -> None:
        """Take a cluster out of the fleet."""
        await self.client.ask("DELETE", _cluster(name))

    async def require_cluster(self, name: ClusterName) -> None:
        """Return when there is such a cluster.  Raises NotFound."""
        await self.client.get(_cluster(name))

    async def effects_of_draining(self, name: ClusterName) -> tuple[Effect, ...]:
        """Return whose users would move where."""
        found = await self.client.get(f"{_cluster(name)}/drain")
        return tuple(from_json(Effect, each) for each in found)

    async def drain_cluster(self, name: ClusterName) -> None:
        """Have all users of the cluster served elsewhere."""
        await self.client.post(f"{_cluster(name)}/drain")

    async def restore_cluster(self, name: ClusterName) -> None:
        """Let users come back to the cluster."""
        await self.client.post(f"{_cluster(name)}/restore")

    async def change(self, name: ApplicationName, command: Command, why: str = "") -> Rollout:
        """Do what a person asks of the newest rollout, and return it."""
        return await _steer(self.client, name, command.value, {"why": why})


class RemoteDeployments(Part):
    """Commands that start rollouts."""

    async def deploy(
        self, name: ApplicationName, changes: Values, once: str = "", *, force: bool = False
    ) -> Rollout:
        """Start a rollout; one with the key `once` is started no second time."""
        headers = {"Idempotency-Key": once} if once else {}
        path = f"{_app(name)}/rollouts"
        body = {"values": changes, "force": force}
        return from_json(Rollout, await self.client.post(path, body, headers))

    async def retry(self, name: ApplicationName) -> Rollout:
        """Give what was taken back another go."""
        return await _steer(self.client, name, "retry", {})

    async def restart(self, name: ApplicationName) -> Rollout:
        """Begin again with the first step."""
        return await _steer(self.client, name, "restart", {})

    async def undo(
        self, name: ApplicationName, to: RevisionId | None, *, force: bool = False
    ) -> Rollout:
        """Swap all users back."""
        body = ({"to": to} if to else {}) | ({"force": True} if force else {})
        return await _steer(self.client, name, "undo", body)


class RemoteHistory(Part):
    """Stories."""

    async def story(
        self, application: ApplicationName, number: int | None = None, *, again: bool = False
    ) -> Story:
        """Return the story of the newest rollout of the application, or of that number."""
        wanted = number or await RemoteQueries(self.client).newest(application)
        path = f"{_app(application)}/rollouts/{wanted}/history"
        return from_json(Story, await self.client.get(path, replay=str(again).lower()))


class RemoteSession(Part):
    """Everything that commands over HTTP work with."""

    @property
    def queries(self) -> RemoteQueries:
        """Looks."""
        return RemoteQueries(self.client)

    @property
    def commands(self) -> RemoteCommands:
        """Commands on fleet and rollouts."""
        return RemoteCommands(self.client)

    @property
    def deployments(self) -> RemoteDeployments:
        """Commands that start rollouts."""
        return RemoteDeployments(self.client)

    @property
    def history(self) -> RemoteHistory:
        """Stories."""
        return RemoteHistory(self.client)

    @property
    def clock(self) -> Clock:
        """The time of this machine, for deadlines."""
        return SteadyClock()

    def names(self) -> RemoteNames:
        """Names in DNS."""
        return RemoteNames(self.client)

    def audit(self) -> RemoteAudit:
        """Who has done what."""
        return RemoteAudit(self.client)

    def people(self) -> RemotePeople:
        """The accounts."""
        return RemotePeople(self.client)

    def secret_commands(self) -> RemoteSecrets:
        """The secrets of the store."""
        return RemoteSecrets(self.client)

    def shared_configurations(self) -> RemoteContexts:
        """The shared configurations of pipelines."""
        return RemoteContexts(self.client)

    def sign_on_commands(self) -> RemoteSignOn:
        """The identity provider."""
        return RemoteSignOn(self.client)

    def drilling(self) -> RemoteDrilling:
        """What is asked of drills."""
        return RemoteDrilling(self.client)

    async def plan(self, name: ApplicationName, changes: Values) -> DeployPlan:
        """Return what a deployment would do."""
        found = await self.client.post(f"{_app(name)}/rollouts/plan", {"values": changes})
        return from_json(DeployPlan, found)

    async def hub(self) -> str | None:
        """Return who runs the loops, None when nobody does."""
        try:
            await self.client.get("/readyz")
        except Unavailable:
            return None
        return self.client.url

    async def apply(
        self,
        applications: Sequence[Application],
        text: str,
        folder: Path | None,
        *,
        force: bool = False,
    ) -> Mapping[ApplicationName, str]:
        """Make or change the applications of the file; return what became of each."""
        body = with_absolute_charts(text, folder) if folder else text
        headers = {"Content-Type": "application/yaml"}
        path = f"{API}/applications?force={str(force).lower()}"
        answer = await self.client.ask("POST", path, headers=headers, body=body.encode())
        return {ApplicationName(each["name"]): each["change"] for each in answer.json()}

    async def admitted(self, _: Application) -> Admitted:
        """Return that nothing is known: the hub itself asks, and refuses."""
        return Admitted(0)

    async def deploy_once(
        self, name: ApplicationName, changes: Values, key: str, *, force: bool = False
    ) -> Rollout:
        """Return the rollout that was asked for with this key; one is started unless there is."""
        return await self.deployments.deploy(name, changes, key, force=force)

    async def failover(self) -> FailoverStatus:
        """Return where every cluster stands."""
        return from_json(FailoverStatus, await self.client.get(f"{API}/failover"))

    async def failover_history(self, name: str) -> tuple[Event, ...]:
        """Return all that was decided of a cluster, oldest first."""
        try:
            found = await self.client.all(f"{API}/failover/{segment(name)}", Decided)
        except NotFound:
            return await self._of_users(name)
        return tuple(_event(name, each) for each in found)

    async def _of_users(self, name: str) -> tuple[Event, ...]:
        try:
            found = await self.client.all(f"{_app(ApplicationName(name))}/failover", Turn)
        except NotFound:
            known = ", ".join(each.cluster.name for each in await self.queries.fleet())
            what = f"there is no cluster or application `{name}`"
            raise NotFound(what, hint=f"the fleet: {known or 'empty'}") from None
        return tuple(_turn(name, each) for each in found)


def _turn(application: str, turn: Turn) -> Event:
    facts = {"missing": turn.missing, "demand": turn.demand} if turn.missing is not None else {}
    return Event(f"users/{application}", turn.at, turn.reason, facts, turn.number)


@asynccontextmanager
async def remote_session(login: Login) -> AsyncIterator[RemoteSession]:
    """Open a session at a hub."""
    client = HubClient(login.url, login.token)
    try:
        yield RemoteSession(client)
    finally:
        await client.close()


async def _steer(
    hub: HubClient, name: ApplicationName, command: str, body: Mapping[str, object]
) -> Rollout:
    found = await hub.post(f"{_app(name)}/rollout/{command}", body)
    return from_json(RolloutView, found).rollout


def _app(name: ApplicationName) -> str:
    return f"{API}/applications/{segment(name)}"


def _cluster(name: ClusterName) -> str:
    return f"{API}/fleet/{segment(name)}"


def _view(member: Member) -> FleetView:
    cluster = Cluster(
        ClusterName(member.name),
        "",  # where its credentials are is not told
        "",
        member.provider,
        member.region,
        member.preemptible,
        member.usd_per_cpu_hour,
        member.labels,
        member.capacity,
    )
    return FleetView(cluster, member.health, member.detail, member.version, member.applications)


def _event(cluster: str, decided: Decided) -> Event:
    facts: dict[str, object] = {}
    if decided.standing:
        told = to_json(decided)
        facts = {each: told[each] for each in _FACTS}
    return replace(
        Event(f"cluster/{cluster}", decided.at, decided.reason, facts), number=decided.number
    )
