"""Secrets of the hub: set and removed, never read."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from crossfade.api.access import everywhere
from crossfade.api.once import Key, once
from crossfade.api.services import Services, Use
from crossfade.core.access.roles import Action
from crossfade.core.access.secret_names import LARGEST_BYTES, secret_value
from crossfade.engine.accounts import Caller
from crossfade.engine.secret_commands import Rotation, SecretCommands, SecretView
from crossfade.ports.documents import Documents

router = APIRouter(prefix="/secrets", tags=["access"])

Keeper = Annotated[Caller, Depends(everywhere(Action.SECRETS))]
Name = Annotated[str, Path(max_length=253, examples=["slack-url"])]


class Value(BaseModel):
    """The value of a secret."""

    model_config = ConfigDict(extra="forbid")
    value: SecretStr = Field(max_length=LARGEST_BYTES)


class Kept(BaseModel):
    """What became of a secret."""

    secret: str
    change: str
    """`set`, or `changed` when there was one."""


class Rotate(BaseModel):
    """How secrets are sealed again."""

    model_config = ConfigDict(extra="forbid")
    only_seal: bool = Field(
        default=False, description="Make no new key: seal again with the newest there is."
    )


@router.get("")
async def list_secrets(caller: Keeper, services: Use) -> tuple[SecretView, ...]:
    """Return the names of the secrets in the store; values are never answered."""
    return await _commands(services, caller).all()


@router.put("/{name}")
async def set_secret(name: Name, value: Value, caller: Keeper, services: Use) -> Kept:
    """Keep the value, sealed."""
    kept = secret_value(value.value.get_secret_value())
    changed = await _commands(services, caller).set(name, kept)
    return Kept(secret=name, change="changed" if changed else "set")


@router.post("/rotation")
async def rotate_key(wanted: Rotate, caller: Keeper, services: Use, key: Key = "") -> Rotation:
    """Make a new key, and seal all secrets again with it."""
    done = None

    async def act(documents: Documents) -> None:
        nonlocal done
        done = await services.acts(documents).secrets.rotate()

    if not wanted.only_seal:
        await once(services, caller, key, ["rotate"], act)
    return done or await _commands(services, caller).seal_again()


@router.delete("/{name}", status_code=204)
async def remove_secret(name: Name, caller: Keeper, services: Use) -> None:
    """Forget the secret."""
    await _commands(services, caller).remove(name)


def _commands(services: Services, caller: Caller) -> SecretCommands:
    return services.acts(services.accounts.acting(caller)).secrets
