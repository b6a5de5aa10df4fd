"""Who is told of an application's rollouts, and whether it arrives."""

from dataclasses import dataclass
from typing import assert_never
from urllib.parse import urlsplit

from crossfade.base.codec import from_json
from crossfade.base.secrets import SecretRef
from crossfade.core.application import Application
from crossfade.core.rollout.deliveries import Delivery, LastTold, queue_name
from crossfade.core.rollout.notifications import (
    Channel,
    EmailChannel,
    Occasion,
    SlackChannel,
    WebhookChannel,
)
from crossfade.engine.loops.notifications import DELIVERY, LAST_TOLD
from crossfade.ports.documents import Documents


@dataclass(frozen=True, slots=True)
class Notified:
    """One notification of an application."""

    name: str
    channel: str
    """`slack`, `webhook` or `email`."""
    to: str
    """A host, the name of a secret, or addresses: what follows in an address may be a secret."""
    on: tuple[Occasion, ...]
    last: LastTold
    waiting: int
    """Messages that have not arrived yet."""
    attempts: int
    """Of the oldest of them."""
    error: str
    """Why its last try failed."""
    next_at: float | None
    """When it is tried again."""


async def notified(documents: Documents, application: Application) -> tuple[Notified, ...]:
    """Return all notifications of the application, as its file has them."""
    if not application.notifications:
        return ()
    waiting: dict[str, list[Delivery]] = {}
    mine = {queue_name(application.name, each.name) for each in application.notifications}
    for document in await documents.list(DELIVERY):
        queue = document.name.rpartition("/")[0]
        if queue in mine:  # those of others are not even read
            waiting.setdefault(queue, []).append(from_json(Delivery, document.body))
    found = []
    for each in application.notifications:
        queue = queue_name(application.name, each.name)
        line = sorted(waiting.get(queue, ()), key=lambda delivery: delivery.event)
        last = await documents.get(LAST_TOLD, queue)
        kind, to = _channel(each.channel)
        found.append(
            Notified(
                each.name,
                kind,
                to,
                each.on,
                from_json(LastTold, last.body) if last else LastTold(),
                len(line),
                line[0].attempts if line else 0,
                line[0].error if line else "",
                line[0].next_at or None if line else None,
            )
        )
    return tuple(found)


def _channel(channel: Channel) -> tuple[str, str]:
    match channel:
        case SlackChannel():
            return "slack", _host(channel.url)
        case WebhookChannel():
            return "webhook", _host(channel.endpoint.url)
        case EmailChannel():
            return "email", ", ".join(channel.recipients)
        case _:
            assert_never(channel)


def _host(address: str | SecretRef) -> str:
    if isinstance(address, SecretRef):
        return f"the address in the secret {address.name}"
    return urlsplit(address).hostname or ""
