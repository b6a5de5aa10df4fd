"""Where credentials come from.  Files and documents have references only."""

from typing import Protocol

from crossfade.base.secrets import Secret, SecretRef


class Secrets(Protocol):
    """
    Looks references up, each time anew: secrets are rotated.

    Every implementation passes tests/contract/test_secrets.py.
    """

    def holds(self, ref: SecretRef) -> bool:
        """Say whether references of this form are looked up here; nothing is read for it."""
        ...

    async def resolve(self, ref: SecretRef) -> Secret:
        """
        Return the secret.

        Raises NotFound when there is none of that name, InputError for a name that cannot be one
        here, Unavailable or Denied when the place cannot be read.  No error has the value.
        """
        ...
