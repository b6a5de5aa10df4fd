"""Commands that a client may send twice: the second one with the same key changes nothing."""

import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import Header

from crossfade.api.services import Services
from crossfade.base.errors import Conflict
from crossfade.engine.access_records import ONCE
from crossfade.engine.accounts import Caller
from crossfade.ports.documents import Documents, Event, Remove, Save
from crossfade.ports.forwarding_documents import ForwardingDocuments

T = TypeVar("T")

Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        max_length=200,
        description="A command with a key that was carried out is not carried out again.",
    ),
]


@dataclass(slots=True)
class _Along(ForwardingDocuments):
    """Documents whose first commit also keeps the key: both are there, or none of them."""

    key: Save | None

    async def commit(
        self, changes: tuple[Save | Remove, ...], events: tuple[Event, ...] = (), fence: int = 0
    ) -> int:
        along = () if self.key is None else (self.key,)
        sequence = await self.inner.commit((*changes, *along), events, fence)
        self.key = None
        return sequence


async def once(
    services: Services,
    caller: Caller,
    key: str,
    request: object,
    act: Callable[[Documents], Awaitable[None]],
) -> bool:
    """
    Do it, unless it was done with this key; return whether it was done before.

    Raises Conflict when the key was used for another request.
    """
    documents = services.accounts.acting(caller)
    if not key:
        await act(documents)
        return False
    name = _digest([caller.identity.name, key])
    wanted = _digest(request)
    if await _done(services, name, wanted):
        return True
    body = {"request": wanted, "at": services.clock.now()}
    try:
        await act(_Along(documents, Save(ONCE, name, 0, body)))
    except Conflict:
        # Perhaps the same request came twice at the same time.
        if await _done(services, name, wanted):
            return True
        raise
    return False


async def _done(services: Services, name: str, wanted: str) -> bool:
    stored = await services.documents.get(ONCE, name)
    if stored is not None and stored.body["request"] != wanted:
        raise Conflict(
            "this Idempotency-Key was used for another request",
            hint="make a new key for each command",
        )
    return stored is not None


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
