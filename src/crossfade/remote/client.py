"""One hub over HTTP; its problems become the errors that they were there."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar
from urllib.parse import quote

from crossfade.adapters.http.caller import Answer, Call, HttpCaller, Into
from crossfade.base import tracing
from crossfade.base.codec import from_json
from crossfade.base.errors import CrossfadeError, InputError, Unavailable
from crossfade.base.secrets import Secret

T = TypeVar("T")

API = "/api/v1"
SECONDS = 60.0
"""A deployment renders a chart and asks clusters before it is answered."""
_PAGE = 500
_FILE_SECONDS = 600.0


class HubClient:
    """Asks a hub, with a token or with the cookie of a session."""

    def __init__(self, url: str, token: Secret | None = None) -> None:
        self.url = url
        self._headers = {"Authorization": f"Bearer {token.reveal()}"} if token else {}
        self._secrets = [token] if token else []
        self._caller = HttpCaller(SECONDS)

    async def close(self) -> None:
        """Close the connections."""
        await self._caller.close()

    def carry(self, headers: Mapping[str, str], *secrets: Secret) -> None:
        """Send these headers along with everything from now on."""
        self._headers |= headers
        self._secrets += secrets

    async def get(self, path: str, **params: str) -> Any:  # noqa: ANN401 - JSON of any form
        """Return what is answered, as JSON."""
        return _json(await self.ask("GET", path, params=params))

    async def post(
        self, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> Any:  # noqa: ANN401 - JSON of any form
        """Return what is answered, as JSON."""
        data = json.dumps({} if body is None else body).encode()
        more = {"Content-Type": "application/json", **(headers or {})}
        return _json(await self.ask("POST", path, body=data, headers=more))

    async def send(self, method: str, path: str, body: object) -> Any:  # noqa: ANN401 - JSON of any form
        """Return what is answered to a body of JSON, as JSON."""
        headers, data = {"Content-Type": "application/json"}, json.dumps(body).encode()
        return _json(await self.ask(method, path, body=data, headers=headers))

    async def all(self, path: str, of: type[T]) -> tuple[T, ...]:
        """Return the items of all pages of a list."""
        found: list[T] = []
        after: str | None = ""
        while after is not None:
            page = await self.get(path, limit=str(_PAGE), **({"after": after} if after else {}))
            found += [from_json(of, each) for each in page["items"]]
            after = page["next"]
        return tuple(found)

    async def save(self, path: str, into: Into) -> None:
        """Give what is answered to `into`, piece by piece."""
        call = Call(f"{self.url}{path}", headers=self._headers, secrets=tuple(self._secrets))
        await self._sent(call, into)

    async def ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Answer:
        """Return a good answer.  Raises what went wrong there; Unavailable without an answer."""
        call = Call(
            f"{self.url}{path}",
            method,
            params or {},
            {**self._headers, **tracing.carried(), **(headers or {})},
            body,
            tuple(self._secrets),
        )
        return await self._sent(call)

    async def _sent(self, call: Call, into: Into | None = None) -> Answer:
        try:
            seconds = None if into is None else _FILE_SECONDS
            answer = await self._caller.send(call, seconds, into)
        except Unavailable as error:
            raise Unavailable(
                f"the hub at {self.url} does not answer: {error.what.removeprefix('no answer: ')}",
                hint="`crossfade up` runs one; `--hub local` works on this machine without it",
            ) from None
        if answer.status >= 300:
            raise _problem(self.url, answer)
        return answer


@dataclass(frozen=True)
class Part:
    """A part of a session at a hub; what it does not have is refused."""

    client: HubClient

    def __getattr__(self, name: str) -> NoReturn:
        """Refuse what no request does."""
        raise InputError(
            "this command works on the machine of the hub only, not over HTTP",
            hint="run it there; `--hub local` uses the store of this machine",
        )


def segment(text: str) -> str:
    """Return the text as a part of a path."""
    return quote(text, safe="")


def _json(answer: Answer) -> Any:  # noqa: ANN401 - JSON of any form
    return answer.json() if answer.text else None


def _problem(url: str, answer: Answer) -> CrossfadeError:
    found = answer.json()
    kinds = {each.code: each for each in _kinds(CrossfadeError)}
    if not isinstance(found, dict) or found.get("code") not in {*kinds, "internal"}:
        return Unavailable(
            f"what answers at {url} is no hub of Crossfade: {answer.status}",
            hint="check the address: is there a proxy or another service?",
        )
    kind = kinds.get(found["code"], Unavailable)
    facts = found.get("facts")
    known = facts if isinstance(facts, dict) else {}
    plain = {str(key): value for key, value in known.items() if key not in ("what", "hint")}
    return kind(str(found.get("detail", "")), hint=str(found.get("hint", "")), **plain)


def _kinds(of: type[CrossfadeError]) -> list[type[CrossfadeError]]:
    return [found for each in of.__subclasses__() for found in (each, *_kinds(each))]
