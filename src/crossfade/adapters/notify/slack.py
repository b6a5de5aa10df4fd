"""Messages to an incoming webhook of Slack, or of what imitates it."""

from crossfade.adapters.http.caller import HttpCaller, refused
from crossfade.adapters.notify.posting import post
from crossfade.base.clock import Clock
from crossfade.base.json_value import Json
from crossfade.core.rollout.gates import Endpoint
from crossfade.core.rollout.messages import Message
from crossfade.core.rollout.notifications import SlackChannel
from crossfade.ports.secrets import Secrets

_FINAL = (404, 410, 413)
"""No such webhook, an archived channel, a message that is too long."""


class SlackMessages:
    """Posts messages to channels."""

    def __init__(self, secrets: Secrets, clock: Clock) -> None:
        self._secrets, self._clock = secrets, clock
        self._http = HttpCaller()

    async def send(self, channel: SlackChannel, message: Message) -> None:
        """Deliver the message; see the port Notifier for errors."""
        endpoint = Endpoint(channel.url)
        call = await post(endpoint, payload(message), message.key, self._secrets, self._clock)
        answer = await self._http.send(call)
        if not 200 <= answer.status < 300:
            raise refused(call, answer, "the Slack webhook", final=_FINAL)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()


def payload(message: Message) -> dict[str, Json]:
    """Return what Slack shows as a bold title with the text below."""
    title, text = escaped(message.title).replace("*", "\u2217"), escaped(message.text)
    return {"text": f"*{title}*\n{text}" if text else f"*{title}*"}


def escaped(text: str) -> str:
    """Return the text to be shown as it is: a reason with `<!channel>` must not call everybody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
