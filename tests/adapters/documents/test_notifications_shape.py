"""Notifications in files."""

import pytest

from crossfade.adapters.documents.notifications_shape import NOTIFICATIONS, notifications
from crossfade.adapters.documents.problems import Problems
from crossfade.adapters.documents.tree import read_tree
from crossfade.base.secrets import SecretRef
from crossfade.core.rollout.gates import Endpoint
from crossfade.core.rollout.notifications import (
    IMPORTANT,
    EmailChannel,
    Notification,
    Occasion,
    Security,
    SlackChannel,
    WebhookChannel,
)


def read(text):
    problems = Problems("file")
    (tree,) = read_tree(text, problems)
    found = NOTIFICATIONS.read(tree, "x", problems)
    return found, [f"{each.path}: {each.message}" for each in problems.found]


def test_channels_of_every_kind_are_taken():
    found, problems = read(
        """
- {name: team, slack: {url: {secret: slack-url}}}
- {name: ops, webhook: {url: "https://x.test"}, on: [step, held], title: "{{application}}", text: "{{reason}}"}
- name: mail
  email:
    {host: smtp.example.com, port: 465, security: tls, user: me, password: {secret: smtp}, from: a@x.test, to: [b@x.test, c@x.test]}
- {name: local, email: {host: localhost, security: none, from: a@x.test, to: [b@x.test]}}
"""
    )
    assert problems == []
    assert notifications(found) == (
        Notification("team", SlackChannel(SecretRef("slack-url")), IMPORTANT),
        Notification(
            "ops",
            WebhookChannel(Endpoint("https://x.test")),
            (Occasion.STEP, Occasion.HELD),
            "{{application}}",
            "{{reason}}",
        ),
        Notification(
            "mail",
            EmailChannel(
                "smtp.example.com",
                "a@x.test",
                ("b@x.test", "c@x.test"),
                465,
                Security.TLS,
                "me",
                SecretRef("smtp"),
            ),
        ),
        Notification(
            "local", EmailChannel("localhost", "a@x.test", ("b@x.test",), security=Security.NONE)
        ),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- {name: a}", "a notification has exactly one of slack, webhook, email"),
        ("- {name: a, slack: {url: 'https://x'}, webhook: {url: 'https://x'}}", "exactly one"),
        ("- {name: a, slack: {url: 'https://x'}, on: [finished]}", "allowed: started, step, held"),
        (
            "- {name: a, slack: {url: 'https://x'}, title: '{{aplication}}'}",
            "x[0].title: `{{aplication}}` has no value; did you mean",
        ),
        (
            "- {name: a, slack: {url: 'https://x'}, text: '{{ .Name }}'}",
            "x[0].text: `{{ .Name }}` is no placeholder",
        ),
        ("- {name: a, email: {host: h, from: a@x, to: [b]}}", "x[0].email.to[0]: "),
        (
            "- {name: a, email: {host: h, from: a@x, to: [b@x], user: me}}",
            "x[0].email.user: goes with a `password`",
        ),
        (
            "- {name: a, email: {host: h, from: a@x, to: [b@x], user: me, password: p4ss}}",
            "x[0].email.password: ",
        ),
        (
            "- {name: a, email: {host: h, from: a@x, to: [b@x], user: me, password: {secret: p}, security: none}}",
            "not sent in the open",
        ),
        (
            "- {name: a, email: {host: h, from: a@x, to: [b@x], password: {secret: p}}}",
            "goes with a `user`",
        ),
    ],
)
def test_what_is_wrong_is_told_at_its_key(text, message):
    _, problems = read(text)
    assert any(message in each for each in problems), problems
