"""Browsers that sign in by an identity provider."""

from typing import Annotated

from fastapi import APIRouter, Cookie, Query, Request
from fastapi.responses import RedirectResponse
from pydantic import BaseModel

from crossfade.api.routes.session import keep
from crossfade.api.services import Use
from crossfade.base.errors import NotSignedIn

router = APIRouter(prefix="/session", tags=["access"])

COOKIE = "crossfade_sign_on"
_PATH = "/api/v1/session/sign-on"


class Options(BaseModel):
    """How one can sign in."""

    issuer: str | None
    """The identity provider; null: with a password only."""


@router.get("/options")
async def get_options(services: Use) -> Options:
    """Return how one can sign in; open to all."""
    provider = await services.sign_on.provider()
    return Options(issuer=provider.issuer if provider else None)


@router.get("/sign-on", status_code=302, response_class=RedirectResponse)
async def begin(request: Request, services: Use) -> RedirectResponse:
    """Send the browser to the identity provider."""
    begun = await services.sign_on.begin()
    answer = RedirectResponse(begun.address, 302)
    answer.set_cookie(
        COOKIE,
        begun.cookie,
        max_age=600,
        path=_PATH,
        httponly=True,
        samesite="lax",  # it comes back from another site
        secure=request.url.scheme == "https",
    )
    return answer


@router.get("/sign-on/callback", status_code=303, response_class=RedirectResponse)
async def finish(
    request: Request,
    services: Use,
    state: Annotated[str, Query(max_length=200)] = "",
    code: Annotated[str, Query(max_length=4000)] = "",
    error: Annotated[str, Query(max_length=200)] = "",
    cookie: Annotated[str, Cookie(alias=COOKIE, max_length=300)] = "",
) -> RedirectResponse:
    """Take the browser back from the identity provider, and sign it in."""
    if error or not code:
        raise NotSignedIn(
            f"the identity provider says: {error or 'nothing'}", hint="begin again at the page"
        )
    signed = await services.sign_on.finish(cookie, state, code)
    answer = RedirectResponse("/", 303)
    keep(answer, request, signed)
    answer.delete_cookie(COOKIE, path=_PATH)
    return answer
