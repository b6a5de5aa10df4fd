"""What is said of a rollout."""

import pytest

from crossfade.base.codec import from_json, to_json
from crossfade.base.errors import InputError
from crossfade.base.secrets import SecretRef
from crossfade.core.rollout.gates import Endpoint
from crossfade.core.rollout.messages import (
    FIELDS,
    Message,
    check_templates,
    facts_of,
    message,
    occasion_of,
)
from crossfade.core.rollout.notifications import (
    EmailChannel,
    Notification,
    Occasion,
    SlackChannel,
    WebhookChannel,
)

AT = 1_795_417_241.0
CHANNEL = SlackChannel(SecretRef("slack-url"))


def event(reason="because", **facts):
    found = facts_of("rollout/colors.000007", AT, reason, facts)
    assert found is not None
    return found


def moved(phase="progressing", percent=10, **more):
    known = {
        "from_phase": "progressing",
        "from_percent": 10,
        "step": 1,
        "outcome": "",
        "pending": [],
    }
    return event(phase=phase, percent=percent, revision="r2", **{**known, **more})


@pytest.mark.parametrize(
    ("facts", "occasion"),
    [
        (event(revision="r2"), Occasion.STARTED),
        (event(), Occasion.COMMAND),
        (moved(percent=50), Occasion.STEP),
        (moved(from_phase="installing", from_percent=0), Occasion.STEP),
        (moved(held=True, from_held=False), Occasion.HELD),
        (moved(held=True, from_held=True), None),
        pytest.param(moved(), None, id="another-figure-in-the-reason-is-no-news"),
        (moved("promoting", 100), Occasion.PROMOTING),
        (moved("promoting", 100, from_phase="promoting", from_percent=100), None),
        (moved("rolling-back", 0), Occasion.ROLLING_BACK),
        (moved("ended", 100, outcome="succeeded", from_phase="promoting"), Occasion.SUCCEEDED),
        (moved("ended", 0, outcome="rolled-back", from_phase="rolling-back"), Occasion.ROLLED_BACK),
        (moved("ended", 0, outcome="superseded"), Occasion.SUPERSEDED),
    ],
)
def test_an_event_is_told_for_what_it_means_to_users(facts, occasion):
    assert occasion_of(facts) is occasion


@pytest.mark.parametrize(
    "subject",
    [
        "cluster/aws",
        "rollout/colors",
        "application/a.1",
        "notification/a.000001/x",
        "rollout/.000001",
        "",
    ],
)
def test_what_is_not_about_a_rollout_is_not_told(subject):
    assert facts_of(subject, AT, "x", {}) is None


def test_an_application_with_a_dot_in_its_name_is_not_cut():
    facts = facts_of("rollout/shop.eu.000012", AT, "x", {})
    assert facts is not None
    assert (facts.application, facts.rollout) == ("shop.eu", 12)


def test_receivers_do_not_get_what_a_decision_was_made_from():
    facts = moved(seen={"sight": {"clusters": ["aws"]}}, pending=["aws"], lists=[{"a": 1}])
    assert facts.as_json()["pending"] == ["aws"]
    assert not {"seen", "lists"} & facts.as_json().keys()


@pytest.mark.parametrize("occasion", Occasion)
def test_every_occasion_has_words_of_its_own_that_can_be_filled(occasion):
    facts = {
        Occasion.STARTED: event(revision="r2"),
        Occasion.COMMAND: event(),
        Occasion.STEP: moved(percent=50),
        Occasion.HELD: moved(held=True),
        Occasion.PROMOTING: moved("promoting", 100),
        Occasion.ROLLING_BACK: moved("rolling-back", 0),
        Occasion.SUCCEEDED: moved(outcome="succeeded"),
        Occasion.ROLLED_BACK: moved(outcome="rolled-back"),
        Occasion.SUPERSEDED: moved(outcome="superseded"),
    }[occasion]
    told = message(Notification("team", CHANNEL, (occasion,)), facts, "key")
    assert told is not None
    assert "colors" in told.title
    assert "{{" not in told.title + told.text


def test_a_template_of_the_users_own_is_used():
    own = Notification(
        "team",
        CHANNEL,
        (Occasion.STEP,),
        "{{application}} at {{ percent }} %",
        "{{at}} {{occasion}} {{pending}}",
    )
    told = message(own, moved(percent=50, pending=["aws", "gcp"]), "key")
    assert told is not None
    assert told.title == "colors at 50 %"
    assert told.text == "2026-11-23 07:00:41 UTC step aws, gcp"


def test_a_share_is_written_as_people_write_it():
    own = Notification("team", CHANNEL, (Occasion.STEP,), "{{from_percent}} to {{percent}}")
    for percent, text in ((20.0, "0 to 20"), (0.5, "0 to 0.5")):
        told = message(own, moved(percent=percent, from_percent=0.0), "key")
        assert told is not None
        assert told.title == text


def test_a_reason_with_braces_is_text_and_no_template():
    own = Notification("team", CHANNEL, (Occasion.HELD,), "{{reason}}")
    told = message(own, moved(held=True, reason="{{revision}} {{x}}"), "key")
    assert told is not None
    assert told.title == "{{revision}} {{x}}"


def test_what_a_channel_does_not_want_to_know_is_not_told():
    assert message(Notification("team", CHANNEL), moved(percent=50), "key") is None
    assert message(Notification("team", CHANNEL, ()), event(revision="r2"), "key") is None


def test_a_misspelt_field_is_refused_when_the_file_is_applied():
    with pytest.raises(InputError) as raised:
        check_templates(Notification("team", CHANNEL, title="{{aplication}}"))
    assert "did you mean `{{application}}`" in raised.value.hint
    check_templates(
        Notification("team", CHANNEL, title=" ".join(f"{{{{{name}}}}}" for name in FIELDS))
    )


def test_a_template_that_was_stored_wrong_still_tells_something():
    told = message(
        Notification("team", CHANNEL, (Occasion.HELD,), "{{nothing}}"), moved(held=True), "key"
    )
    assert told is not None
    assert "{{nothing}}" in told.title


@pytest.mark.parametrize(
    "channel",
    [
        CHANNEL,
        SlackChannel("https://x"),
        WebhookChannel(Endpoint("https://x")),
        EmailChannel("mail", "a@x", ("b@x",)),
    ],
)
def test_notifications_and_messages_survive_the_store(channel):
    notification = Notification("team", channel, (Occasion.STEP,))
    assert from_json(Notification, to_json(notification)) == notification
    told = message(notification, moved(percent=50), "key")
    assert told is not None
    assert from_json(Message, to_json(told)) == told
