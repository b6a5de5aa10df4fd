"""What happened: pages of it, and a stream of what happens."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse

from crossfade.api.access import Signed, who_asks
from crossfade.api.pages import Limit, Page
from crossfade.api.services import Use
from crossfade.api.streams import Line, line, may_see, stream
from crossfade.base.errors import TooManyRequests
from crossfade.engine.accounts import Caller

router = APIRouter(prefix="/events", tags=["events"])

MOST_STREAMS = 1000
_HIGHEST = 2**53
_STREAM = "text/event-stream"
Since = Annotated[
    int | None,
    Query(
        ge=0,
        le=_HIGHEST,
        description="Number of the last event that is known: those after it are returned. "
        "A stream without it begins now.",
    ),
]


@router.get(
    "",
    response_model=Page[Line],
    responses={200: {"content": {_STREAM: {"schema": {"type": "string"}}}}},
)
async def events(
    request: Request,
    caller: Signed,
    services: Use,
    since: Since = None,
    limit: Limit = 100,
    last_event_id: Annotated[str, Header(max_length=20)] = "",
) -> Page[Line] | StreamingResponse:
    """
    Return a page of events, or with `Accept: text/event-stream` all of them as they come.

    A stream sends `line` events, whose ids are the numbers to go on after, and a `tick` at most
    twice a second when anything has changed.
    """
    if _STREAM not in request.headers.get("Accept", ""):
        found = await services.documents.events(None, since or 0, limit)
        seen = [line(each) for each in found if may_see(caller.identity, each.subject)]
        following = str(found[-1].number) if len(found) == limit else None
        return Page(items=seen, next=following)
    if services.feed.watchers >= MOST_STREAMS:
        hint = f"{MOST_STREAMS} are open already; close some"
        raise TooManyRequests("too many streams of events", hint=hint, seconds=5)
    known = int(last_event_id) if last_event_id.isascii() and last_event_id.isdigit() else since
    cursor = services.feed.newest if known is None else min(known, services.feed.newest)

    async def again() -> Caller:
        return await who_asks(request, services)

    return StreamingResponse(stream(services.feed, again, caller, cursor), media_type=_STREAM)
