"""
Browsers that have signed in to an account before, by a cookie that proves it.

Guessing is slowed down for strangers to an account and for each of these apart, so that nobody can
lock its owner out by wrong passwords (OWASP: device cookies).  Nothing is kept of them: the key is
the hash of the password, so that all of them end with it.
"""

import hashlib
import hmac

from crossfade.core.access.people import Account

DEVICE_SECONDS = 90 * 86_400.0
_PREFIX = "cfb"


def device(account: Account, identity: str, now: float) -> str:
    """Return what a browser keeps that has just signed in by the password."""
    ends = str(int(now + DEVICE_SECONDS))
    return "_".join((_PREFIX, identity, ends, _proof(account, identity, ends)))


def device_of(account: Account | None, text: str, now: float) -> str:
    """Return which browser this is that has signed in to the account before, "" for none."""
    parts = text.split("_")
    if account is None or not account.password or len(parts) != 4 or parts[0] != _PREFIX:
        return ""
    _, identity, ends, proof = parts
    same = hmac.compare_digest(proof.encode(), _proof(account, identity, ends).encode())
    return identity if same and now < int(ends) else ""


def _proof(account: Account, identity: str, ends: str) -> str:
    text = f"device {account.name} {identity} {ends}"
    return hmac.digest(account.password.encode(), text.encode(), hashlib.sha256).hex()
