"""Events for one caller: which ones they may see, as a stream that can be taken up again."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from crossfade.base.errors import CrossfadeError
from crossfade.core.access.roles import Action, Identity
from crossfade.engine.accounts import Caller
from crossfade.engine.feed import Feed
from crossfade.ports.documents import Event

TICK_SECONDS = 0.5
"""A stream says at most this often that something has changed."""
SILENCE_SECONDS = 15.0
"""A stream without news says that it lives, and asks whether the caller still counts."""
_OF_APPLICATION = ("application", "dns", "users")
_OF_ROLLOUT = ("rollout", "evidence", "gate", "run")
_OF_CLUSTER = ("cluster", "health")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of history; the facts of decisions are in the rollout's own history."""

    number: int
    at: float
    subject: str
    reason: str


def line(event: Event) -> Line:
    """Return the event as it is sent."""
    return Line(event.number, event.at, event.subject, event.reason)


def may_see(identity: Identity, subject: str) -> bool:
    """Say whether events of the subject may be seen; what nobody knows is for admins only."""
    kind, _, name = subject.partition("/")
    if kind in _OF_APPLICATION:
        return identity.sees(name)
    if kind in _OF_ROLLOUT:
        return identity.sees(name.partition("/")[0].rpartition(".")[0])
    if kind == "report":
        return identity.sees(name.partition("@")[0])
    if kind in _OF_CLUSTER:
        return identity.sees_cluster(name)
    if kind in ("edge-plan", "build"):
        return identity.may(Action.READ)
    return identity.may(Action.AUDIT)


async def stream(
    feed: Feed, again: Callable[[], Awaitable[Caller]], caller: Caller, cursor: int
) -> AsyncIterator[str]:
    """
    Yield events after the cursor as server-sent events, until the feed is closed.

    Only the cursor is kept for a reader, so that a slow one takes no memory.  `again` says who
    asks, and raises when their token or session no longer counts: then the stream ends.
    """
    feed.watchers += 1
    try:
        async for part in _parts(feed, again, caller, cursor):
            yield part
    finally:
        feed.watchers -= 1


async def _parts(
    feed: Feed, again: Callable[[], Awaitable[Caller]], caller: Caller, cursor: int
) -> AsyncIterator[str]:
    sequence, waited, access = -1, 0.0, feed.access
    yield "retry: 1000\n\n"
    while not feed.closed:
        now = feed.sequence
        if waited >= SILENCE_SECONDS or access != feed.access:
            access = feed.access
            try:
                caller = await again()
            except CrossfadeError:
                return
        if waited >= SILENCE_SECONDS:
            waited = 0.0
            yield ": alive\n\n"
        while found := await feed.after(cursor):
            seen = [each for each in found if may_see(caller.identity, each.subject)]
            cursor = found[-1].number
            if seen:
                yield "".join(_event(each) for each in seen)
        if now != sequence:
            # Also moves the cursor past what this reader may not see.
            yield f"id: {cursor}\nevent: tick\ndata: {json.dumps({'sequence': now})}\n\n"
            sequence = now
        await feed.rest(TICK_SECONDS)
        waited += TICK_SECONDS


def _event(event: Event) -> str:
    body = {"at": event.at, "subject": event.subject, "reason": event.reason}
    data = json.dumps({"number": event.number, **body}, ensure_ascii=False)
    return f"id: {event.number}\nevent: line\ndata: {data}\n\n"
