"""Browsers that are signed in."""

import hashlib

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from crossfade.api.access import COOKIE, Signed
from crossfade.api.scopes import KeepTokens
from crossfade.api.services import Use
from crossfade.base.secrets import Secret
from crossfade.core.access.devices import DEVICE_SECONDS
from crossfade.core.access.roles import Grant
from crossfade.engine.accounts import SESSION_SECONDS, SignedIn

router = APIRouter(prefix="/session", tags=["access"])


class Credentials(BaseModel):
    """Name and password."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(max_length=100, examples=["admin"])
    password: SecretStr = Field(max_length=1000)


class Session(BaseModel):
    """Who is signed in."""

    account: str
    csrf: str | None
    """To be sent as X-CSRF-Token with every change; null for tokens."""
    grants: list[Grant]


@router.post("", status_code=201)
async def sign_in(
    credentials: Credentials, request: Request, response: Response, services: Use
) -> Session:
    """
    Sign a browser in, by a cookie that scripts cannot read.

    Another one says later that this browser has signed in before, and so does a token of the
    account: wrong passwords of others keep neither from signing in.
    """
    remembered = _remembered(credentials.name)
    signed = await services.accounts.sign_in(
        credentials.name,
        Secret(credentials.password.get_secret_value()),
        request.client.host if request.client else "",
        device=request.cookies.get(remembered, ""),
        token=request.headers.get("Authorization", "").partition(" ")[2].strip(),
    )
    keep(response, request, signed)
    response.set_cookie(
        remembered,
        signed.device,
        max_age=int(DEVICE_SECONDS),
        path="/api/v1/session",
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    caller = await services.accounts.by_cookie(signed.cookie)
    return Session(account=signed.account, csrf=signed.csrf, grants=list(caller.identity.grants))


def keep(response: Response, request: Request, signed: SignedIn) -> None:
    """Have the browser keep its session in a cookie that scripts cannot read."""
    response.set_cookie(
        COOKIE,
        signed.cookie.reveal(),
        max_age=int(SESSION_SECONDS),
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )


def _remembered(name: str) -> str:
    """Return the name of the cookie: a browser may be used for several accounts."""
    return f"crossfade_known_{hashlib.sha256(name.encode()).hexdigest()[:16]}"


class NewPassword(BaseModel):
    """The old password, and the one in its place."""

    model_config = ConfigDict(extra="forbid")
    old_password: SecretStr = Field(max_length=1000)
    new_password: SecretStr = Field(max_length=1000)
    keep_tokens: bool = KeepTokens


@router.post("/password", status_code=204)
async def change_password(wanted: NewPassword, caller: Signed, services: Use) -> None:
    """Change the caller's password; all of their browsers and tokens are out."""
    old, new = wanted.old_password, wanted.new_password
    await services.accounts.change_password(
        caller,
        Secret(old.get_secret_value()),
        Secret(new.get_secret_value()),
        keep_tokens=wanted.keep_tokens,
    )


@router.get("")
async def get_session(caller: Signed) -> Session:
    """Return who is signed in, and what they may do."""
    identity = caller.identity
    grants = identity.grants if identity.within is None else identity.within
    return Session(account=identity.name, csrf=caller.csrf, grants=list(grants))


@router.delete("", status_code=204)
async def sign_out(caller: Signed, request: Request, response: Response, services: Use) -> None:
    """Sign the browser out."""
    await services.accounts.sign_out(Secret(request.cookies.get(COOKIE, "")))
    response.delete_cookie(COOKIE)
