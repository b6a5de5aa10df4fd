"""API tokens: shown once, kept as digests."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from crossfade.api.access import Signed
from crossfade.api.scopes import Scope, scopes
from crossfade.api.services import Use
from crossfade.core.access.tokens import Token
from crossfade.engine.accounts import LONGEST_TOKEN_DAYS

router = APIRouter(prefix="/tokens", tags=["access"])


class Wanted(BaseModel):
    """A token that is to be made."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=100, examples=["deploys of colors"])
    grants: list[Scope] = Field(min_length=1, max_length=50)
    days: int = Field(default=90, ge=1, le=LONGEST_TOKEN_DAYS)
    accounts: bool = Field(
        default=False,
        description="Whether it changes accounts and the identity provider too; for admins.",
    )


class Shown(BaseModel):
    """A token without its secret."""

    id: str
    name: str
    owner: str
    grants: list[Scope]
    created_at: float
    expires_at: float
    accounts: bool
    """Whether it changes accounts too."""


class Made(BaseModel):
    """A new token."""

    token: Shown
    text: str
    """To be sent as `Authorization: Bearer TEXT`; it is not shown again."""


@router.get("")
async def list_tokens(caller: Signed, services: Use) -> list[Shown]:
    """Return the caller's tokens; everybody's for admins."""
    return [_shown(each) for each in await services.accounts.tokens(caller)]


@router.post("", status_code=201)
async def make_token(wanted: Wanted, caller: Signed, services: Use) -> Made:
    """Make a token; it never allows more than its owner may do.  Only for who has a session."""
    grants = [each.grant for each in wanted.grants]
    token, text = await services.accounts.make_token(
        caller, wanted.name, grants, wanted.days, accounts=wanted.accounts
    )
    return Made(token=_shown(token), text=text.reveal())


@router.delete("/{identity}", status_code=204)
async def revoke_token(
    identity: Annotated[str, Path(max_length=64)], caller: Signed, services: Use
) -> None:
    """Have a token count no more."""
    await services.accounts.revoke(caller, identity)


def _shown(token: Token) -> Shown:
    return Shown(
        id=token.id,
        name=token.name,
        owner=token.owner,
        grants=scopes(token.grants),
        created_at=token.created_at,
        expires_at=token.expires_at,
        accounts=token.accounts,
    )
