"""Notifications in files: their keys, and what the core makes of them."""

from typing import cast

from crossfade.adapters.documents.gates_shape import NAME
from crossfade.adapters.documents.shapes import (
    Choice,
    Field,
    ListOf,
    Number,
    OneKey,
    Places,
    Read,
    Record,
    Text,
    given,
)
from crossfade.adapters.documents.webhook_shape import (
    ADDRESS,
    SECRET,
    WEBHOOK,
    NamedList,
    address,
    endpoint,
    secret,
)
from crossfade.base.errors import InputError
from crossfade.core.rollout.messages import FIELDS, check_templates
from crossfade.core.rollout.notifications import (
    IMPORTANT,
    Channel,
    EmailChannel,
    Notification,
    Occasion,
    Security,
    SlackChannel,
    WebhookChannel,
)

_MAIL = Text("a mail address", r"[^@\s,;<>]+@[^@\s,;<>]+", 254)
_TEMPLATE = Text(f"text, with {{{{NAME}}}} for one of {', '.join(FIELDS)}", longest=4000)


def _check_email(email: Read, places: Places) -> None:
    if "user" in email and "password" not in email:
        places.wrong("user", "goes with a `password`, which is a reference to a secret")
    if "password" in email and "user" not in email:
        places.wrong("password", "goes with a `user`")
    if "password" in email and email.get("security") == Security.NONE:
        places.wrong("security", "must be starttls or tls: a password is not sent in the open")


EMAIL = Record(
    {
        "host": Field(Text("a host name", r"[A-Za-z0-9.:-]+", 253), "Mail server.", required=True),
        "port": Field(Number(1, 65535), "Of the mail server.", default="587"),
        "security": Field(
            Choice(tuple(Security)),
            "How the connection is protected; without what is asked for, nothing is sent.",
            default="starttls",
        ),
        "user": Field(Text("text"), "Name to log in with.", default="no login"),
        "password": Field(SECRET, "Password to log in with."),
        "from": Field(_MAIL, "Sender.", required=True),
        "to": Field(ListOf(_MAIL, "a list of mail addresses"), "Recipients.", required=True),
    },
    check=_check_email,
)


def _check(notification: Read, places: Places) -> None:
    OneKey(("slack", "webhook", "email"), "a notification")(notification, places)
    for key in ("title", "text"):
        try:
            check_templates(
                Notification("", SlackChannel(""), title=str(notification.get(key, "")))
            )
        except InputError as error:
            places.wrong(key, f"{error.what}; {error.hint}")


NOTIFICATION = Record(
    {
        "name": Field(NAME, "Names the channel in the history.", required=True),
        "slack": Field(
            Record({"url": Field(ADDRESS, "The incoming webhook.", required=True)}),
            "Slack, or what imitates its incoming webhooks.",
        ),
        "webhook": Field(WEBHOOK, "Any service that takes JSON."),
        "email": Field(EMAIL, "Mail over SMTP."),
        "on": Field(
            ListOf(Choice(tuple(Occasion)), f"a list of {', '.join(Occasion)}"),
            "What is told.",
            default=", ".join(IMPORTANT),
        ),
        "title": Field(_TEMPLATE, "Title of each message.", default="ours"),
        "text": Field(_TEMPLATE, "Text of each message.", default="ours"),
    },
    check=_check,
)
NOTIFICATIONS = NamedList(
    NOTIFICATION, "a list, as `- {name: team, slack: {url: {secret: slack-url}}}`"
)


def notifications(value: object) -> tuple[Notification, ...]:
    """Return the notifications that were read with NOTIFICATIONS."""
    return tuple(_notification(each) for each in cast("tuple[Read, ...]", value))


def _notification(read: Read) -> Notification:
    on: tuple[Occasion, ...] = IMPORTANT
    if "on" in read:
        on = tuple(Occasion(str(each)) for each in cast("tuple[object, ...]", read["on"]))
    more = given(read, {"title": "title", "text": "text"})
    return Notification(
        str(read["name"]),
        _channel(read),
        on,
        **more,  # type: ignore[arg-type]
    )


def _channel(read: Read) -> Channel:
    if "slack" in read:
        return SlackChannel(address(cast(Read, read["slack"])["url"]))
    if "webhook" in read:
        return WebhookChannel(endpoint(read["webhook"]))
    email = cast(Read, read["email"])
    more = given(email, {"port": "port", "user": "user"})
    return EmailChannel(
        host=str(email["host"]),
        sender=str(email["from"]),
        recipients=tuple(str(each) for each in cast("tuple[object, ...]", email["to"])),
        security=Security(str(email.get("security", Security.STARTTLS))),
        password=secret(email["password"]) if "password" in email else None,
        **more,  # type: ignore[arg-type]
    )
