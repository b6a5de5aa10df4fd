"""Drills: a cluster is taken out on purpose; the hub holds them, whoever goes away meanwhile."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict, Field

from crossfade.api.access import Signed, on_cluster
from crossfade.api.once import Key, once
from crossfade.api.pages import After, Limit, Page, page
from crossfade.api.services import Services, Use
from crossfade.base.errors import NotFound, Unavailable
from crossfade.base.ids import ClusterName
from crossfade.core.access.roles import ANY, Action, Identity
from crossfade.core.failover.drill import (
    DEFAULT_SECONDS,
    LONGEST_SECONDS,
    SHORTEST_SECONDS,
    Drill,
)
from crossfade.engine.accounts import Caller
from crossfade.engine.drilling import Drilling, Order
from crossfade.ports.documents import Documents

router = APIRouter(tags=["failover"])

Drainer = Annotated[Caller, Depends(on_cluster(Action.DRAIN))]
Number = Annotated[int, Path(ge=1, le=999_999, description="Number of the drill.")]
_HIGHEST = 999_999


class DrillOrder(BaseModel):
    """How a drill is to be held."""

    model_config = ConfigDict(extra="forbid")
    seconds: float = Field(
        default=DEFAULT_SECONDS,
        ge=SHORTEST_SECONDS,
        le=LONGEST_SECONDS,
        description="How long the cluster is out.",
    )
    dry_run: bool = Field(default=False, description="Only say whether it could be done now.")
    recovery_seconds: float | None = Field(
        default=None,
        ge=0,
        le=LONGEST_SECONDS,
        description="Until users must be served by others, instead of what applications declare.",
        examples=[10],
    )
    error_budget_percent: float | None = Field(
        default=None,
        ge=0,
        le=100,
        description="Requests that may fail, instead of what applications declare.",
        examples=[0.1],
    )


class Reason(BaseModel):
    """Why a drill is ended."""

    model_config = ConfigDict(extra="forbid")
    why: str = Field(default="", max_length=1000, examples=["a customer is on the phone"])


@router.get("/drills")
async def list_drills(
    caller: Signed, services: Use, after: After = "", limit: Limit = 100
) -> Page[Drill]:
    """Return drills, newest first; those of clusters that the caller may see with all on them."""
    found = await _drilling(services, services.documents).drills()
    seen = [each for each in found if _sees(caller.identity, each)]
    return page(seen, lambda each: f"{_HIGHEST - each.number:06d}", after, limit)


@router.get("/drills/{number}")
async def get_drill(number: Number, caller: Signed, services: Use) -> Drill:
    """Return one drill, as it is now."""
    for each in await _drilling(services, services.documents).drills():
        if each.number == number and _sees(caller.identity, each):
            return each
    hint = "`GET /api/v1/drills` lists those that you may see"
    raise NotFound(f"there is no drill {number}", hint=hint)


@router.post("/fleet/{cluster}/drill", status_code=201)
async def begin_drill(
    cluster: str, wanted: DrillOrder, caller: Drainer, services: Use, key: Key = ""
) -> Drill:
    """Have the hub take the cluster out for a while, and count how its users get by."""
    if await services.hub() is None:
        hint = "`crossfade up` starts one"
        raise Unavailable("no hub runs, so nobody would bring users back", hint=hint)
    order = Order(ClusterName(cluster), **wanted.model_dump())

    async def act(documents: Documents) -> None:
        await _drilling(services, documents).begin(order)

    await once(services, caller, key, ["drill", cluster, wanted.model_dump()], act)
    return await _newest(services, cluster)


@router.post("/fleet/{cluster}/drill/stop")
async def stop_drill(
    cluster: str, reason: Reason, caller: Drainer, services: Use, key: Key = ""
) -> Drill:
    """End the drill that goes on there: its users come back now."""
    why = reason.why or "aborted by a person"

    async def act(documents: Documents) -> None:
        await _drilling(services, documents).abort(ClusterName(cluster), why)

    await once(services, caller, key, ["stop drill", cluster, why], act)
    return await _newest(services, cluster)


def _drilling(services: Services, documents: Documents) -> Drilling:
    return Drilling(services.acts(documents).commands.records, services.clock)


async def _newest(services: Services, cluster: str) -> Drill:
    for each in await _drilling(services, services.documents).drills():
        if each.cluster == cluster:
            return each
    raise NotFound(f"there was no drill of {cluster}", hint="`GET /api/v1/drills` lists them")


def _sees(identity: Identity, drill: Drill) -> bool:
    """Say whether all of it may be seen: it tells of every application on the cluster."""
    return identity.may(Action.READ, ANY, (drill.cluster,))
