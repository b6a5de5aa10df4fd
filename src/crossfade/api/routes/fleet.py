"""The fleet."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from crossfade.api.access import Signed, everywhere, no_cluster, on_cluster
from crossfade.api.once import Key, once
from crossfade.api.pages import After, Limit, Page, page
from crossfade.api.services import Services, Use
from crossfade.base.errors import InputError
from crossfade.base.ids import ClusterName
from crossfade.core.access.roles import Action
from crossfade.core.application import Application
from crossfade.core.failover.wish import ClusterWish
from crossfade.core.fleet.cluster import Cluster
from crossfade.core.fleet.naming import cluster_name, labels
from crossfade.core.fleet.placement import placed
from crossfade.engine.accounts import Caller
from crossfade.engine.cluster_changes import ClusterChange, cluster_change
from crossfade.engine.commands import Commands
from crossfade.engine.draining import Effect
from crossfade.engine.queries import FleetView
from crossfade.ports.documents import Documents

router = APIRouter(prefix="/fleet", tags=["fleet"])


@dataclass(frozen=True, slots=True)
class Member:
    """A cluster of the fleet, without where its credentials are."""

    name: str
    provider: str
    region: str
    preemptible: bool
    usd_per_cpu_hour: float | None
    labels: dict[str, str]
    health: str
    """`healthy`, `api-down`, `data-plane-down`, `lost`, or `unknown` before the first probe."""
    detail: str
    version: str
    capacity: int | None
    """Requests per second that it carries; null: nobody has said."""
    applications: int
    """So many that the caller may see are placed on it."""


class NewCluster(BaseModel):
    """A cluster that is to be added, or changed."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(max_length=63, examples=["gcp"])
    context: str = Field(min_length=1, max_length=253, description="Context in the kubeconfig.")
    kubeconfig: str = Field(
        min_length=1,
        max_length=4096,
        description="Absolute path of the kubeconfig file on the hub's machine.",
        examples=["/etc/crossfade/kubeconfig"],
    )
    provider: str = Field(default="unknown", max_length=100)
    region: str = Field(default="unknown", max_length=100)
    preemptible: bool = False
    usd_per_cpu_hour: float | None = Field(default=None, ge=0, le=1e6)
    labels: dict[str, str] = Field(default={}, max_length=100)
    capacity: int | None = Field(
        default=None, ge=1, le=10**9, description="Requests per second that it carries."
    )


class ClusterSettings(BaseModel):
    """What a cluster carries and costs; what is left out stays, null: nobody says."""

    model_config = ConfigDict(extra="forbid")
    capacity: int | None = Field(
        default=None, ge=1, le=10**9, description="Requests per second that it carries."
    )
    usd_per_cpu_hour: float | None = Field(default=None, ge=0, le=1e6)


Fleeter = Annotated[Caller, Depends(everywhere(Action.FLEET))]
Remover = Annotated[Caller, Depends(on_cluster(Action.FLEET))]
Drainer = Annotated[Caller, Depends(on_cluster(Action.DRAIN))]


@router.get("")
async def list_clusters(
    caller: Signed, services: Use, after: After = "", limit: Limit = 100
) -> Page[Member]:
    """Return the clusters that the caller may see, by name."""
    mine = await _mine(services, caller)
    found = [_member(each, mine) for each in await (await services.lists()).fleet()]
    seen = [each for each in found if caller.identity.sees_cluster(each.name)]
    return page(seen, lambda each: each.name, after, limit)


@router.get("/{cluster}")
async def get_cluster(cluster: str, caller: Signed, services: Use) -> Member:
    """Return one cluster."""
    for each in await services.queries.fleet():
        if each.cluster.name == cluster and caller.identity.sees_cluster(cluster):
            return _member(each, await _mine(services, caller))
    raise no_cluster(cluster)


@router.post("", status_code=201)
async def add_cluster(wanted: NewCluster, caller: Fleeter, services: Use, key: Key = "") -> Member:
    """Add a cluster to the fleet, or change it.  It must answer."""
    cluster = _cluster(wanted)

    version = ""

    async def act(commands: Commands) -> None:
        nonlocal version
        version = await commands.add_cluster(cluster)

    await _once(services, caller, key, ["add", wanted.model_dump()], act)
    member = await get_cluster(cluster.name, caller, services)
    return replace(member, version=version or member.version)


