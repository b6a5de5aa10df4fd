"""Who vouches for people that sign in elsewhere."""

from typing import Protocol

from crossfade.core.access.sign_on import Attempt, Claims, Provider


class IdentityProvider(Protocol):
    """
    The two halves of a sign-on by authorization code.

    Tested against a real provider in tests/adapters/sign_on.
    """

    async def address(self, provider: Provider, attempt: Attempt) -> str:
        """Return where the browser is sent to.  Raises Unavailable, InputError."""
        ...

    async def identify(self, provider: Provider, attempt: Attempt, code: str) -> Claims:
        """
        Return who has come back with the code.

        Raises NotSignedIn for an answer that is not for this attempt, or not from the provider;
        Unavailable, Denied when it cannot be asked.
        """
        ...
