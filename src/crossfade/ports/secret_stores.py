"""Stores of secrets that are not ours, which pipelines refer to."""

from typing import Protocol

from crossfade.base.secrets import Secret
from crossfade.core.pipeline.secret_stores import KubernetesStore, VaultStore


class SecretStores(Protocol):
    """
    Reads stores, each time anew: secrets are rotated.

    The implementation passes tests/contract/test_secret_stores.py with every kind of store.
    """

    async def read(self, store: KubernetesStore | VaultStore, resource: str, key: str) -> Secret:
        """
        Return one secret; `resource` is "" when the store says which.

        Raises NotFound when there is none, InputError for what cannot be one, Denied when the store
        refuses us, Unavailable when it does not answer.  No error has a value of the store.
        """
        ...
