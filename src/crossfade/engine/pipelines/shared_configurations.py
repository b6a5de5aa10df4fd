"""Shared configurations as people make and remove them, and as builds read them."""

import asyncio
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial

from crossfade.base.clock import Clock
from crossfade.base.errors import Conflict, Denied, InputError, NotFound
from crossfade.base.json_value import Json
from crossfade.base.secrets import Secret
from crossfade.core.pipeline.document import Settings
from crossfade.core.pipeline.shared_configuration import (
    SharedKind,
    lists_store,
    masked_data,
    named_anywhere,
    shared_data,
    shared_name,
    shared_variables,
)
from crossfade.core.pipeline.variables import Variable
from crossfade.engine.pipelines.records import Builds, Shared
from crossfade.engine.records import Stored
from crossfade.engine.retries import again_on_conflict
from crossfade.ports.documents import Event
from crossfade.ports.sealing import Sealed, Sealing

Keys = Callable[[], Sealing]
"""Gives the keys that seal and open; they are slow to load, and most builds need none."""


@dataclass(frozen=True, slots=True)
class SharedView:
    """A shared configuration as it may be shown."""

    name: str
    type: SharedKind
    at: float
    """When it was made or changed, in seconds since the Unix epoch."""
    data: Settings
    """Its variables; values of secret ones are `***`."""
    pipelines: tuple[str, ...]
    """Registered pipelines that list it."""


class SharedConfigurations:
    """Commands on shared configurations; the documents of `builds` say who gives them."""

    def __init__(self, builds: Builds, keys: Keys, clock: Clock) -> None:
        self._builds, self._keys, self._clock = builds, keys, clock

    async def all(self) -> tuple[SharedView, ...]:
        """Return all of them, by name."""
        found = await self._builds.all_shared()
        users = await self._users()
        return tuple(_view(each.value, users) for each in found)

    async def show(self, name: str) -> SharedView:
        """Return one of them, without values of secrets.  Raises NotFound, InputError."""
        return _view((await self._builds.shared(shared_name(name))).value, await self._users())

    async def create(
        self, name: str, kind: SharedKind, data: Json, *, again: bool = False
    ) -> SharedView:
        """
        Keep a configuration of this name; with `again` in place of the one that there is.

        Raises InputError, and Conflict when there is one and it is not to be replaced.
        """
        shared_name(name)
        held = shared_data(kind, data)
        if again:
            return await again_on_conflict(lambda: self._create(name, kind, held))
        if name in await self._versions():
            raise Conflict(
                f"there is a shared configuration `{name}` already",
                hint="--replace puts this one in its place",
            )
        return await self._create(name, kind, held)

    async def _versions(self) -> dict[str, int]:
        return {each.value.name: each.version for each in await self._builds.all_shared()}

    async def _create(self, name: str, kind: SharedKind, held: Settings) -> SharedView:
        now, version = self._clock.now(), (await self._versions()).get(name, 0)
        wanted = Shared(name, kind, now, held)
        if kind.is_secret:
            value = Secret(json.dumps(held))
            sealed = await asyncio.to_thread(self._keys().seal, _bound(name), value, now)
            wanted = replace(wanted, data=masked_data(held), sealed=sealed)
        event = self._event(name, f"{'changed' if version else 'made'}, of type {kind}")
        await self._builds.save_shared(version, wanted, event)
        return _view(wanted, await self._users())

    async def remove(self, name: str, *, force: bool = False) -> None:
        """
        Forget a configuration.

        Raises NotFound, InputError, and Conflict while registered pipelines list it, unless forced.
        """
        stored = await self._builds.shared(shared_name(name))
        users = (await self._users()).get(name, ())
        if users and not force:
            raise Conflict(
                f"`{name}` is listed by {', '.join(users)}, whose builds would fail",
                hint="take it out of their `contexts`, or give --force",
            )
        await self._builds.remove_shared(stored, self._event(name, "removed"))

    async def variables(self, names: Iterable[str]) -> dict[str, Variable]:
        """
        Return the variables of these; of one name the configuration that is named last wins.

        Raises InputError when there is no such configuration, Denied when its key is not here.
        """
        found: dict[str, Variable] = {}
        for name in names:
            kind, data = await self.opened(name)
            if kind.is_store:
                raise lists_store(name, kind)
            found |= shared_variables(kind, data)
        return found

    async def opened(self, name: str) -> tuple[SharedKind, Settings]:
        """Return what one of them holds.  Raises InputError, and Denied as `variables`."""
        try:
            shared = (await self._builds.shared(name)).value
        except NotFound as error:  # it is the pipeline that is wrong
            raise InputError(str(error), hint=error.hint) from error
        return shared.kind, await self._opened(shared)

    async def _opened(self, shared: Shared) -> Settings:
        if shared.sealed is None:
            return shared.data
        bound = _bound(shared.name)
        try:
            value = await asyncio.to_thread(self._keys().open, bound, shared.sealed)
        except Denied as error:
            again = f"`crossfade context create {shared.kind} {shared.name} --replace`"
            hint = f"bring its key {shared.sealed.key} back, or {again} with its values"
            raise Denied(f"shared configuration {shared.name}: {error}", hint=hint) from error
        data: Settings = json.loads(value.reveal())
        return data

    async def seal_again(self) -> int:
        """
        Seal those again that are not sealed with the newest key; return how many.

        It may be repeated, and goes on where one before it was stopped.
        """
        sealing = self._keys()
        newest, count = await asyncio.to_thread(sealing.newest), 0
        for stored in await self._builds.all_shared():
            if stored.value.sealed is not None and stored.value.sealed.key != newest:
                name = stored.value.name
                await again_on_conflict(partial(self._seal_again, name, sealing, newest))
                count += 1
        return count

    async def _seal_again(self, name: str, sealing: Sealing, newest: str) -> None:
        try:
            stored: Stored[Shared] = await self._builds.shared(name)
        except NotFound:
            return  # removed meanwhile
        old: Sealed | None = stored.value.sealed
        if old is None or old.key == newest:
            return  # changed meanwhile
        value = await asyncio.to_thread(sealing.open, _bound(name), old)
        sealed = await asyncio.to_thread(sealing.seal, _bound(name), value, old.at)
        event = self._event(name, "sealed again with another key")
        await self._builds.save_shared(stored.version, replace(stored.value, sealed=sealed), event)

    async def _users(self) -> dict[str, tuple[str, ...]]:
        """Return which registered pipelines list which configurations."""
        found: dict[str, tuple[str, ...]] = {}
        for each in await self._builds.registered():
            for name in dict.fromkeys(named_anywhere(each.value.spec)):
                found[name] = (*found.get(name, ()), each.value.name)
        return found

    def _event(self, name: str, reason: str) -> Event:
        return Event(f"context/{name}", self._clock.now(), reason, {})


def _bound(name: str) -> str:
    """Return the name that values are sealed under: no secret of the hub can have it."""
    return f"context/{name}"


def _view(shared: Shared, users: dict[str, tuple[str, ...]]) -> SharedView:
    pipelines = users.get(shared.name, ())
    return SharedView(shared.name, shared.kind, shared.at, shared.data, pipelines)
