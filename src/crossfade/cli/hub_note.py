"""Says so when nobody makes true what a command has asked for."""

from typing import TYPE_CHECKING

from crossfade.cli.output import note

if TYPE_CHECKING:
    from crossfade.wiring import Session


async def note_if_no_hub(session: "Session") -> None:
    """Tell the user when no hub runs on this store: then nothing will happen."""
    if await session.hub() is None:
        note("note: no hub runs on this store; `crossfade up` starts one, and the work goes on")
