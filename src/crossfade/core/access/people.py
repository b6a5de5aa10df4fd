"""Rules about accounts: what they may be called, passwords, and that somebody stays in charge."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from crossfade.base.errors import InputError, UnsafePlan
from crossfade.base.secrets import Secret
from crossfade.core.access.roles import ANY, Grant, Role

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 1000
MOST_GRANTS = 50
_NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,99}")


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may sign in."""

    name: str
    password: str
    """Its hash, "" for who is vouched for by an identity provider."""
    grants: tuple[Grant, ...]
    disabled: bool = False
    """It counts no more: nor do its browsers and tokens."""
    issuer: str = ""
    """The identity provider that vouches for it, "" for one with a password."""
    created_at: float = 0.0
    subject: str = ""
    """What the provider calls it; unlike a name, that is never given to anybody else."""
    passwords: int = 0
    """How often it got another one or was disabled; who had signed in before is out."""
    series: int = 0
    """Of its tokens: those of an earlier one count no more."""

    @property
    def in_charge(self) -> bool:
        """Whether it can give rights to others, and sign in without an identity provider."""
        everything = Grant(Role.ADMIN)
        return everything in self.grants and not self.disabled and not self.issuer


def is_account_name(text: str) -> bool:
    """Say whether an account may be called so."""
    return bool(_NAME.fullmatch(text))


def account_name(text: str) -> str:
    """Return the text as the name of an account.  Raises InputError."""
    if not is_account_name(text):
        raise InputError(
            "this is no name for an account",
            hint="take lower-case letters, digits and `. _ @ + -`, at most 100, a letter first",
            name=text,
        )
    return text


def require_password(password: Secret) -> None:
    """Raise InputError for a password that is too easy to guess, or too long."""
    length = len(password.reveal())
    if not SHORTEST_PASSWORD <= length <= LONGEST_PASSWORD:
        raise InputError(
            f"a password of {length} characters is not taken",
            hint=f"take {SHORTEST_PASSWORD} to {LONGEST_PASSWORD}; several words are easy to keep",
        )


def require_in_charge(accounts: Iterable[Account]) -> None:
    """Raise UnsafePlan unless somebody is left who can give rights."""
    if not any(each.in_charge for each in accounts):
        raise UnsafePlan(
            "nobody would be left who may give rights",
            hint="give another account with a password the role `admin` on everything first",
        )


def grant_of(text: str) -> Grant:
    """Return what `ROLE[:APPLICATION[@CLUSTER]]` gives.  Raises InputError."""
    word, _, scope = text.partition(":")
    application, _, cluster = scope.partition("@")
    if word not in {each.value for each in Role}:
        raise InputError(
            f"`{word}` is no role",
            hint=f"write ROLE[:APPLICATION[@CLUSTER]]; roles: {', '.join(Role)}",
            grant=text,
        )
    return Grant(Role(word), application or ANY, cluster or ANY)


def written_grant(grant: Grant) -> str:
    """Return the grant as `grant_of` reads it."""
    if grant.cluster != ANY:
        return f"{grant.role}:{grant.application}@{grant.cluster}"
    return grant.role.value if grant.application == ANY else f"{grant.role}:{grant.application}"
