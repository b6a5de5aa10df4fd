"""
Addresses of gateways that are known by name only, as load balancers of some clouds are.

Edges take addresses, so the hub looks names up.  A name that cannot be looked up keeps its
last addresses; it has none if it never had any.
"""

import asyncio
import ipaddress
import logging
import socket
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from crossfade.ports.edge import EdgePlan

Addresses = tuple[str, ...]
LookUp = Callable[[str], Awaitable[Addresses]]

_LOG = logging.getLogger(__name__)
_DEADLINE_SECONDS = 2.0
_FRESH_SECONDS = 5.0
_AT_MOST = 2
"""Of one name.  With two retries, a third try always leaves a cloud of two dead addresses."""


@dataclass(slots=True)
class _Known:
    addresses: Addresses = ()
    looked_up_at: float = -_FRESH_SECONDS


async def look_up(name: str) -> Addresses:
    """Return the addresses of a name from the system's resolver, sorted.  Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return tuple(sorted({str(each[4][0]) for each in found}))


@dataclass(slots=True)
class AddressBook:
    """Names and what they stood for when last looked up, at most every 5 s."""

    look_up: LookUp = look_up
    _known: dict[str, _Known] = field(default_factory=dict)

    async def of(self, plan: EdgePlan) -> Mapping[str, Addresses]:
        """Return the addresses of every host in the plan; never raises, waits 2 s at most."""
        hosts = {target.host for route in plan.routes for target in route.targets}
        names = {host for host in hosts if not _is_address(host)}
        self._known = {name: self._known.get(name, _Known()) for name in names}
        now = time.monotonic()
        stale = [n for n, known in self._known.items() if now - known.looked_up_at > _FRESH_SECONDS]
        if stale:
            async with asyncio.TaskGroup() as group:
                for name in stale:
                    group.create_task(self._refresh(name, self._known[name]))
        return {host: (host,) for host in hosts - names} | {
            name: known.addresses for name, known in self._known.items()
        }

    async def _refresh(self, name: str, known: _Known) -> None:
        try:
            async with asyncio.timeout(_DEADLINE_SECONDS):
                found = await self.look_up(name)
        except (OSError, TimeoutError, UnicodeError) as error:
            _LOG.warning("gateway not found", extra={"host": name, "why": str(error)})
            return
        known.addresses, known.looked_up_at = found[:_AT_MOST], time.monotonic()


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
