"""Name servers that take updates."""

from typing import Protocol

from crossfade.core.dns.record import DnsSpec, Published


class NameServers(Protocol):
    """Every implementation passes tests/contract/test_name_servers.py."""

    async def read(self, spec: DnsSpec, host: str) -> Published:
        """
        Return what the zone says of the host.

        Raises InputError when the server does not answer for the zone, or the name is an alias,
        and Unavailable when it does not answer.
        """
        ...

    async def write(self, spec: DnsSpec, host: str, before: Published, want: Published) -> None:
        """
        Have the zone say `want` if it says `before`, all of it or nothing.

        Raises Conflict when it says something else by now, Denied when the key is refused,
        NotFound when there is no such secret, and else as `read`.
        """
        ...
