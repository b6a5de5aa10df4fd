"""Messages to any service."""

import pytest

from crossfade.adapters.notify.posting import signature
from crossfade.adapters.notify.webhook import WebhookMessages
from crossfade.base.errors import InputError, Unavailable
from crossfade.base.secrets import SecretRef
from crossfade.core.rollout.gates import Endpoint
from crossfade.core.rollout.notifications import WebhookChannel
from crossfade.testing.clock import FakeClock
from crossfade.testing.http_service import Reply


@pytest.fixture
async def webhook(secrets):
    made = WebhookMessages(secrets, FakeClock(1000.0))
    yield made
    await made.close()


async def test_a_service_gets_the_message_with_its_facts_and_can_check_whose_it_is(
    service, webhook, message
):
    endpoint = Endpoint(service.address, {"X-Team": "a"}, SecretRef("signing-key"))
    await webhook.send(WebhookChannel(endpoint), message)
    asked = service.asked[0]
    body = asked.json()
    assert (body["occasion"], body["application"], body["percent"]) == ("rolled-back", "colors", 50)
    assert body["key"] == asked.headers["idempotency-key"] == message.key
    assert asked.headers["x-team"] == "a"
    assert asked.headers["x-crossfade-signature"] == signature("k3y", "1000", asked.body)


def test_a_signature_can_be_checked_with_openssl_and_changes_with_key_time_and_body():
    # The expected one is from `printf '1000.{}' | openssl dgst -sha256 -hmac k3y`.
    expected = "sha256=1745eb743a553a59c0eb46b7ce1ba94470ad59efed69b3b0615ec42b0776630c"
    assert signature("k3y", "1000", b"{}") == expected
    assert signature("k3y", "1000", b"{}") != signature("k3y", "1001", b"{}")
    assert signature("k3y", "1000", b"{}") != signature("key", "1000", b"{}")
    assert signature("k3y", "1000", b"{}") != signature("k3y", "1000", b"{ }")


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (404, InputError),
        (410, InputError),
        (400, InputError),
        (500, Unavailable),
        (409, Unavailable),
    ],
)
async def test_what_will_never_be_taken_is_told_apart_from_what_may_be_later(
    service, webhook, message, status, error
):
    service.say(Reply(status))
    with pytest.raises(error):
        await webhook.send(WebhookChannel(Endpoint(service.address)), message)
