"""Name servers in memory."""

from crossfade.base.errors import Conflict, InputError, Unavailable
from crossfade.core.dns.record import DnsSpec, Published


class FakeNameServers:
    """`NameServers` with one zone, on a server that can be made to fall silent."""

    def __init__(self, zone: str) -> None:
        self.zone = zone
        self.names: dict[str, Published] = {}
        self.written: list[Published] = []
        self.silent = False

    async def read(self, spec: DnsSpec, host: str) -> Published:
        """Return what the zone says; see the port for errors."""
        self._check(spec)
        return self.names.get(host, Published())

    async def write(self, spec: DnsSpec, host: str, before: Published, want: Published) -> None:
        """Change it if it is as expected; see the port for errors."""
        self._check(spec)
        found = self.names.get(host, Published())
        if (found.addresses, found.owner) != (before.addresses, before.owner):
            raise Conflict("the zone says something else by now", hint="read it again")
        self.names[host] = want
        self.written.append(want)

    def _check(self, spec: DnsSpec) -> None:
        if self.silent:
            raise Unavailable("the name server does not answer", hint="is it up?")
        if spec.zone != self.zone:
            raise InputError("the server does not answer for the zone", hint="name its zone")
