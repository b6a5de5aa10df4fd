"""What is on no disk but another hub's: logs and files of builds, and who counts requests."""

import socket

from crossfade.api.services import Services
from crossfade.base.errors import Unavailable


async def leads_elsewhere(services: Services) -> str:
    """Return who leads when that is another process, as host and process; "" when it is this."""
    if services.figures.records is not None:
        return ""
    holder = await services.hub() or ""
    return "/".join(holder.split("/")[:2])


async def require_here(services: Services, what: str, *, found: bool) -> None:
    """
    Raise Unavailable that names the hub to ask, when another one may have what is not here.

    One of this machine writes to the same disk: what is not there is not yet anywhere.
    """
    if found:
        return
    hub = await leads_elsewhere(services)
    if hub and hub.partition("/")[0] != socket.gethostname():
        raise Unavailable(
            f"{what} are not on the disk of this hub, which stands by",
            hint=f"ask the hub that leads, {hub}, or the one that led when it ran",
            hub=hub,
        )
