"""Signing in by an identity provider: what it vouches for, and what that allows here.  Pure."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from crossfade.base.errors import InputError
from crossfade.core.access.people import is_account_name
from crossfade.core.access.roles import Grant

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Provider:
    """An OpenID provider, and which of its groups have which roles."""

    issuer: str
    client_id: str
    url: str
    """Where browsers reach the hub, as `https://crossfade.example.com`."""
    groups: Mapping[str, tuple[Grant, ...]]
    groups_claim: str = "groups"
    scopes: tuple[str, ...] = ("openid", "profile", "email")

    @property
    def redirect(self) -> str:
        """Where the provider sends browsers back to; it has to be registered there."""
        return f"{self.url}/api/v1/session/sign-on/callback"


@dataclass(frozen=True, slots=True)
class Attempt:
    """What ties the answer of the provider to the browser that has asked."""

    state: str
    nonce: str
    verifier: str
    """Sent when the code is redeemed; the browser has carried its hash only (RFC 7636)."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What the provider says of somebody."""

    subject: str
    """Never given to anybody else."""
    name: str
    """What they are called there; may change hands."""
    groups: tuple[str, ...] = field(default=())


def provider_of(
    issuer: str, client_id: str, url: str, groups: Mapping[str, Sequence[Grant]]
) -> Provider:
    """Return the provider.  Raises InputError for what cannot be one."""
    for address in (issuer, url):
        require_private(address)
    if not client_id:
        raise InputError("the client has no id", hint="give the one that the provider shows")
    if not groups:
        raise InputError(
            "no group has a role, so that nobody could sign in",
            hint="give --group GROUP=ROLE[:APPLICATION[@CLUSTER]] at least once",
        )
    fixed = {name: tuple(grants) for name, grants in groups.items()}
    return Provider(issuer.rstrip("/"), client_id, url.rstrip("/"), fixed)


def require_private(address: str) -> None:
    """Raise InputError unless nobody on the way can read what is sent to the address."""
    try:
        parts = urlsplit(address)
        plain = parts.scheme == "http" and parts.hostname in _LOOPBACK
        good = bool(parts.hostname) and (parts.scheme == "https" or plain)
        good = good and not (parts.query or parts.fragment or parts.username)
        good = good and parts.port != 0 and not any(each.isspace() for each in parts.netloc)
    except ValueError:
        good = False
    if not good:
        raise InputError(
            f"`{address}` cannot be trusted",
            hint="give an address with https, as https://login.example.com; http on this machine",
        )


def grants_for(provider: Provider, claims: Claims) -> tuple[Grant, ...]:
    """Return what the groups of somebody give them, () for nothing."""
    found = [grant for name in claims.groups for grant in provider.groups.get(name, ())]
    return tuple(dict.fromkeys(found))


def account_of(provider: Provider, claims: Claims) -> str:
    """Return what the account is called here."""
    name = claims.name.lower()
    if is_account_name(name):
        return name
    digest = hashlib.sha256(f"{provider.issuer} {claims.subject}".encode()).hexdigest()
    return f"sso-{digest[:16]}"
