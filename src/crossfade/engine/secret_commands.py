"""Secrets as people set and remove them; nobody reads their values here."""

import asyncio
from dataclasses import dataclass
from functools import partial

from crossfade.base.clock import Clock
from crossfade.base.codec import from_json, to_json
from crossfade.base.errors import NotFound
from crossfade.base.secrets import Secret
from crossfade.core.access.secret_names import secret_name
from crossfade.engine.pipelines.records import Builds
from crossfade.engine.pipelines.shared_configurations import SharedConfigurations
from crossfade.engine.retries import again_on_conflict
from crossfade.ports.documents import Documents, Event, Remove, Save
from crossfade.ports.sealing import SEALED, Sealed, Sealing


@dataclass(frozen=True, slots=True)
class SecretView:
    """A secret without its value."""

    name: str
    at: float
    """When its value was set."""
    key: str
    """Id of the key that it is sealed with."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """What became of a new key."""

    key: str
    sealed_again: int


@dataclass(frozen=True, slots=True)
class SecretCommands:
    """Commands over the store; `documents` say who gives them."""

    documents: Documents
    sealing: Sealing
    clock: Clock

    async def all(self) -> tuple[SecretView, ...]:
        """Return all secrets, by name."""
        views = []
        for each in await self.documents.list(SEALED):
            sealed = from_json(Sealed, each.body)
            views.append(SecretView(each.name, sealed.at, sealed.key))
        return tuple(views)

    async def set(self, name: str, value: Secret) -> bool:
        """Keep the value, sealed; return whether there was one before.  Raises InputError."""
        secret_name(name)
        return await again_on_conflict(lambda: self._set(name, value))

    async def _set(self, name: str, value: Secret) -> bool:
        stored = await self.documents.get(SEALED, name)
        now = self.clock.now()
        sealed = await asyncio.to_thread(self.sealing.seal, name, value, now)
        version = stored.version if stored else 0
        event = Event(f"secret/{name}", now, "changed" if stored else "set", {})
        await self.documents.commit((Save(SEALED, name, version, to_json(sealed)),), (event,))
        return stored is not None

    async def remove(self, name: str) -> None:
        """Forget the secret.  Raises NotFound."""
        stored = await self.documents.get(SEALED, name)
        if stored is None:
            known = ", ".join(each.name for each in await self.all()) or "none"
            raise NotFound(f"there is no secret `{name}`", hint=f"kept in the store: {known}")
        event = Event(f"secret/{name}", self.clock.now(), "removed", {})
        await self.documents.commit((Remove(SEALED, name, stored.version),), (event,))

    async def rotate(self) -> Rotation:
        """Have a new key seal from now on, and seal everything again with it."""
        await asyncio.to_thread(self.sealing.rotate)
        newest = await asyncio.to_thread(self.sealing.newest)
        event = Event(f"secret-key/{newest}", self.clock.now(), "seals from now on", {})
        await self.documents.commit((), (event,))
        return await self.seal_again()

    async def seal_again(self) -> Rotation:
        """
        Seal everything again that is not sealed with the newest key.

        It may be repeated, and goes on where one before it was stopped.
        """
        newest = await asyncio.to_thread(self.sealing.newest)
        names = [each.name for each in await self.all() if each.key != newest]
        for name in names:
            await again_on_conflict(partial(self._seal_again, name, newest))
        shared = SharedConfigurations(Builds(self.documents), lambda: self.sealing, self.clock)
        return Rotation(newest, len(names) + await shared.seal_again())

    async def _seal_again(self, name: str, newest: str) -> None:
        stored = await self.documents.get(SEALED, name)
        sealed = from_json(Sealed, stored.body) if stored else None
        if stored is None or sealed is None or sealed.key == newest:
            return  # removed or set meanwhile
        value = await asyncio.to_thread(self.sealing.open, name, sealed)
        again = await asyncio.to_thread(self.sealing.seal, name, value, sealed.at)
        event = Event(f"secret/{name}", self.clock.now(), "sealed again with another key", {})
        change = Save(SEALED, name, stored.version, to_json(again))
        await self.documents.commit((change,), (event,))
