"""What every implementation of the Notifier port does, for each kind of channel."""

from dataclasses import dataclass
from typing import Any

import pytest

from crossfade.adapters.notify.channels import ChannelNotifier
from crossfade.base.errors import InputError, Unavailable
from crossfade.base.secrets import SecretRef
from crossfade.core.rollout.gates import Endpoint
from crossfade.core.rollout.messages import Message, RolloutFacts
from crossfade.core.rollout.notifications import (
    EmailChannel,
    Occasion,
    Security,
    SlackChannel,
    WebhookChannel,
)
from crossfade.testing.clock import FakeClock
from crossfade.testing.fake_notifier import FakeNotifier
from crossfade.testing.fake_secrets import FakeSecrets
from crossfade.testing.http_service import Reply, http_service
from crossfade.testing.smtp_service import smtp_service

MESSAGE = Message(
    "key", Occasion.STARTED, "title", "text", RolloutFacts("colors", 1, "text", 1000.0)
)


@dataclass
class Receiver:
    """A notifier with one channel, and what a test arranges at its other end."""

    notifier: Any
    channel: Any
    received: Any
    fail: Any
    """Called with "later" or "never"."""


def in_memory():
    notifier = FakeNotifier()
    channel = SlackChannel("http://x")

    def fail(when):
        error = Unavailable("busy", hint="wait") if when == "later" else InputError("no", hint="no")
        notifier.failing = [(channel, error)]

    return Receiver(notifier, channel, lambda: len(notifier.sent), fail)


@pytest.fixture(params=["memory", "slack", "webhook", "email"])
async def receiver(request):
    """Every kind of channel."""
    if request.param == "memory":
        yield in_memory()
        return
    async with http_service() as service, smtp_service() as mail:
        notifier = ChannelNotifier(FakeSecrets(url=service.address), FakeClock())
        channel, received = {
            "slack": (SlackChannel(SecretRef("url")), lambda: len(service.asked)),
            "webhook": (WebhookChannel(Endpoint(SecretRef("url"))), lambda: len(service.asked)),
            "email": (
                EmailChannel("127.0.0.1", "a@x.test", ("b@x.test",), mail.port, Security.NONE),
                lambda: len(mail.mails),
            ),
        }[request.param]

        def fail(when):
            service.say(Reply(503 if when == "later" else 410))
            mail.answers = {"RCPT": "450 later" if when == "later" else "550 never"}

        yield Receiver(notifier, channel, received, fail)
        await notifier.close()


async def test_a_message_arrives(receiver):
    await receiver.notifier.send(receiver.channel, MESSAGE)
    assert receiver.received() == 1


async def test_a_receiver_in_trouble_is_worth_another_try(receiver):
    receiver.fail("later")
    with pytest.raises(Unavailable) as raised:
        await receiver.notifier.send(receiver.channel, MESSAGE)
    assert raised.value.hint


async def test_a_receiver_that_will_never_take_it_is_told_apart(receiver):
    receiver.fail("never")
    with pytest.raises(InputError) as raised:
        await receiver.notifier.send(receiver.channel, MESSAGE)
    assert raised.value.hint
