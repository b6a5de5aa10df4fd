"""Accounts, secrets, the identity provider and the audit log of a hub, over HTTP."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from crossfade.base.codec import from_json
from crossfade.base.secrets import Secret
from crossfade.core.access.audit import Entry
from crossfade.core.access.roles import Grant
from crossfade.core.access.sign_on import Provider
from crossfade.engine.audit import Verified
from crossfade.engine.people import Person
from crossfade.engine.secret_commands import Rotation, SecretView
from crossfade.remote.client import API, Part, segment

_MOST = 500


@dataclass(frozen=True)
class RemotePeople(Part):
    """The accounts."""

    async def all(self) -> tuple[Person, ...]:
        """Return all accounts, by name."""
        return tuple(from_json(Person, each) for each in await self.client.get(f"{API}/accounts"))

    async def add(
        self, name: str, grants: Sequence[Grant], password: Secret | None
    ) -> Secret | None:
        """Make an account; return its password, this once, when none was given."""
        body = {"name": name, "grants": _grants(grants)} | _password(password)
        return _made(await self.client.post(f"{API}/accounts", body))

    async def grant(self, name: str, grants: Sequence[Grant]) -> Person:
        """Give the account other rights."""
        return await self._change(name, {"grants": _grants(grants)})

    async def disable(self, name: str) -> Person:
        """Have the account count no more."""
        return await self._change(name, {"disabled": True})

    async def enable(self, name: str) -> Person:
        """Have the account count again."""
        return await self._change(name, {"disabled": False})

    async def set_password(self, name: str, password: Secret, *, keep_tokens: bool = False) -> None:
        """Give the account another password; its browsers and its tokens are out."""
        body = _password(password) | {"keep_tokens": keep_tokens}
        await self.client.post(f"{API}/accounts/{segment(name)}/password", body)

    async def _change(self, name: str, change: object) -> Person:
        path = f"{API}/accounts/{segment(name)}"
        return from_json(Person, await self.client.send("PATCH", path, change))


@dataclass(frozen=True)
class RemoteSecrets(Part):
    """The secrets of the store."""

    async def all(self) -> tuple[SecretView, ...]:
        """Return all secrets, by name."""
        found = await self.client.get(f"{API}/secrets")
        return tuple(from_json(SecretView, each) for each in found)

    async def set(self, name: str, value: Secret) -> bool:
        """Keep the value, sealed; return whether there was one before."""
        self.client.carry({}, value)
        path, body = f"{API}/secrets/{segment(name)}", {"value": value.reveal()}
        return bool((await self.client.send("PUT", path, body))["change"] == "changed")

    async def remove(self, name: str) -> None:
        """Forget the secret."""
        await self.client.ask("DELETE", f"{API}/secrets/{segment(name)}")

    async def rotate(self) -> Rotation:
        """Have a new key seal from now on, and seal everything again with it."""
        return from_json(Rotation, await self.client.post(f"{API}/secrets/rotation"))

    async def seal_again(self) -> Rotation:
        """Seal everything again that is not sealed with the newest key."""
        body = {"only_seal": True}
        return from_json(Rotation, await self.client.post(f"{API}/secrets/rotation", body))


@dataclass(frozen=True)
class RemoteSignOn(Part):
    """The identity provider."""

    async def find(self) -> Provider | None:
        """Return the provider, None when there is none."""
        found = await self.client.get(f"{API}/identity-provider")
        return from_json(Provider, found) if found else None

    async def set(self, provider: Provider) -> None:
        """Have people sign in by this provider."""
        groups = {name: _grants(grants) for name, grants in provider.groups.items()}
        body = asdict(provider) | {"groups": groups, "scopes": list(provider.scopes)}
        await self.client.send("PUT", f"{API}/identity-provider", body)

    async def remove(self) -> None:
        """Have nobody sign in so any more."""
        await self.client.ask("DELETE", f"{API}/identity-provider")


@dataclass(frozen=True)
class RemoteAudit(Part):
    """The audit log."""

    async def latest(self, limit: int) -> tuple[Entry, ...]:
        """Return so many of the newest entries at most, the newest last."""
        found: list[Entry] = []
        after = "0"
        while after and len(found) < limit:
            some = {"limit": str(min(_MOST, limit - len(found))), "after": after}
            page = await self.client.get(f"{API}/audit/newest", **some)
            found += [from_json(Entry, each) for each in page["items"]]
            after = page["next"]
        return tuple(reversed(found))

    async def verify(self) -> Verified:
        """Return what is wrong with the log."""
        return from_json(Verified, await self.client.get(f"{API}/audit/verification"))


def _grants(grants: Sequence[Grant]) -> list[dict[str, str]]:
    return [
        {"role": each.role.value, "application": each.application, "cluster": each.cluster}
        for each in grants
    ]


def _password(password: Secret | None) -> dict[str, str]:
    return {"password": password.reveal()} if password else {}


def _made(answer: Any) -> Secret | None:  # noqa: ANN401 - JSON of any form
    return Secret(answer["password"]) if answer["password"] else None
