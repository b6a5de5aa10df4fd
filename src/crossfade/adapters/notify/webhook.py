"""Messages as JSON to any service."""

from crossfade.adapters.http.caller import HttpCaller, refused
from crossfade.adapters.notify.posting import post
from crossfade.base.clock import Clock
from crossfade.base.json_value import Json
from crossfade.core.rollout.messages import Message
from crossfade.core.rollout.notifications import WebhookChannel
from crossfade.ports.secrets import Secrets

_FINAL = (404, 405, 410, 413, 415)
"""The service will never take it."""


class WebhookMessages:
    """Posts messages with all their facts."""

    def __init__(self, secrets: Secrets, clock: Clock) -> None:
        self._secrets, self._clock = secrets, clock
        self._http = HttpCaller()

    async def send(self, channel: WebhookChannel, message: Message) -> None:
        """Deliver the message; see the port Notifier for errors."""
        endpoint = channel.endpoint
        call = await post(endpoint, payload(message), message.key, self._secrets, self._clock)
        answer = await self._http.send(call, endpoint.timeout_seconds)
        if not 200 <= answer.status < 300:
            raise refused(call, answer, "the webhook", final=_FINAL)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()


def payload(message: Message) -> dict[str, Json]:
    """Return the body: the message, and the facts that it was made of."""
    return {
        "key": message.key,
        "occasion": message.occasion.value,
        "title": message.title,
        "text": message.text,
        **message.facts.as_json(),
    }
