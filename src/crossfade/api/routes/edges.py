"""What stands before the clusters: edges, and names in DNS."""

from typing import Annotated

from fastapi import APIRouter, Depends

from crossfade.api.access import Signed, everywhere, on_application
from crossfade.api.services import Use
from crossfade.base.ids import ApplicationName
from crossfade.core.access.roles import Action
from crossfade.core.dns.state import NameState
from crossfade.core.fleet.edges import EdgeView
from crossfade.engine.accounts import Caller

router = APIRouter(tags=["edges"])

Watcher = Annotated[Caller, Depends(everywhere(Action.READ))]
Reader = Annotated[Caller, Depends(on_application(Action.READ))]


@router.get("/edges")
async def list_edges(caller: Watcher, services: Use) -> EdgeView:
    """Return the edges, and which plan each has in force; it has users of all applications."""
    return await services.queries.edges()


@router.get("/names")
async def list_names(caller: Signed, services: Use) -> tuple[NameState, ...]:
    """Return the names that the hub publishes, as it last saw them, of what the caller may see."""
    found = await services.names.remembered()
    return tuple(each for each in found if caller.identity.sees(each.application))


@router.get("/applications/{name}/dns")
async def plan_name(name: str, caller: Reader, services: Use) -> NameState:
    """Ask the name server, and return what would be changed now; nothing is."""
    return await services.names.planned(ApplicationName(name))
