"""What a step prints, as it comes, as a stream that can be taken up again at any line."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from crossfade.api.services import Services
from crossfade.api.streams import SILENCE_SECONDS
from crossfade.base.errors import CrossfadeError
from crossfade.engine.accounts import Caller
from crossfade.engine.pipelines.log_reading import LogLine, StepLog

LOOK_SECONDS = 0.1
_MOST_LINES = 1000
"""In one event; a reader that is behind is sent several."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines are asked for."""

    run: str
    """Of which build."""
    step: str
    after: int
    """Number of the last line that the reader has."""


async def log_stream(
    services: Services, again: Callable[[], Awaitable[Caller]], wanted: Wanted
) -> AsyncIterator[str]:
    """
    Yield `lines` events with numbered lines, and at the end of the build an `end` event.

    Only places in files are kept for a reader.  `again` raises when whoever reads no longer counts:
    then the stream ends.
    """
    services.feed.watchers += 1
    try:
        async for part in _parts(services, again, wanted):
            yield part
    finally:
        services.feed.watchers -= 1


async def _parts(
    services: Services, again: Callable[[], Awaitable[Caller]], wanted: Wanted
) -> AsyncIterator[str]:
    builds, log = services.building.builds, StepLog(services.building.logs, wanted.step)
    sequence, waited, access = services.feed.sequence, 0.0, services.feed.access
    build, state = (await builds.build(wanted.run)).value, (await builds.state(wanted.run)).value
    yield "retry: 1000\n\n"
    while not services.feed.closed:
        if waited >= SILENCE_SECONDS or access != services.feed.access:
            access = services.feed.access
            try:
                await again()
            except CrossfadeError:
                return
        if waited >= SILENCE_SECONDS:
            waited = 0.0
            yield ": alive\n\n"
        waited += LOOK_SECONDS  # also of one that never rests
        lines = await asyncio.to_thread(log.more, build, state)
        for event in _events([each for each in lines if each.number > wanted.after]):
            yield event
        if lines:
            continue
        if state.ended:
            yield f"event: end\ndata: {json.dumps({'result': state.result.value})}\n\n"
            return
        await services.feed.rest(LOOK_SECONDS)
        if sequence != services.feed.sequence:
            sequence = services.feed.sequence
            build = (await builds.build(wanted.run)).value
            state = (await builds.state(wanted.run)).value


def _events(lines: list[LogLine]) -> list[str]:
    events = []
    for start in range(0, len(lines), _MOST_LINES):
        some = lines[start : start + _MOST_LINES]
        body = [{"number": each.number, "run": each.run, "text": each.text} for each in some]
        data = json.dumps({"lines": body}, ensure_ascii=False)
        events.append(f"id: {some[-1].number}\nevent: lines\ndata: {data}\n\n")
    return events
