"""Secrets of the hub: set and removed, never read."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from crossfade.api.access import everywhere
from crossfade.api.services import Services, Use
from crossfade.core.access.roles import Action
from crossfade.core.access.secret_names import LARGEST_BYTES, secret_value
from crossfade.engine.accounts import Caller
from crossfade.engine.secret_commands import SecretCommands, SecretView

router = APIRouter(prefix="/secrets", tags=["access"])

Keeper = Annotated[Caller, Depends(everywhere(Action.SECRETS))]
Name = Annotated[str, Path(max_length=253, examples=["slack-url"])]


class Value(BaseModel):
    """The value of a secret."""

    model_config = ConfigDict(extra="forbid")
    value: SecretStr = Field(max_length=LARGEST_BYTES)


@router.get("")
async def list_secrets(caller: Keeper, services: Use) -> tuple[SecretView, ...]:
    """Return the names of the secrets in the store; values are never answered."""
    return await _commands(services, caller).all()


@router.put("/{name}", status_code=204)
async def set_secret(name: Name, value: Value, caller: Keeper, services: Use) -> None:
    """Keep the value, sealed."""
    kept = secret_value(value.value.get_secret_value())
    await _commands(services, caller).set(name, kept)


@router.delete("/{name}", status_code=204)
async def remove_secret(name: Name, caller: Keeper, services: Use) -> None:
    """Forget the secret."""
    await _commands(services, caller).remove(name)


def _commands(services: Services, caller: Caller) -> SecretCommands:
    return services.acts(services.accounts.acting(caller)).secrets
