"""Tokens for programs and cookies for browsers: what is kept of them, and when they count."""

import hashlib
import hmac
from dataclasses import dataclass

from crossfade.core.access.people import Account
from crossfade.core.access.roles import Grant

PREFIX = "cfd"
"""Tokens look like `cfd_ID_SECRET`: scanners for leaked secrets can find them."""
COOKIE_PREFIX = "cfs"
"""Cookies look alike, and are no tokens."""


@dataclass(frozen=True, slots=True)
class Token:
    """An API token without its secret."""

    id: str
    name: str
    """What its owner calls it."""
    owner: str
    digest: str
    """SHA-256 of the secret: that has 256 random bits, so no slower hash is needed."""
    grants: tuple[Grant, ...]
    """What it is for; its owner's rights limit it as well, at the time of use."""
    created_at: float
    expires_at: float
    accounts: bool = False
    """Whether it changes accounts too, and so what counts when it no longer does."""
    passwords: int = 0
    """Of its owner, when it was made, as is `series`."""
    series: int = 0

    def valid(self, secret: str, now: float) -> bool:
        """Say whether this is its secret and its time is not over."""
        return hmac.compare_digest(digest_of(secret), self.digest) and now < self.expires_at

    def counts(self, owner: Account) -> bool:
        """Say whether its owner has got no other password since that ended it."""
        same = not self.accounts or self.passwords == owner.passwords
        return same and self.series == owner.series


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """Somebody signed in by a browser, without the cookie's secret."""

    id: str
    account: str
    digest: str
    csrf: str
    """Sent along with every change: another site's page does not know it."""
    created_at: float
    expires_at: float
    passwords: int = 0
    """Of the account, when it signed in."""

    def counts(self, account: Account) -> bool:
        """Say whether the account has got no other password since."""
        return self.passwords == account.passwords

    def valid(self, secret: str, now: float) -> bool:
        """Say whether this is its cookie and its time is not over."""
        return hmac.compare_digest(digest_of(secret), self.digest) and now < self.expires_at


def digest_of(secret: str) -> str:
    """Return the SHA-256 of a random secret, in hexadecimal."""
    return hashlib.sha256(secret.encode()).hexdigest()


def written(identity: str, secret: str, prefix: str = PREFIX) -> str:
    """Return the token as its owner sees it, once."""
    return f"{prefix}_{identity}_{secret}"


def parted(text: str, prefix: str = PREFIX) -> tuple[str, str] | None:
    """Return id and secret of a written token, None when it is none."""
    parts = text.split("_", 2)
    if len(parts) != 3 or parts[0] != prefix or not parts[1] or not parts[2]:
        return None
    return parts[1], parts[2]
