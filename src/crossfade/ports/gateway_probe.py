"""Is a cluster's data plane there?"""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Tls:
    """How to ask over TLS."""

    name: str
    """The host that is asked for, in the handshake (SNI) and in the request."""
    verify: bool = True
    """Whether its certificate must be valid, of a known authority, and for that name."""


class GatewayProbe(Protocol):
    """Every implementation passes tests/contract/test_gateway_probe.py."""

    async def answers(self, host: str, port: int, tls: Tls | None = None) -> None:
        """
        Return when the gateway answers HTTP at all, with whatever status.

        Without `tls` over plain TCP.  Raises Unavailable when it does not, in time, or when its
        certificate is not accepted.
        """
        ...
