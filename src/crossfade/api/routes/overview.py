"""The first screen of the page."""

from dataclasses import replace

from fastapi import APIRouter

from crossfade.api.access import Signed
from crossfade.api.elsewhere import leads_elsewhere
from crossfade.api.pages import Limit, Page
from crossfade.api.services import Use
from crossfade.api.streams import Line, line, may_see
from crossfade.engine.overview import Overview

router = APIRouter(prefix="/overview", tags=["overview"])


@router.get("")
async def overview(caller: Signed, services: Use) -> Overview:
    """Return whether everything is all right, what is moving, and what needs somebody."""
    found = await services.overviews.of(caller.identity, services.clock.now())
    return replace(found, counted_by=await leads_elsewhere(services))


@router.get("/news")
async def news(caller: Signed, services: Use, limit: Limit = 100) -> Page[Line]:
    """Return the newest events that are at hand, oldest first; `GET /events` has all of them."""
    known = services.feed.recent(0.0)
    seen = [line(each) for each in known if may_see(caller.identity, each.subject)]
    return Page(items=seen[-limit:])
