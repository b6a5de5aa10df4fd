"""Shared configurations: sets of variables, which pipelines have by their names."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from crossfade.api.access import everywhere
from crossfade.api.services import Services, Use
from crossfade.core.access.roles import Action
from crossfade.core.pipeline.shared_configuration import SharedKind
from crossfade.engine.accounts import Caller
from crossfade.engine.pipelines.shared_configurations import SharedConfigurations, SharedView

router = APIRouter(prefix="/contexts", tags=["builds"])

Reader = Annotated[Caller, Depends(everywhere(Action.READ))]
Registrar = Annotated[Caller, Depends(everywhere(Action.REGISTER))]
Name = Annotated[str, Path(max_length=253, examples=["staging"])]


class Wanted(BaseModel):
    """What a shared configuration holds."""

    model_config = ConfigDict(extra="forbid")
    type: SharedKind
    data: dict[Annotated[str, Field(min_length=1, max_length=253)], JsonValue] = Field(
        min_length=1,
        max_length=1000,
        description="Its variables; lists and mappings in `yaml` and `secret-yaml` alone.",
        examples=[{"REGION": "europe-west1"}],
    )
    replace: bool = Field(default=False, description="Put it in place of the one of this name.")


@router.get("")
async def list_contexts(caller: Reader, services: Use) -> tuple[SharedView, ...]:
    """Return the shared configurations; values of secret ones are `***`."""
    return await services.acts(services.documents).shared.all()


@router.get("/{name}")
async def get_context(name: Name, caller: Reader, services: Use) -> SharedView:
    """Return a shared configuration; values of secret ones are `***`."""
    return await services.acts(services.documents).shared.show(name)


@router.put("/{name}")
async def create_context(
    name: Name, wanted: Wanted, caller: Registrar, services: Use
) -> SharedView:
    """Keep a shared configuration; it is refused when there is one and it is not to be replaced."""
    again = wanted.replace
    return await _commands(services, caller).create(name, wanted.type, wanted.data, again=again)


@router.delete("/{name}", status_code=204)
async def remove_context(
    name: Name,
    caller: Registrar,
    services: Use,
    force: Annotated[bool, Query(description="Also while registered pipelines list it.")] = False,
) -> None:
    """Forget a shared configuration; builds under way keep its variables."""
    await _commands(services, caller).remove(name, force=force)


def _commands(services: Services, caller: Caller) -> SharedConfigurations:
    return services.acts(services.accounts.acting(caller)).shared
