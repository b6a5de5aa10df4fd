"""Messages on their way: when they are tried again, and when they are given up."""

from dataclasses import dataclass, replace

from crossfade.base.ids import ApplicationName
from crossfade.core.rollout.messages import Message
from crossfade.core.rollout.notifications import Channel

FIRST_PAUSE_SECONDS = 2.0
LONGEST_PAUSE_SECONDS = 900.0
GIVE_UP_SECONDS = 86400.0
"""A message that is a day old helps nobody, and those behind it wait."""
_MOST_DOUBLINGS = 20


@dataclass(frozen=True, slots=True)
class LastTold:
    """What became of messages of one notification."""

    sent_at: float | None = None
    """When the last one that was sent arrived."""
    sent: str = ""
    """Its title."""
    lost_at: float | None = None
    """When one was given up."""
    lost: str = ""
    """Its title, and why."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message for one channel, as it is kept until it has arrived."""

    application: ApplicationName
    notification: str
    """Name of the notification that asks for it."""
    event: int
    """Number of the event that it tells of; messages of a channel are sent in this order."""
    channel: Channel
    message: Message
    since: float
    attempts: int = 0
    next_at: float = 0.0
    """Not tried before then."""
    error: str = ""
    """Why the last try failed."""

    @property
    def queue(self) -> str:
        """What it waits in line with."""
        return queue_name(self.application, self.notification)


def queue_name(application: ApplicationName, notification: str) -> str:
    """Return the name of the line in which messages of one channel wait."""
    return f"{application}/{notification}"


def message_key(application: ApplicationName, notification: str, event: int) -> str:
    """Return what makes a message known again when it is sent twice."""
    return f"{queue_name(application, notification)}/{event}"


def failed(delivery: Delivery, now: float, why: str) -> Delivery:
    """Return the delivery after one more try that failed: pauses double up to a quarter hour."""
    doublings = min(delivery.attempts, _MOST_DOUBLINGS)
    pause = min(FIRST_PAUSE_SECONDS * 2**doublings, LONGEST_PAUSE_SECONDS)
    tries = delivery.attempts + 1
    return replace(delivery, attempts=tries, next_at=now + pause, error=why)


def is_over(delivery: Delivery, now: float) -> bool:
    """Say whether it has been tried for long enough."""
    return now - delivery.since > GIVE_UP_SECONDS
