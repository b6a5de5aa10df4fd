"""Environments: compositions that steps of builds have launched, and that outlive them."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel

from crossfade.api.access import everywhere
from crossfade.api.services import Use
from crossfade.core.access.roles import Action
from crossfade.engine.accounts import Caller
from crossfade.engine.pipelines.environments import Seen

router = APIRouter(prefix="/environments", tags=["builds"])

Reader = Annotated[Caller, Depends(everywhere(Action.READ))]
Builder = Annotated[Caller, Depends(everywhere(Action.BUILD))]
Name = Annotated[str, Path(max_length=100, examples=["shop-main"])]


class Printed(BaseModel):
    """What services of an environment have printed, without secrets of its build."""

    text: str


@router.get("")
async def list_environments(caller: Reader, services: Use) -> tuple[Seen, ...]:
    """Return the environments by name: `starting`, `up` or `ended`."""
    return await services.acts(services.documents).environments.all()


@router.get("/{name:path}/log")
async def get_log(name: Name, caller: Reader, services: Use) -> Printed:
    """Return what the services of an environment have printed until now."""
    found: list[str] = []
    await services.acts(services.documents).environments.logs(name, found.append)
    return Printed(text="".join(found))


@router.delete("/{name:path}", status_code=204)
async def end_environment(name: Name, caller: Builder, services: Use) -> None:
    """End an environment with all that it has started."""
    await services.acts(services.accounts.acting(caller)).environments.end(name)
