"""Messages to Slack."""

import logging

import pytest

from crossfade.adapters.notify.slack import SlackMessages
from crossfade.base.errors import Denied, InputError, NotFound, Unavailable
from crossfade.base.secrets import SecretRef
from crossfade.core.rollout.notifications import SlackChannel
from crossfade.testing.clock import FakeClock
from crossfade.testing.http_service import Reply

CHANNEL = SlackChannel(SecretRef("url"))


@pytest.fixture
async def slack(secrets):
    made = SlackMessages(secrets, FakeClock())
    yield made
    await made.close()


async def test_a_message_is_shown_as_it_is_and_calls_nobody(service, slack, message):
    service.say(Reply(200, "ok"))
    await slack.send(CHANNEL, message)
    asked = service.asked[0]
    assert asked.path == "/services/T0/B0/XYZ"
    text = asked.json()["text"]
    assert "&lt;!channel&gt; &amp; more" in text
    assert text.startswith("*colors: ")
    assert text.split("\n")[0].count("*") == 2


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(404, "channel_not_found"), InputError),
        (Reply(410, "channel_is_archived"), InputError),
        (Reply(400, "invalid_payload"), InputError),
        (Reply(403, "action_prohibited"), Denied),
        (Reply(429, "rate_limited", {"Retry-After": "30"}), Unavailable),
        (Reply(500, "rollup_error"), Unavailable),
    ],
)
async def test_a_refusal_is_told_without_the_address_that_is_a_secret(
    service, slack, message, caplog, reply, error
):
    caplog.set_level(logging.DEBUG)
    service.say(reply)
    with pytest.raises(error, match=str(reply.body)) as raised:
        await slack.send(CHANNEL, message)
    for text in (str(raised.value), raised.value.hint, caplog.text):
        assert "XYZ" not in text


async def test_a_missing_secret_is_named(slack, message):
    with pytest.raises(NotFound, match="other-url"):
        await slack.send(SlackChannel(SecretRef("other-url")), message)
