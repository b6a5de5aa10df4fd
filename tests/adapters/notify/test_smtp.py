"""Messages as mail."""

from dataclasses import replace

import pytest

from crossfade.adapters.notify.smtp import MailMessages
from crossfade.base.errors import Denied, InputError, Unavailable
from crossfade.base.secrets import SecretRef
from crossfade.core.rollout.notifications import EmailChannel, Security
from crossfade.testing.smtp_service import smtp_service

LOGIN = ("me", "p4ss")


def channel(server, security=Security.NONE, **more):
    return EmailChannel(
        "127.0.0.1", "crossfade@x.test", ("a@x.test", "b@x.test"), server.port, security, **more
    )


@pytest.fixture
def mail(secrets, trust):
    return MailMessages(secrets, seconds=2.0, trust=trust.client)


async def test_a_mail_says_what_happened_to_all_recipients(mail, message):
    async with smtp_service() as server:
        await mail.send(channel(server), message)
        (got,) = server.mails
        assert got["Subject"] == "colors: *r2* was rolled back"
        assert got["To"] == "a@x.test, b@x.test"
        assert message.text in got.get_content()
        assert [each for each in server.said if each.upper().startswith("RCPT")] == [
            "rcpt TO:<a@x.test>",
            "rcpt TO:<b@x.test>",
        ]


async def test_a_mail_that_is_sent_twice_has_one_id_so_that_doubles_are_dropped(mail, message):
    async with smtp_service() as server:
        await mail.send(channel(server), message)
        await mail.send(channel(server), message)
        await mail.send(channel(server), replace(message, key="another"))
        ids = [each["Message-ID"] for each in server.mails]
        assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
async def test_user_and_password_go_over_an_encrypted_connection_only(
    mail, message, trust, security
):
    options = {"offers_tls" if security is Security.STARTTLS else "tls": trust.server}
    async with smtp_service(login=LOGIN, **options) as server:
        await mail.send(
            channel(server, security, user="me", password=SecretRef("password")), message
        )
        assert len(server.mails) == 1
        commands = [each.split(" ")[0].upper() for each in server.said]
        assert "AUTH" in commands
        if security is Security.STARTTLS:
            assert commands.index("STARTTLS") < commands.index("AUTH")


async def test_a_password_is_not_sent_in_the_open_even_if_asked_to(mail, message):
    async with smtp_service(login=LOGIN) as server:
        with pytest.raises(InputError, match="open connection"):
            await mail.send(channel(server, user="me", password=SecretRef("password")), message)
        assert server.said == []


async def test_a_server_without_starttls_gets_nothing_in_the_open(mail, message):
    async with smtp_service() as server:
        with pytest.raises(InputError, match="STARTTLS"):
            await mail.send(channel(server, Security.STARTTLS), message)
        assert server.mails == []


async def test_a_server_with_a_certificate_of_somebody_else_gets_nothing(secrets, message, trust):
    async with smtp_service(offers_tls=trust.server) as server:
        with pytest.raises(Unavailable, match=r"(?i)certificate"):
            await MailMessages(secrets, 2.0).send(channel(server, Security.STARTTLS), message)
        assert server.mails == []


async def test_a_wrong_password_is_told_without_being_shown(mail, message, trust, secrets):
    secrets.values["password"] = "wr0ng"
    async with smtp_service(offers_tls=trust.server, login=LOGIN) as server:
        with pytest.raises(Denied, match="535") as raised:
            await mail.send(
                channel(server, Security.STARTTLS, user="me", password=SecretRef("password")),
                message,
            )
        assert "wr0ng" not in str(raised.value)


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ({"RCPT": "550 no such user"}, InputError),
        ({"RCPT": "450 try later"}, Unavailable),
        ({"MAIL": "553 sender not allowed"}, InputError),
        ({"DATA": "451 disk full"}, Unavailable),
        ({"EHLO": "554 go away", "HELO": "554 go away"}, InputError),
    ],
)
async def test_what_a_server_refuses_for_good_is_told_apart_from_what_it_may_take_later(
    mail, message, answers, error
):
    async with smtp_service() as server:
        server.answers = answers
        with pytest.raises(error, match=next(iter(answers.values()))[4:]):
            await mail.send(channel(server), message)


async def test_nobody_at_the_address_is_unavailable(mail, message):
    with pytest.raises(Unavailable):
        await mail.send(
            EmailChannel("127.0.0.1", "a@x.test", ("b@x.test",), 1, Security.NONE), message
        )


async def test_a_title_with_line_ends_cannot_add_headers(mail, message):
    async with smtp_service() as server:
        await mail.send(channel(server), replace(message, title="a\r\nBcc: evil@x.test\n\nb"))
        (got,) = server.mails
        assert got["Bcc"] is None
        assert got["Subject"] == "a Bcc: evil@x.test b"
