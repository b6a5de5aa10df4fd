"""Shared configurations of a hub, over HTTP."""

from dataclasses import dataclass

from crossfade.base.codec import from_json
from crossfade.base.json_value import Json
from crossfade.base.secrets import Secret
from crossfade.core.pipeline.shared_configuration import SharedKind, shared_data, shared_name
from crossfade.engine.pipelines.shared_configurations import SharedView
from crossfade.remote.client import API, Part, segment


@dataclass(frozen=True)
class RemoteContexts(Part):
    """Commands on shared configurations."""

    async def all(self) -> tuple[SharedView, ...]:
        """Return all of them, by name."""
        found = await self.client.get(f"{API}/contexts")
        return tuple(from_json(SharedView, each) for each in found)

    async def show(self, name: str) -> SharedView:
        """Return one of them, without values of secrets.  Raises NotFound."""
        return from_json(SharedView, await self.client.get(_path(name)))

    async def create(
        self, name: str, kind: SharedKind, data: Json, *, again: bool = False
    ) -> SharedView:
        """Keep a configuration of this name; with `again` in place of the one that there is."""
        held = shared_data(kind, data)  # so that what is wrong is told in words of this machine
        if kind.is_secret:
            texts = (Secret(each) for each in held.values() if isinstance(each, str) and each)
            self.client.carry({}, *texts)
        body = {"type": kind.value, "data": held, "replace": again}
        return from_json(SharedView, await self.client.send("PUT", _path(name), body))

    async def remove(self, name: str, *, force: bool = False) -> None:
        """Forget a configuration."""
        await self.client.ask("DELETE", f"{_path(name)}?force={str(force).lower()}")


def _path(name: str) -> str:
    return f"{API}/contexts/{segment(shared_name(name))}"
