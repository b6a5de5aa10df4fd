"""Browsers that sign in by an identity provider."""

from typing import Annotated
from urllib.parse import quote, unquote

from fastapi import APIRouter, Cookie, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel

from crossfade.api.routes.session import keep
from crossfade.api.services import Use
from crossfade.base.errors import CrossfadeError, NotSignedIn

router = APIRouter(prefix="/session", tags=["access"])

COOKIE = "crossfade_sign_on"
TROUBLE = "crossfade_sign_on_trouble"
_SESSION = "/api/v1/session"
_PATH = f"{_SESSION}/sign-on"
_LONGEST = 2000
_ERRORS = frozenset(
    {
        "invalid_request",
        "unauthorized_client",
        "access_denied",
        "unsupported_response_type",
        "invalid_scope",
        "server_error",
        "temporarily_unavailable",
        "interaction_required",
        "login_required",
        "account_selection_required",
        "consent_required",
        "invalid_request_uri",
        "invalid_request_object",
        "request_not_supported",
        "request_uri_not_supported",
        "registration_not_supported",
    }
)
"""Those of OAuth (RFC 6749, 4.1.2.1) and OpenID Connect; others are words of whoever made a link,
as providers may leave out the state that would prove them."""


class Options(BaseModel):
    """How one can sign in."""

    issuer: str | None
    """The identity provider; null: with a password only."""
    trouble: str
    """Why this browser has just come back without being signed in, "" when it has not."""


class Returned(BaseModel):
    """What the provider sends a browser back with."""

    state: str = ""
    code: str = ""
    error: str = ""
    iss: str = ""
    """Who it is (RFC 9207); not all say so."""


@router.get("/options")
async def get_options(
    response: Response,
    services: Use,
    trouble: Annotated[str, Cookie(alias=TROUBLE, max_length=_LONGEST)] = "",
) -> Options:
    """Return how one can sign in; open to all.  What went wrong is told once."""
    provider = await services.sign_on.provider()
    if trouble:
        response.delete_cookie(TROUBLE, path=_SESSION)
    return Options(issuer=provider.issuer if provider else None, trouble=unquote(trouble))


@router.get("/sign-on", status_code=302, response_class=RedirectResponse)
async def begin(request: Request, services: Use) -> RedirectResponse:
    """Send the browser to the identity provider."""
    try:
        begun = await services.sign_on.begin()
    except CrossfadeError as error:
        return _back(request, error)
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
    said: Annotated[Returned, Query()],
    cookie: Annotated[str, Cookie(alias=COOKIE)] = "",
) -> RedirectResponse:
    """Take the browser back from the identity provider, and sign it in."""
    try:
        if said.error or not said.code:
            unknown = "something unknown" if said.error else "nothing"
            error = said.error if said.error in _ERRORS else unknown
            hint = "begin again at the page"
            raise NotSignedIn(f"the identity provider says: {error}", hint=hint)
        signed = await services.sign_on.finish(cookie, said.state, said.code, said.iss)
    except CrossfadeError as trouble:
        return _back(request, trouble)
    answer = RedirectResponse("/", 303)
    keep(answer, request, signed)
    answer.delete_cookie(COOKIE, path=_PATH)
    return answer


def _back(request: Request, error: CrossfadeError) -> RedirectResponse:
    """
    Return the way to the page, which says what went wrong.

    It is told by a cookie: what stands in an address can be written by anybody.  Raises the error
    for programs.
    """
    if "text/html" not in request.headers.get("Accept", ""):
        raise error
    answer = RedirectResponse("/", 303)
    answer.set_cookie(
        TROUBLE,
        quote(f"{error.what}; {error.hint}"[: _LONGEST // 12]),  # a character becomes 12 at most
        max_age=60,
        path=_SESSION,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return answer
