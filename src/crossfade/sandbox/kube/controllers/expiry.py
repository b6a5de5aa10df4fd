"""Old events are forgotten, as a real API server forgets them after an hour."""

import asyncio
import logging

from crossfade.base.clock import Clock
from crossfade.sandbox.kube.client import ApiError, KubeClient
from crossfade.sandbox.kube.kinds import EVENT
from crossfade.sandbox.kube.objects.timestamps import seconds_of

_log = logging.getLogger(__name__)
_KEPT_SECONDS, _PAUSE_SECONDS = 3600.0, 60.0


async def expire_events(client: KubeClient, clock: Clock) -> None:
    """Delete events that are older than an hour, endlessly."""
    while True:
        await asyncio.sleep(_PAUSE_SECONDS)
        oldest = clock.now() - _KEPT_SECONDS
        try:
            for event in await client.list(EVENT):
                meta = event["metadata"]
                seen = event.get("lastTimestamp") or event.get("eventTime")
                if seconds_of(seen or meta.get("creationTimestamp")) < oldest:
                    await client.delete(EVENT, meta["namespace"], meta["name"])
        except ApiError as error:
            _log.debug("events not expired error=%s", error.message)
