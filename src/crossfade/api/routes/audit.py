"""Who has done what."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from crossfade.api.access import everywhere
from crossfade.api.pages import Limit, Page
from crossfade.api.services import Use
from crossfade.core.access.audit import Entry
from crossfade.core.access.roles import Action
from crossfade.engine.accounts import Caller
from crossfade.engine.audit import AuditLog, Verified

router = APIRouter(prefix="/audit", tags=["audit"])

Auditor = Annotated[Caller, Depends(everywhere(Action.AUDIT))]
Cursor = Annotated[int, Query(ge=0, le=2**53, description="`next` of the page before.")]


@router.get("")
async def list_entries(
    caller: Auditor, services: Use, after: Cursor = 0, limit: Limit = 100
) -> Page[Entry]:
    """Return entries of the audit log, oldest first."""
    found = await AuditLog(services.documents).page(after, limit)
    following = str(found[-1][0]) if len(found) == limit else None
    return Page(items=[entry for _, entry in found], next=following)


@router.get("/newest")
async def list_newest(
    caller: Auditor, services: Use, after: Cursor = 0, limit: Limit = 100
) -> Page[Entry]:
    """Return the newest entries of the audit log, newest first."""
    log, near = AuditLog(services.documents), services.feed.newest
    found = await (log.newest(limit, near, after) if after else log.newest(limit, near))
    following = str(found[-1][0]) if len(found) == limit else None
    return Page(items=[entry for _, entry in found], next=following)


@router.get("/verification")
async def verify(caller: Auditor, services: Use) -> Verified:
    """Return whether the chain of the log is whole, and what is wrong first."""
    return await AuditLog(services.documents).verify()
