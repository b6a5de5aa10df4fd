"""An application cluster by cluster: what is wanted there, and what is there."""

from typing import Annotated

from fastapi import APIRouter, Depends

from crossfade.api.access import on_application
from crossfade.api.services import Use
from crossfade.base.ids import ApplicationName
from crossfade.core.access.roles import Action
from crossfade.engine.accounts import Caller
from crossfade.engine.drift import InCluster, in_clusters

router = APIRouter(tags=["applications"])

Reader = Annotated[Caller, Depends(on_application(Action.READ))]


@router.get("/applications/{name}/clusters")
async def list_clusters(name: str, caller: Reader, services: Use) -> tuple[InCluster, ...]:
    """Return its revisions in every cluster, and where a cluster is not as wanted."""
    return await in_clusters(services.queries.records, ApplicationName(name))
