"""Whether the hub lives, whether it can work, and its counters; no names, so open to all."""

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from crossfade.api.services import Use
from crossfade.base.errors import Unavailable

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """The state of the process."""

    status: str = "ok"


@router.get("/healthz")
async def healthz() -> Health:
    """Return as soon as the process answers at all."""
    return Health()


@router.get("/readyz")
async def readyz(services: Use) -> Health:
    """Return when the store can be read and a hub runs the loops; else 503 says what is missing."""
    await services.documents.sequence()
    if await services.hub() is None:
        raise Unavailable("no hub runs the loops", hint="`crossfade up` runs one")
    return Health()


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """Return counters for Prometheus."""
    page: Response = request.app.state.meters.page()
    return page
