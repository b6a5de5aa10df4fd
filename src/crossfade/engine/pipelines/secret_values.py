"""Values of the secrets that a step refers to, read when it starts and kept nowhere."""

from collections.abc import Iterable

from crossfade.base.errors import CrossfadeError, InputError, NotFound
from crossfade.core.pipeline.document import Settings
from crossfade.core.pipeline.secret_stores import (
    Reference,
    kubernetes_store,
    reference_of,
    vault_store,
)
from crossfade.core.pipeline.shared_configuration import SharedKind, shared_variables
from crossfade.engine.pipelines.shared_configurations import SharedConfigurations
from crossfade.ports.secret_stores import SecretStores


class SecretValues:
    """Looks references up in shared configurations, and in the stores that these describe."""

    def __init__(self, shared: SharedConfigurations, stores: SecretStores) -> None:
        self._shared, self._stores = shared, stores

    async def read(self, asked: Iterable[str]) -> dict[str, str]:
        """
        Return the values by the references as they are written.

        Raises NotFound, InputError or Denied when there is no such value, Unavailable when a store
        does not answer; each says which reference it is about.
        """
        found = {}
        for text in asked:
            reference = reference_of(text)
            if reference is not None:
                try:
                    found[text] = await self._value(reference)
                except CrossfadeError as error:
                    raise type(error)(f"{reference}: {error}", hint=error.hint) from error
        return found

    async def _value(self, reference: Reference) -> str:
        kind, data = await self._shared.opened(reference.store)
        match kind:
            case SharedKind.KUBERNETES:
                store = kubernetes_store(data)
                return (await self._stores.read(store, *_place(reference))).reveal()
            case SharedKind.VAULT:
                vault = vault_store(data)
                return (await self._stores.read(vault, *_place(reference))).reveal()
            case _:
                return _of_configuration(kind, data, reference)


def _place(reference: Reference) -> tuple[str, str]:
    return reference.resource, reference.key


def _of_configuration(kind: SharedKind, data: Settings, reference: Reference) -> str:
    if reference.resource:
        raise InputError(
            f"`{reference.store}` is of type {kind} and has no resources",
            hint=f"write ${{{{secrets.{reference.store}.{reference.key}}}}}",
        )
    variables = shared_variables(kind, data)
    if reference.key not in variables:
        known = ", ".join(sorted(variables))
        raise NotFound(f"`{reference.store}` has no `{reference.key}`", hint=f"it has: {known}")
    return variables[reference.key].value
