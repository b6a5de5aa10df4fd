"""Passwords of known registries for the steps that need them, wherever they are kept."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from crossfade.base.errors import Denied, InputError, NotFound
from crossfade.base.secrets import SecretRef
from crossfade.core.image.reference import reference
from crossfade.core.image.registries import KnownRegistry, serving
from crossfade.core.pipeline.work import Access, Work
from crossfade.ports.runner import Order
from crossfade.ports.secrets import Secrets

USER, PASSWORD = "REGISTRY_USERNAME", "REGISTRY_PASSWORD"
"""Variables of a step that is somebody in one registry."""


@dataclass(frozen=True, slots=True)
class Registries:
    """Those that are known by a name, and where their passwords are looked up."""

    known: Callable[[], Sequence[KnownRegistry]]
    """Reads them anew.  Raises InputError."""
    secrets: Secrets
    variable: Callable[[str], str]
    """Returns what the variable of a secret is called."""

    async def passwords(self) -> dict[str, str]:
        """
        Return the passwords of all of them, as the variables that our own commands read.

        Raises Unavailable when a place of secrets does not answer.
        """
        wanted = [each.secret for each in self._users()]
        found = {name: await self._found(name) for name in wanted}
        return {self.variable(name): value for name, value in found.items() if value}

    async def account(self, place: str) -> dict[str, str]:
        """Return who we are in the registry of `host/path`, as variables; {}: nobody."""
        try:
            found = serving(self._users(), reference(place))
        except InputError:
            return {}
        password = await self._found(found.secret) if found is not None else ""
        if found is None or not password:
            return {}
        return {USER: found.username, PASSWORD: password}

    def _users(self) -> list[KnownRegistry]:
        try:
            return [each for each in self.known() if each.username]
        except InputError:
            return []  # whoever needs one of them says what is wrong with the file

    async def _found(self, name: str) -> str:
        try:
            return (await self.secrets.resolve(SecretRef(name))).reveal()
        except (NotFound, Denied):
            return ""  # who needs it is refused by the registry, and others are not


async def with_registries(order: Order, work: Work, registries: Registries | None) -> Order:
    """Return the order with the passwords that its work needs, as far as they are known."""
    if registries is None:
        return order
    if work.registry:
        given = await registries.account(work.registry)
        hidden = tuple(value for name, value in given.items() if name == PASSWORD)
        environment = {**order.environment, **given}
        return replace(order, environment=environment, secrets=(*order.secrets, *hidden))
    if work.access is Access.HUB:
        given = await registries.passwords()
        environment = {**given, **order.environment}
        return replace(order, environment=environment, secrets=(*order.secrets, *given.values()))
    if any(each is not None for each in (order.inside, order.composition, order.beside)):
        return replace(order, passwords=await registries.passwords())
    return order
