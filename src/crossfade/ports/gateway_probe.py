"""Is a cluster's data plane there?"""

from typing import Protocol


class GatewayProbe(Protocol):
    """Every implementation passes tests/contract/test_gateway_probe.py."""

    async def answers(self, host: str, port: int) -> None:
        """
        Return when the gateway answers HTTP at all, with whatever status.

        Raises Unavailable when it does not, in time.
        """
        ...
