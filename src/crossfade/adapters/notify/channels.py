"""The adapter for each kind of channel."""

from typing import assert_never

from crossfade.adapters.notify.slack import SlackMessages
from crossfade.adapters.notify.smtp import MailMessages
from crossfade.adapters.notify.webhook import WebhookMessages
from crossfade.base.clock import Clock
from crossfade.core.rollout.messages import Message
from crossfade.core.rollout.notifications import (
    Channel,
    EmailChannel,
    SlackChannel,
    WebhookChannel,
)
from crossfade.ports.secrets import Secrets


class ChannelNotifier:
    """The Notifier port for channels of every kind."""

    def __init__(self, secrets: Secrets, clock: Clock, mail: MailMessages | None = None) -> None:
        """`mail` replaces the one that trusts the system's authorities."""
        self._slack = SlackMessages(secrets, clock)
        self._webhook = WebhookMessages(secrets, clock)
        self._mail = mail or MailMessages(secrets)

    async def send(self, channel: Channel, message: Message) -> None:
        """Deliver the message; see the port for errors."""
        match channel:
            case SlackChannel():
                await self._slack.send(channel, message)
            case WebhookChannel():
                await self._webhook.send(channel, message)
            case EmailChannel():
                await self._mail.send(channel, message)
            case _:
                assert_never(channel)

    async def close(self) -> None:
        """Close the connections."""
        await self._slack.close()
        await self._webhook.close()
