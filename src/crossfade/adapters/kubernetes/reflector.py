"""A copy of a collection in a cluster that follows it through anything: restarts, freezes, 410."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from crossfade.adapters.kubernetes.client import KubeApi, Object
from crossfade.base.errors import Conflict, CrossfadeError

FIRST_RETRY_SECONDS = 0.2
LAST_RETRY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Synced:
    """The whole collection: what is not in it is gone."""

    objects: tuple[Object, ...]


@dataclass(frozen=True, slots=True)
class Changed:
    """One object was made or changed."""

    object: Object


@dataclass(frozen=True, slots=True)
class Deleted:
    """One object is gone; this was its last state."""

    object: Object


@dataclass(frozen=True, slots=True)
class Down:
    """The collection cannot be read: what is known of it grows old from now on."""

    error: CrossfadeError


Seen: TypeAlias = Synced | Changed | Deleted | Down


async def reflect(
    api: KubeApi,
    path: str,
    tell: Callable[[Seen], None],
    *,
    labels: str = "",
    idle_seconds: float = 20.0,
) -> None:
    """
    Tell of everything that happens to the collection at `path`.  Never returns; cancel it.

    It lists, then watches; the server ends each watch after `idle_seconds`, then it lists anew, so
    that no lost event is lost for longer.  `labels` filters what is told.
    """
    pause = FIRST_RETRY_SECONDS
    while True:
        try:
            objects, version = await api.list(path, labels)
            tell(Synced(tuple(objects)))
            pause = FIRST_RETRY_SECONDS
            async for event in api.watch(path, version, idle_seconds, labels):
                _tell_of(event, api, tell)
        except Conflict:  # 410: the place in the history is too old, list again
            await asyncio.sleep(FIRST_RETRY_SECONDS)
        except CrossfadeError as error:
            tell(Down(error))
            # Not all at once when many clusters come back: S311 is about secrets, this is none.
            await asyncio.sleep(pause + random.random() * pause)  # noqa: S311
            pause = min(pause * 2, LAST_RETRY_SECONDS)


def _tell_of(event: Object, api: KubeApi, tell: Callable[[Seen], None]) -> None:
    """Tell of one event; raises Conflict when it says that the watch has to start anew."""
    match event.get("type"):
        case "ADDED" | "MODIFIED":
            tell(Changed(event["object"]))
        case "DELETED":
            tell(Deleted(event["object"]))
        case "ERROR":
            message = event.get("object", {}).get("message", "the watch has ended")
            raise Conflict(str(message), hint="list again", cluster=api.cluster.name)
        case _:  # a bookmark: the next list starts anew anyway
            pass
