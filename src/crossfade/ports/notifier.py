"""Tells people and services what happens."""

from typing import Protocol

from crossfade.core.rollout.messages import Message
from crossfade.core.rollout.notifications import Channel


class Notifier(Protocol):
    """Every implementation passes tests/contract/test_notifier.py."""

    async def send(self, channel: Channel, message: Message) -> None:
        """
        Deliver the message; it may arrive twice when an answer was lost.

        Raises Unavailable, Denied or NotFound (a secret) when trying again later may help,
        InputError when the receiver will never take it.  No error shows a secret.
        """
        ...
