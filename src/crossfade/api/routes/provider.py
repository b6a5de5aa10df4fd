"""The identity provider: who vouches for people, and what their groups may do here."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from crossfade.api.access import everywhere, require_lasting
from crossfade.api.scopes import Scope
from crossfade.api.services import Services, Use
from crossfade.core.access.people import MOST_GRANTS
from crossfade.core.access.roles import Action
from crossfade.core.access.sign_on import Provider, provider_of
from crossfade.engine.accounts import Caller
from crossfade.engine.sign_on import SignOnCommands

router = APIRouter(prefix="/identity-provider", tags=["access"])

Admin = Annotated[Caller, Depends(everywhere(Action.ACCESS))]
_Grants = Annotated[list[Scope], Field(min_length=1, max_length=MOST_GRANTS)]


class WantedProvider(BaseModel):
    """An OpenID provider, and which of its groups have which roles."""

    model_config = ConfigDict(extra="forbid")
    issuer: str = Field(max_length=1000, examples=["https://login.example.com"])
    client_id: str = Field(max_length=300, examples=["crossfade"])
    url: str = Field(
        max_length=1000,
        description="Where browsers reach the hub.",
        examples=["https://crossfade.example.com"],
    )
    groups: dict[Annotated[str, Field(max_length=300)], _Grants] = Field(
        max_length=200, examples=[{"platform": [{"role": "admin"}]}]
    )
    groups_claim: str = Field(default="groups", min_length=1, max_length=100)
    scopes: list[Annotated[str, Field(max_length=100)]] | None = Field(
        default=None, max_length=20, description="Asked for; openid, profile and email when null."
    )


@router.get("")
async def get_provider(caller: Admin, services: Use) -> Provider | None:
    """Return the provider, and who gets what; null when people have passwords only."""
    return await _commands(services, caller).find()


@router.put("")
async def set_provider(wanted: WantedProvider, caller: Admin, services: Use) -> Provider:
    """Have people sign in by this provider.  It takes what changing accounts takes."""
    require_lasting(caller)
    groups = {name: [each.grant for each in grants] for name, grants in wanted.groups.items()}
    provider = provider_of(wanted.issuer, wanted.client_id, wanted.url, groups)
    scopes = tuple(wanted.scopes) if wanted.scopes is not None else provider.scopes
    provider = replace(provider, groups_claim=wanted.groups_claim, scopes=scopes)
    await _commands(services, caller).set(provider)
    return provider


@router.delete("", status_code=204)
async def remove_provider(caller: Admin, services: Use) -> None:
    """Have nobody sign in so any more; who has is signed in until the session ends."""
    require_lasting(caller)
    await _commands(services, caller).remove()


def _commands(services: Services, caller: Caller) -> SignOnCommands:
    return SignOnCommands(services.accounts.acting(caller), services.clock)
