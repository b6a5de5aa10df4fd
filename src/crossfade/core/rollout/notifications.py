"""Who is told what of a rollout, as users describe it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from crossfade.base.secrets import SecretRef
from crossfade.core.rollout.gates import Address, Endpoint


class Occasion(StrEnum):
    """What there is to tell."""

    STARTED = "started"
    STEP = "step"
    """The new revision has another share of users."""
    HELD = "held"
    """It cannot go on by itself: paused, frozen, a closed gate, no telemetry."""
    PROMOTING = "promoting"
    SUCCEEDED = "succeeded"
    ROLLING_BACK = "rolling-back"
    ROLLED_BACK = "rolled-back"
    SUPERSEDED = "superseded"
    COMMAND = "command"
    """Somebody paused, resumed, promoted or aborted it."""


IMPORTANT = (
    Occasion.STARTED,
    Occasion.SUCCEEDED,
    Occasion.ROLLING_BACK,
    Occasion.ROLLED_BACK,
)
"""What is told unless the file says otherwise."""


@dataclass(frozen=True, slots=True)
class SlackChannel:
    """An incoming webhook of Slack, or of what imitates it: Mattermost, Rocket.Chat, ..."""

    url: Address


@dataclass(frozen=True, slots=True)
class WebhookChannel:
    """Any service that takes JSON."""

    endpoint: Endpoint


class Security(StrEnum):
    """How a connection to a mail server is protected."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class EmailChannel:
    """Mail over SMTP."""

    host: str
    sender: str
    recipients: tuple[str, ...]
    port: int = 587
    security: Security = Security.STARTTLS
    user: str = ""
    password: SecretRef | None = None


Channel: TypeAlias = SlackChannel | WebhookChannel | EmailChannel


@dataclass(frozen=True, slots=True)
class Notification:
    """Tells one channel of some occasions."""

    name: str
    channel: Channel
    on: tuple[Occasion, ...] = IMPORTANT
    title: str = ""
    """A template; "" for ours of the occasion."""
    text: str = ""
    """A template; "" for ours of the occasion."""
