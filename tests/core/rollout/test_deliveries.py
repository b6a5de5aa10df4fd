"""Messages on their way."""

from dataclasses import replace

from crossfade.base.codec import from_json, to_json
from crossfade.base.secrets import SecretRef
from crossfade.core.rollout.deliveries import (
    GIVE_UP_SECONDS,
    LONGEST_PAUSE_SECONDS,
    Delivery,
    failed,
    is_over,
)
from crossfade.core.rollout.messages import Message, RolloutFacts
from crossfade.core.rollout.notifications import Occasion, SlackChannel

FACTS = RolloutFacts("colors", 1, "why", 1000.0, {"percent": 5})
MESSAGE = Message("colors/team/3", Occasion.STARTED, "title", "text", FACTS)
DELIVERY = Delivery("colors", "team", 3, SlackChannel(SecretRef("url")), MESSAGE, 1000.0)


def test_pauses_double_and_have_an_end():
    pauses, delivery, now = [], DELIVERY, 1000.0
    for _ in range(2000):
        delivery = failed(delivery, now, "no answer")
        pauses.append(delivery.next_at - now)
        now = delivery.next_at
    assert pauses[:4] == [2, 4, 8, 16]
    assert max(pauses) == LONGEST_PAUSE_SECONDS
    assert delivery.attempts == 2000


def test_a_message_is_given_up_after_a_day_and_not_before():
    assert not is_over(DELIVERY, 1000.0 + GIVE_UP_SECONDS)
    assert is_over(DELIVERY, 1001.0 + GIVE_UP_SECONDS)


def test_what_waits_is_kept_over_a_restart_without_the_secret():
    stored = to_json(replace(DELIVERY, attempts=2))
    assert from_json(Delivery, stored) == replace(DELIVERY, attempts=2)
    assert stored["channel"]["url"]["name"] == "url"
