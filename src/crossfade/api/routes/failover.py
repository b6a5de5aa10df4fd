"""Where clusters stand and where users are, and how that came about."""

from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from crossfade.api.access import Signed, on_application, on_cluster
from crossfade.api.pages import Limit, Page
from crossfade.api.services import Use
from crossfade.base.codec import from_json
from crossfade.core.access.roles import ANY, Action, Identity
from crossfade.core.failover.health import Witness
from crossfade.engine.accounts import Caller
from crossfade.engine.disclosure import told_in_full
from crossfade.engine.failover_status import ClusterStanding, FailoverStatus, failover_status
from crossfade.engine.records import CLUSTER, USERS
from crossfade.ports.documents import Event

router = APIRouter(tags=["failover"])

Watcher = Annotated[Caller, Depends(on_cluster(Action.READ))]
Reader = Annotated[Caller, Depends(on_application(Action.READ))]
Cursor = Annotated[int, Query(ge=0, le=2**53, description="`next` of the page before.")]


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision on a cluster, or one command of a person."""

    number: int
    at: float
    reason: str
    before: str
    """What was true of it; "" for commands, as are the next three."""
    after: str
    standing: str
    """Where it stood then."""
    action: str
    """What followed for its users."""
    witnesses: tuple[Witness, ...]
    """Who said what of it."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What happened to the users of an application as a whole."""

    number: int
    at: float
    reason: str
    missing: int | None
    """Requests per second of capacity that were missing; null: it is about something else."""
    demand: int | None


@router.get("/failover")
async def get_status(caller: Signed, services: Use) -> FailoverStatus:
    """Return where the clusters stand that the caller may see, with the users whom they may see."""
    lists = await services.lists()
    found = await failover_status(lists.records, services.clock.now())
    identity = caller.identity
    return FailoverStatus(
        tuple(
            _seen(each, identity) for each in found.clusters if identity.sees_cluster(each.cluster)
        ),
        tuple(each for each in found.applications if identity.sees(each.application)),
    )


@router.get("/failover/{cluster}")
async def get_history(
    cluster: str, caller: Watcher, services: Use, after: Cursor = 0, limit: Limit = 100
) -> Page[Decided]:
    """Return all that was decided of a cluster, oldest first, and what it was decided from."""
    found = await services.documents.events(f"{CLUSTER}/{cluster}", after, limit)
    if caller.identity.may(Action.READ, ANY, (cluster,)):
        found = tuple(told_in_full(each) for each in found)
    following = str(found[-1].number) if len(found) == limit else None
    return Page(items=[_decided(each) for each in found], next=following)


@router.get("/applications/{name}/failover", tags=["applications"])
async def get_turns(
    name: str, caller: Reader, services: Use, after: Cursor = 0, limit: Limit = 100
) -> Page[Turn]:
    """Return when users of an application were turned away, and standbys grew, oldest first."""
    found = await services.documents.events(f"{USERS}/{name}", after, limit)
    following = str(found[-1].number) if len(found) == limit else None
    return Page(items=[_turn(each) for each in found], next=following)


def _turn(event: Event) -> Turn:
    missing, demand = (event.facts.get(each) for each in ("missing", "demand"))
    return Turn(event.number, event.at, event.reason, missing, demand)


def _seen(standing: ClusterStanding, identity: Identity) -> ClusterStanding:
    users = {name: part for name, part in standing.users.items() if identity.sees(name)}
    returning = {name: how for name, how in standing.returning.items() if identity.sees(name)}
    return replace(standing, users=users, returning=returning)


def _decided(event: Event) -> Decided:
    witnesses = tuple(from_json(Witness, each) for each in event.facts.get("witnesses", ()))
    names = ("before", "after", "standing", "action")
    before, after, standing, action = (str(event.facts.get(each, "")) for each in names)
    return Decided(event.number, event.at, event.reason, before, after, standing, action, witnesses)
