"""Errors as RFC 9457 has them: the same codes, facts and hints as in the CLI."""

import logging
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from crossfade.base.errors import CrossfadeError, NotSignedIn, TooManyRequests
from crossfade.base.words import shown

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
_STATUS = {
    "invalid-input": 422,
    "not-found": 404,
    "unsafe-plan": 409,
    "conflict": 409,
    "unavailable": 503,
    "denied": 502,
    "too-many-requests": 429,
    "rollout-failed": 409,
    "not-signed-in": 401,
    "not-allowed": 403,
}
_CODES = {400: "invalid-input", 404: "not-found", 405: "invalid-input", 413: "invalid-input"}
_SECRETIVE = ("/session", "/accounts", "/secrets", "/builds", "/pipelines", "/contexts")
_OPENAPI = "`GET /api/v1/openapi.json` describes every request"


class Problem(BaseModel):
    """What went wrong."""

    type: str = "about:blank"
    title: str
    """Of the status."""
    status: int
    detail: str
    """One sentence with the value that is wrong."""
    code: str
    """The class of the error; docs/reference/errors.md lists them."""
    hint: str
    """What to do about it."""
    facts: dict[str, str] = {}


def problem(
    status: int, code: str, detail: str, hint: str, facts: dict[str, str] | None = None
) -> JSONResponse:
    """Return the answer."""
    body = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        code=code,
        hint=hint,
        facts=facts or {},
    )
    return JSONResponse(body.model_dump(), status, media_type=MEDIA_TYPE)


def of_error(error: CrossfadeError) -> JSONResponse:
    """Return the answer for an error of ours."""
    facts = {key: str(value) for key, value in sorted(error.facts.items())}
    answer = problem(_STATUS.get(error.code, 500), error.code, error.what, error.hint, facts)
    if isinstance(error, NotSignedIn):
        answer.headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, TooManyRequests):
        answer.headers["Retry-After"] = facts.get("seconds", "1")
    return answer


def install(app: FastAPI) -> None:
    """Have every error of the application answered as a problem."""

    @app.exception_handler(CrossfadeError)
    async def _ours(_request: Request, error: CrossfadeError) -> JSONResponse:
        return of_error(error)

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        # Also what stands in the wrong field of these may be a secret.
        hidden = any(part in request.url.path for part in _SECRETIVE)
        return problem(422, "invalid-input", _sentence(error, hidden=hidden), _OPENAPI)

    @app.exception_handler(HTTPException)
    async def _of_http(request: Request, error: HTTPException) -> JSONResponse:
        code = _CODES.get(error.status_code, "internal")
        detail = f"{request.method} {request.url.path}: {error.detail}"
        answer = problem(error.status_code, code, detail, _OPENAPI)
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(Exception)
    async def _unexpected(request: Request, error: Exception) -> JSONResponse:
        log.error("request-failed", extra={"path": request.url.path, "error": repr(error)})
        hint = "this is a fault of Crossfade; the hub's log has more"
        return problem(500, "internal", "unexpected", hint)


def _sentence(error: RequestValidationError, *, hidden: bool) -> str:
    """Return all that is wrong, each with its place."""
    parts = []
    for each in error.errors()[:10]:
        place = ".".join(str(part) for part in each["loc"])
        # Whole bodies are not repeated: they may have secrets.
        value = each.get("input")
        plain = "" if isinstance(value, dict | list | None) else f", not {shown(value)}"
        parts.append(f"{place}: {each['msg']}{'' if hidden else plain}")
    return "; ".join(parts)
