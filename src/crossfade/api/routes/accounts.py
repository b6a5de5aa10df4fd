"""Accounts: who may sign in, and what they may do."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from crossfade.api.access import everywhere, require_lasting
from crossfade.api.scopes import KeepTokens, Scope, scopes
from crossfade.api.services import Services, Use
from crossfade.base.secrets import Secret
from crossfade.core.access.people import MOST_GRANTS
from crossfade.core.access.roles import Action
from crossfade.engine.accounts import Caller
from crossfade.engine.people import People, Person, new_password

router = APIRouter(prefix="/accounts", tags=["access"])

Admin = Annotated[Caller, Depends(everywhere(Action.ACCESS))]
Name = Annotated[str, Path(max_length=100)]


class NewAccount(BaseModel):
    """An account that is to be made."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=100, examples=["ann"])
    grants: list[Scope] = Field(min_length=1, max_length=MOST_GRANTS)
    password: SecretStr | None = Field(
        default=None, description="One is made, and answered once, when there is none."
    )


class Change(BaseModel):
    """What is to be changed; what is left out stays."""

    model_config = ConfigDict(extra="forbid")
    grants: list[Scope] | None = Field(default=None, min_length=1, max_length=MOST_GRANTS)
    disabled: bool | None = None


class WantedPassword(BaseModel):
    """The password of an account."""

    model_config = ConfigDict(extra="forbid")
    password: SecretStr | None = Field(default=None, description="One is made when there is none.")
    keep_tokens: bool = KeepTokens


class Shown(BaseModel):
    """An account without its password."""

    name: str
    grants: list[Scope]
    disabled: bool
    issuer: str
    """The identity provider that vouches for it, "" for one with a password."""
    created_at: float


class Made(BaseModel):
    """A new account, or a new password."""

    account: str
    password: str | None
    """Not shown again; null when it was given."""


@router.get("")
async def list_accounts(caller: Admin, services: Use) -> list[Shown]:
    """Return all accounts, by name."""
    return [_shown(each) for each in await _people(services, caller).all()]


@router.post("", status_code=201)
async def add_account(wanted: NewAccount, caller: Admin, services: Use) -> Made:
    """Make an account.  A token would outlive itself so: it has to be made for that."""
    given = Secret(wanted.password.get_secret_value()) if wanted.password else None
    grants = [each.grant for each in wanted.grants]
    made = await _changing(services, caller).add(wanted.name, grants, given)
    return Made(account=wanted.name, password=made.reveal() if made else None)


@router.patch("/{name}")
async def change_account(name: Name, change: Change, caller: Admin, services: Use) -> Shown:
    """Give an account other rights, disable it, or enable it; somebody always stays in charge."""
    people = _changing(services, caller)
    grants = None if change.grants is None else [each.grant for each in change.grants]
    return _shown(await people.change(name, grants=grants, disabled=change.disabled))


@router.post("/{name}/password")
async def reset_password(
    name: Name, caller: Admin, services: Use, wanted: WantedPassword | None = None
) -> Made:
    """Give an account a new password, answered once; its browsers and its tokens are out."""
    wanted = wanted or WantedPassword()
    given = wanted.password
    password = Secret(given.get_secret_value()) if given else new_password()
    people = _changing(services, caller)
    await people.set_password(name, password, keep_tokens=wanted.keep_tokens)
    return Made(account=name, password=None if given else password.reveal())


def _people(services: Services, caller: Caller) -> People:
    accounts = services.accounts
    return People(accounts.acting(caller), accounts.passwords, services.clock)


def _changing(services: Services, caller: Caller) -> People:
    require_lasting(caller)
    return _people(services, caller)


def _shown(person: Person) -> Shown:
    return Shown(
        name=person.name,
        grants=scopes(person.grants),
        disabled=person.disabled,
        issuer=person.issuer,
        created_at=person.created_at,
    )
