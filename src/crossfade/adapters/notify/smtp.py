"""Messages as mail, over SMTP."""

import asyncio
import hashlib
import smtplib
import ssl
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime

from crossfade.base.errors import CrossfadeError, Denied, InputError, Unavailable
from crossfade.base.secrets import Secret, masked
from crossfade.core.rollout.messages import Message
from crossfade.core.rollout.notifications import EmailChannel, Security
from crossfade.ports.secrets import Secrets


class MailMessages:
    """Sends mail; each message over a connection of its own."""

    def __init__(
        self, secrets: Secrets, seconds: float = 20.0, trust: ssl.SSLContext | None = None
    ) -> None:
        """`seconds` is the deadline of each step; `trust` replaces the system's authorities."""
        self._secrets, self._seconds, self._trust = secrets, seconds, trust

    async def send(self, channel: EmailChannel, message: Message) -> None:
        """Deliver the message; see the port Notifier for errors."""
        password = None
        if channel.password is not None:
            password = await self._secrets.resolve(channel.password)
        if password is not None and channel.security is Security.NONE:
            raise InputError(
                "a password is not sent over an open connection",
                hint="set `security: starttls` or `security: tls`, or leave user and password out",
                server=f"{channel.host}:{channel.port}",
            )
        mail = composed(channel, message)
        try:
            # smtplib blocks; each of its steps has the deadline.
            await asyncio.to_thread(self._deliver, channel, password, mail)
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise _refusal(error, channel, password) from None

    def _deliver(self, channel: EmailChannel, password: Secret | None, mail: EmailMessage) -> None:
        trust = self._trust or ssl.create_default_context()
        with self._connected(channel, trust) as server:
            if channel.security is Security.STARTTLS:
                server.starttls(context=trust)
            if password is not None:
                server.login(channel.user, password.reveal())
            server.send_message(mail)

    def _connected(self, channel: EmailChannel, trust: ssl.SSLContext) -> smtplib.SMTP:
        if channel.security is Security.TLS:
            return smtplib.SMTP_SSL(
                channel.host, channel.port, timeout=self._seconds, context=trust
            )
        return smtplib.SMTP(channel.host, channel.port, timeout=self._seconds)


def composed(channel: EmailChannel, message: Message) -> EmailMessage:
    """Return the mail; its id is made of the message's key, so that doubles are dropped."""
    mail = EmailMessage()
    mail["From"] = _line(channel.sender)
    mail["To"] = ", ".join(_line(each) for each in channel.recipients)
    mail["Subject"] = _line(message.title)[:200]
    mail["Date"] = format_datetime(datetime.fromtimestamp(message.facts.at, UTC))
    mail["Message-ID"] = f"<{hashlib.sha256(message.key.encode()).hexdigest()[:32]}@crossfade>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(f"{message.text}\n")
    return mail


def _line(text: str) -> str:
    """Return the text on one line: a line end in a header would begin another header."""
    return " ".join(text.split())


def _refusal(error: Exception, channel: EmailChannel, password: Secret | None) -> CrossfadeError:
    secrets = () if password is None else (password,)
    words, server = masked(_words(error), secrets), f"{channel.host}:{channel.port}"
    match error:
        case smtplib.SMTPAuthenticationError():
            return Denied(
                f"the mail server refuses user and password: {words}",
                hint="check the user, and the password in the secret store",
                server=server,
            )
        case smtplib.SMTPNotSupportedError():
            return InputError(
                f"the mail server cannot do what is asked of it: {words}",
                hint="choose `security` as the server offers it; nothing is sent in the open",
                server=server,
            )
        case _ if _is_final(error):
            return InputError(
                f"the mail server refuses the mail: {words}",
                hint="check sender and recipients",
                server=server,
            )
        case _:
            return Unavailable(
                f"the mail server cannot be reached: {words}",
                hint="it is tried again by itself; check host, port and `security` if it goes on",
                server=server,
            )


def _is_final(error: Exception) -> bool:
    """Say whether the server will never take the mail: codes from 500 on say so."""
    match error:
        case smtplib.SMTPRecipientsRefused():
            return all(code >= 500 for code, _ in error.recipients.values())
        case smtplib.SMTPResponseException():
            return error.smtp_code >= 500
        case _:
            return isinstance(error, ValueError) and not isinstance(error, OSError)


def _words(error: Exception) -> str:
    match error:
        case smtplib.SMTPRecipientsRefused():
            refused = error.recipients.items()
            return "; ".join(f"{who}: {code} {_decoded(said)}" for who, (code, said) in refused)
        case smtplib.SMTPResponseException():
            return f"{error.smtp_code} {_decoded(error.smtp_error)}"
        case TimeoutError():
            return "no answer in time"
        case _:
            return str(error) or type(error).__name__


def _decoded(said: bytes | str) -> str:
    return said.decode(errors="replace") if isinstance(said, bytes) else said
