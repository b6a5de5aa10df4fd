"""Sealed secrets for commands that may need none: store and keys are opened when one is wanted."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from crossfade.adapters.secrets.sealed import SealedSecrets
from crossfade.base.errors import NotFound
from crossfade.base.secrets import Secret, SecretRef
from crossfade.ports.documents import Documents

_FILE = "sqlite:///"


@dataclass(frozen=True, slots=True)
class StoredSecrets:
    """The port Secrets over a store that is named by its address."""

    database_url: str
    key_file: Path
    key_variable: str
    """Has keys that go before those of the file."""
    documents: Documents | None = None
    """The store, where it is open already."""

    def holds(self, ref: SecretRef) -> bool:
        """Say whether the reference is to a secret of the hub."""
        return not ref.namespace

    async def resolve(self, ref: SecretRef) -> Secret:
        """Return the secret; see the port for errors."""
        from crossfade.adapters.secrets.sealing import KeyRing  # slow: cryptography

        keys = KeyRing(self.key_file, self.key_variable, os.environ.get(self.key_variable, ""))
        async with self._opened(ref) as documents:
            return await SealedSecrets(documents, keys).resolve(ref)

    @asynccontextmanager
    async def _opened(self, ref: SecretRef) -> AsyncIterator[Documents]:
        if self.documents is not None:
            yield self.documents
            return
        if not self._is_there():
            hint = f"set it with `crossfade secret set {ref}`"
            raise NotFound(f"there is no secret `{ref}`", hint=hint)
        from crossfade.adapters.store.sql import SqlStore  # slow: SQLAlchemy

        store = await SqlStore.open(self.database_url)
        try:
            yield store
        finally:
            await store.close()

    def _is_there(self) -> bool:
        """Return whether there may be a store: asking for one makes none."""
        file = self.database_url.removeprefix(_FILE)
        return file == self.database_url or Path(file).exists()
