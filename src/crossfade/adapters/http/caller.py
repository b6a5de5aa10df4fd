"""Requests to services of others: a deadline, a limit on the answer, and errors without secrets."""

import asyncio
import json
import logging
import os
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from crossfade.base.errors import CrossfadeError, Denied, InputError, Unavailable
from crossfade.base.secrets import Secret, masked

if TYPE_CHECKING:
    import httpx

LARGEST_BYTES = 16 << 20
"""An answer that is longer is not read: it would be no measurement."""

_TRUSTED = ("SSL_CERT_FILE", "SSL_CERT_DIR")
"""Variables by which httpx finds the authorities to trust."""
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


Into = Callable[[bytes], object]
"""Takes a large body, which is not kept."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request."""

    url: str
    method: str = "GET"
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    secrets: tuple[Secret, ...] = ()
    """What in URL, headers or body must not be shown in any error."""

    def shown(self, text: str) -> str:
        """Return the text without the call's secrets."""
        return masked(text, self.secrets)

    @property
    def place(self) -> str:
        """The address without user, query and secrets, for people."""
        parts = urlsplit(self.url)
        host = parts.netloc.rpartition("@")[2]
        return self.shown(f"{parts.scheme}://{host}{parts.path}")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    text: str
    headers: Mapping[str, str]

    def json(self) -> Any:  # noqa: ANN401 - whatever the service says
        """Return the body as JSON, None when it is none."""
        try:
            return json.loads(self.text)
        except ValueError:
            return None


class HttpCaller:
    """Made once and shared: it keeps connections open.  Redirects are answers, not followed."""

    def __init__(self, seconds: float = 10.0, ca_file: str = "") -> None:
        """`seconds` is the deadline of each call; `ca_file` has the authorities to trust."""
        self.seconds = seconds
        self._ca_file = ca_file
        self._client: httpx.AsyncClient | None = None

    async def send(
        self, call: Call, seconds: float | None = None, into: Into | None = None
    ) -> Answer:
        """
        Return the answer, of any status; a good one is given to `into`, piece by piece, if any.

        Raises Unavailable without an answer, InputError.
        """
        import httpx

        seconds = self.seconds if seconds is None else seconds
        try:
            request = self._opened().build_request(
                call.method,
                call.url,
                params=dict(call.params) or None,
                headers=dict(call.headers),
                content=call.body or None,
            )
        except (httpx.InvalidURL, TypeError, ValueError) as error:
            raise _unusable(call, str(error)) from None
        try:
            async with asyncio.timeout(seconds):
                return await self._exchange(request, into)
        except httpx.UnsupportedProtocol as error:
            raise _unusable(call, str(error)) from None
        except TimeoutError:
            raise _silent(call, f"no answer in {seconds:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            # From nothing: what httpx raises carries the request, and that its secrets.
            raise _silent(call, str(error) or type(error).__name__) from None

    async def close(self) -> None:
        """Close the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _exchange(self, request: "httpx.Request", into: Into | None) -> Answer:
        answer = await self._opened().send(request, stream=True)
        try:
            body = bytearray()
            async for piece in answer.aiter_bytes():
                if into is not None and answer.is_success:
                    into(piece)
                    continue
                body += piece
                if len(body) > LARGEST_BYTES:
                    raise OSError(f"the answer is longer than {LARGEST_BYTES >> 20} MiB")
        finally:
            await answer.aclose()
        text = bytes(body).decode(answer.charset_encoding or "utf-8", errors="replace")
        return Answer(answer.status_code, text, answer.headers)

    def _opened(self) -> "httpx.AsyncClient":
        if self._client is None:
            import httpx

            logging.getLogger("httpx").addFilter(_unlogged)
            trust = self._trust()
            self._client = httpx.AsyncClient(
                verify=trust,
                timeout=None,  # noqa: S113 - each call has one deadline for all of it
                # A proxy of the environment is for what is outside of this machine.
                mounts={
                    f"all://{host}": httpx.AsyncHTTPTransport(verify=trust) for host in _LOOPBACK
                },
            )
        return self._client

    def _trust(self) -> ssl.SSLContext:
        if not self._ca_file:
            return _usual_trust(*(os.environ.get(each, "") for each in _TRUSTED))
        try:
            return ssl.create_default_context(cafile=self._ca_file)
        except (OSError, ssl.SSLError) as error:
            raise InputError(
                f"the file of certificate authorities cannot be read: {error}",
                hint="give the path of a PEM file, absolute",
                file=self._ca_file,
            ) from error


@lru_cache(maxsize=4)
def _usual_trust(*_where: str) -> ssl.SSLContext:
    """Return what httpx trusts, read once: that takes 40 ms, for addresses without TLS too."""
    import httpx

    return httpx.create_ssl_context()


def refused(
    call: Call, answer: Answer, who: str, words: str = "", *, final: tuple[int, ...] = ()
) -> CrossfadeError:
    """
    Return the error for an answer that is no success, with the service's own words.

    400, 422 and the statuses in `final` mean that asking again is of no use.
    """
    said = call.shown(words or answer.text.strip()[:300]) or "no further words"
    what = f"{who} answers {answer.status}: {said}"
    match answer.status:
        case 401 | 403:
            hint = "check the credentials in the secret store, and what they may do"
            return Denied(what, hint=hint, address=call.place)
        case status if status in {400, 422, *final}:
            return InputError(what, hint="mend what the message names", address=call.place)
        case status if 300 <= status < 400:
            hint = "redirects are not followed: give the address that it leads to"
            return InputError(what, hint=hint, address=call.place)
        case _:
            hint = "it is asked again by itself; look at the service if it goes on"
            return Unavailable(what, hint=hint, address=call.place)


def no_json(call: Call, answer: Answer, who: str) -> Unavailable:
    """Return the error for an answer that cannot be read."""
    said = call.shown(answer.text.strip()[:60])
    return Unavailable(
        f"what answers is not {who}: {said!r}",
        hint="check the address: is there a proxy or a login page in between?",
        address=call.place,
    )


def _unlogged(record: logging.LogRecord) -> bool:
    """Keep httpx from logging each address: some are secrets."""
    return record.levelno > logging.INFO


def _silent(call: Call, why: str) -> Unavailable:
    return Unavailable(
        f"no answer: {call.shown(why)}",
        hint="check the address and the network; it is asked again by itself",
        address=call.place,
    )


def _unusable(call: Call, why: str) -> InputError:
    return InputError(
        f"it cannot be asked: {call.shown(why)}",
        hint="give an address such as https://prometheus.example.com:9090",
        address=call.place,
    )
