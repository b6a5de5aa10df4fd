"""Secrets sealed so that who reads the store reads none of them."""

from dataclasses import dataclass
from typing import Protocol

from crossfade.base.secrets import Secret

SEALED = "sealed-secret"
"""Kind of the documents that have them, by the name of the secret."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """One secret as it is stored."""

    key: str
    """Id of the key that opens it; says nothing of the key."""
    text: str
    """Base64."""
    at: float
    """When its value was set."""


class Sealing(Protocol):
    """
    Seals and opens; a text that was sealed under one name is not opened under another.

    Every implementation passes tests/contract/test_sealing.py.
    """

    def seal(self, name: str, value: Secret, at: float) -> Sealed:
        """Return the value sealed with the newest key.  Raises Denied, Unavailable, InputError."""
        ...

    def open(self, name: str, sealed: Sealed) -> Secret:
        """Return the value.  Raises Denied when its key is not here, or it was changed."""
        ...

    def newest(self) -> str:
        """Return the id of the key that seals now; one is made when there is none."""
        ...

    def rotate(self) -> str:
        """
        Have a new key seal from now on, beside those that open; return its id.

        Raises InputError where keys are made elsewhere.
        """
        ...
