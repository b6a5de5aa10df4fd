"""Secrets of the hub that were set with `crossfade secret set`, sealed in the store."""

import asyncio

from crossfade.base.codec import from_json
from crossfade.base.errors import NotFound
from crossfade.base.secrets import Secret, SecretRef
from crossfade.ports.documents import Documents
from crossfade.ports.sealing import SEALED, Sealed, Sealing


class SealedSecrets:
    """`{secret: slack-url}` is the document of that name, opened each time anew."""

    def __init__(self, documents: Documents, sealing: Sealing) -> None:
        self._documents, self._sealing = documents, sealing

    def holds(self, ref: SecretRef) -> bool:
        """Say whether the reference is to a secret of the hub."""
        return not ref.namespace

    async def resolve(self, ref: SecretRef) -> Secret:
        """Return the secret; see the port for errors."""
        name = str(ref)
        stored = await self._documents.get(SEALED, name)
        if stored is None:
            raise NotFound(
                f"there is no secret `{ref}`", hint=f"set it with `crossfade secret set {ref}`"
            )
        sealed = from_json(Sealed, stored.body)
        return await asyncio.to_thread(self._sealing.open, name, sealed)
