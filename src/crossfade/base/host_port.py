"""Where somebody listens, as people write it: HOST:PORT."""

import ipaddress
import re
from dataclasses import dataclass

from crossfade.base.errors import InputError

_NAME = re.compile(
    r"(?=.{1,253}$)([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*"
)
_HIGHEST_PORT = 65535


@dataclass(frozen=True, slots=True)
class HostPort:
    """A host, by name or IP address, and a port."""

    host: str
    """Without brackets."""
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def is_address(self) -> bool:
        """Whether the host is an IP address, and no name."""
        return _address(self.host) is not None

    @property
    def is_loopback(self) -> bool:
        """Whether nobody outside of the machine gets there."""
        address = _address(self.host)
        return self.host == "localhost" or (address is not None and address.is_loopback)

    @property
    def is_unspecified(self) -> bool:
        """Whether it is all addresses of a machine: good to listen at, and to go nowhere."""
        address = _address(self.host)
        return address is not None and address.is_unspecified


def host_port(text: str, what: str) -> HostPort:
    """Return what the text says; `what` it is for stands in the error.  Raises InputError."""
    host, _, port = text.strip().rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    address = _address(bare)
    good = address is not None or _NAME.fullmatch(bare.lower())
    if (
        not good
        or (":" in bare and bare == host)
        or not (port.isascii() and port.isdigit() and len(port) <= len(str(_HIGHEST_PORT)))
        or not 1 <= int(port) <= _HIGHEST_PORT
    ):
        raise InputError(
            f"{what} is no HOST:PORT",
            hint="as hub.example.com:17443, 192.0.2.7:80 or [2001:db8::7]:80",
            value=text,
        )
    return HostPort(bare if address is not None else bare.lower(), int(port))


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
