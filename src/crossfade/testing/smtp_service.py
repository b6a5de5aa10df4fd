"""A small mail server inside the test's own process."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass(slots=True)
class SmtpService:
    """Takes mail, and remembers it."""

    trust: ssl.SSLContext | None = None
    """Certificate for STARTTLS; None: it is not offered."""
    login: tuple[str, str] | None = None
    """User and password, which are needed then."""
    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    """Commands of clients."""
    answers: dict[str, str] = field(default_factory=dict)
    """Answers to commands in place of the usual ones, as `{"RCPT": "550 no such user"}`."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until it is closed."""
        session = _Session(self, reader, writer)
        try:
            await session.run()
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()


@dataclass(slots=True)
class _Session:
    service: SmtpService
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    encrypted: bool = False

    async def run(self) -> None:
        self.encrypted = self.writer.get_extra_info("sslcontext") is not None
        await self._say("220 test")
        while line := (await self.reader.readline()).decode().strip():
            command = line.split(" ")[0].split(":")[0].upper()
            self.service.said.append(line)
            if command in self.service.answers:
                await self._say(self.service.answers[command])
            elif not await self._answer(command, line):
                return

    async def _answer(self, command: str, line: str) -> bool:
        """Answer one command; False ends the connection."""
        match command:
            case "EHLO":
                await self._say(*self._abilities())
            case "STARTTLS" if self.service.trust is not None:
                await self._say("220 go ahead")
                await self.writer.start_tls(self.service.trust)
                self.encrypted = True
            case "AUTH":
                good = self.service.login == _credentials(line)
                await self._say("235 welcome" if good else "535 5.7.8 bad credentials")
            case "DATA":
                await self._say("354 send it")
                data = await self.reader.readuntil(b"\r\n.\r\n")
                mail = message_from_bytes(data[:-3], policy=policy.default)
                self.service.mails.append(mail)
                await self._say("250 taken")
            case "QUIT":
                await self._say("221 bye")
                return False
            case _:
                await self._say("250 ok")
        return True

    def _abilities(self) -> list[str]:
        offers = ["250-test"]
        if self.service.trust is not None and not self.encrypted:
            offers.append("250-STARTTLS")
        if self.service.login is not None:
            offers.append("250-AUTH PLAIN")
        return [*offers, "250 8BITMIME"]

    async def _say(self, *lines: str) -> None:
        self.writer.write("".join(f"{line}\r\n" for line in lines).encode())
        await self.writer.drain()


@asynccontextmanager
async def smtp_service(
    *,
    offers_tls: ssl.SSLContext | None = None,
    tls: ssl.SSLContext | None = None,
    login: tuple[str, str] | None = None,
) -> AsyncIterator[SmtpService]:
    """Run a mail server on a free port: in the open, with STARTTLS, or over TLS."""
    service = SmtpService(offers_tls, login)
    server = await asyncio.start_server(service.serve, "127.0.0.1", 0, ssl=tls)
    service.port = server.sockets[0].getsockname()[1]
    try:
        yield service
    finally:
        server.close()


def _credentials(line: str) -> tuple[str, str]:
    _, user, password = base64.b64decode(line.split(" ")[2]).decode().split("\0")
    return user, password