@router.patch("/{cluster}")
async def change_cluster(
    cluster: str, wanted: ClusterSettings, caller: Remover, services: Use, key: Key = ""
) -> Member:
    """Change what the cluster carries and costs, as `crossfade fleet add` does.  It must answer."""

    async def act(commands: Commands) -> None:
        await commands.add_cluster((await _changed(services, cluster, wanted))[1])

    request = ["change", cluster, wanted.model_dump(exclude_unset=True)]
    await _once(services, caller, key, request, act)
    return await get_cluster(cluster, caller, services)


@router.post("/{cluster}/preview")
async def preview_cluster(
    cluster: str, wanted: ClusterSettings, caller: Remover, services: Use
) -> ClusterChange:
    """Return what the change would do, also for users, and change nothing."""
    before, after = await _changed(services, cluster, wanted)
    now = services.figures.now(services.clock.now())
    rps = sum(each.requests / each.seconds for (_, name), each in now.items() if name == cluster)
    return cluster_change(before, after, rps)


@router.delete("/{cluster}", status_code=204)
async def remove_cluster(cluster: str, caller: Remover, services: Use) -> None:
    """Take a cluster out of the fleet: its users go elsewhere, what runs there stays."""
    acts = services.acts(services.accounts.acting(caller))
    await acts.commands.remove_cluster(ClusterName(cluster))


@router.get("/{cluster}/drain")
async def effects_of_draining(cluster: str, caller: Drainer, services: Use) -> tuple[Effect, ...]:
    """Return whose users would move where.  A 409 says whose last copy this is."""
    acts = services.acts(services.accounts.acting(caller))
    return await acts.commands.effects_of_draining(ClusterName(cluster))


@router.post("/{cluster}/drain")
async def drain_cluster(cluster: str, caller: Drainer, services: Use, key: Key = "") -> ClusterWish:
    """Have all users of the cluster served elsewhere; never the last copy of an application."""

    async def act(commands: Commands) -> None:
        await commands.drain_cluster(ClusterName(cluster))

    await _once(services, caller, key, ["drain", cluster], act)
    return await _wish(services, cluster)


@router.post("/{cluster}/restore")
async def restore_cluster(
    cluster: str, caller: Drainer, services: Use, key: Key = ""
) -> ClusterWish:
    """Let users come back to the cluster, step by step."""

    async def act(commands: Commands) -> None:
        await commands.restore_cluster(ClusterName(cluster))

    await _once(services, caller, key, ["restore", cluster], act)
    return await _wish(services, cluster)


async def _once(
    services: Services,
    caller: Caller,
    key: str,
    request: object,
    act: Callable[[Commands], Awaitable[None]],
) -> None:
    async def with_documents(documents: Documents) -> None:
        await act(services.acts(documents).commands)

    await once(services, caller, key, ["fleet", request], with_documents)


async def _wish(services: Services, cluster: str) -> ClusterWish:
    name = ClusterName(cluster)
    stored = await services.queries.records.find_wish(name)
    return stored.value if stored else ClusterWish(name)


async def _changed(
    services: Services, name: str, wanted: ClusterSettings
) -> tuple[Cluster, Cluster]:
    """Return the cluster as it is, and as it is wanted."""
    stored = await services.queries.records.find_cluster(ClusterName(name))
    if stored is None:
        raise no_cluster(name)
    return stored.value, replace(stored.value, **wanted.model_dump(exclude_unset=True))


def _cluster(wanted: NewCluster) -> Cluster:
    if not PurePosixPath(wanted.kubeconfig).is_absolute():
        hint = "over HTTP there is no folder to begin at: give an absolute path"
        raise InputError(f"the kubeconfig `{wanted.kubeconfig}` is no absolute path", hint=hint)
    return Cluster(
        cluster_name(wanted.name),
        wanted.context,
        wanted.kubeconfig,
        wanted.provider,
        wanted.region,
        wanted.preemptible,
        wanted.usd_per_cpu_hour,
        labels(wanted.labels),
        wanted.capacity,
    )


async def _mine(services: Services, caller: Caller) -> list[Application]:
    records = (await services.lists()).records
    found = [each.value.spec for each in await records.applications()]
    return [each for each in found if caller.identity.sees(each.name)]


def _member(view: FleetView, applications: Sequence[Application]) -> Member:
    cluster = view.cluster
    return Member(
        cluster.name,
        cluster.provider,
        cluster.region,
        cluster.preemptible,
        cluster.usd_per_cpu_hour,
        dict(cluster.labels),
        view.health,
        view.detail,
        view.version,
        cluster.capacity,
        sum(placed(each.placement, cluster) for each in applications),
    )
