"""Accounts as admins change them; `engine/accounts.py` says who it is that asks."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

from crossfade.base.clock import Clock
from crossfade.base.codec import from_json, to_json
from crossfade.base.errors import Conflict, InputError, NotFound
from crossfade.base.secrets import Secret
from crossfade.core.access.people import (
    MOST_GRANTS,
    Account,
    account_name,
    require_in_charge,
    require_password,
    written_grant,
)
from crossfade.core.access.roles import Grant
from crossfade.core.access.tokens import BrowserSession, Token
from crossfade.engine.access_records import ACCOUNT, SESSION, TOKEN
from crossfade.engine.retries import again_on_conflict
from crossfade.ports.documents import Document, Documents, Event, Remove, Save
from crossfade.ports.passwords import Passwords


class Ends(Enum):
    """What ends with a change of an account."""

    NOTHING = auto()
    LASTING = auto()
    """What could outlive the change by changing accounts: browsers, and some tokens."""
    ALL = auto()
    """Browsers and tokens."""


@dataclass(frozen=True, slots=True)
class Person:
    """An account without its password."""

    name: str
    grants: tuple[Grant, ...]
    disabled: bool
    issuer: str
    """The identity provider that vouches for it, "" for one with a password."""
    created_at: float


@dataclass(frozen=True, slots=True)
class People:
    """The accounts; `documents` say who changes them."""

    documents: Documents
    passwords: Passwords
    clock: Clock

    async def all(self) -> tuple[Person, ...]:
        """Return all accounts, by name."""
        found = await self.documents.list(ACCOUNT)
        return tuple(_person(from_json(Account, each.body)) for each in found)

    async def add(
        self, name: str, grants: Sequence[Grant], password: Secret | None
    ) -> Secret | None:
        """
        Make an account; return its password, this once, when none was given.

        Raises InputError, and Conflict when there is one of this name.
        """
        chosen = password or new_password()
        require_password(chosen)
        _require_few(grants)
        hashed = await self.passwords.hashed(chosen.reveal())
        now = self.clock.now()
        account = Account(account_name(name), hashed, tuple(grants), created_at=now)
        try:
            event = Event(f"{ACCOUNT}/{name}", now, f"made, as {_words(grants)}", {})
            await self.documents.commit((Save(ACCOUNT, name, 0, to_json(account)),), (event,))
        except Conflict as error:
            raise Conflict(
                f"there is an account `{name}` already",
                hint=f"`crossfade account grant {name}` changes its roles; or take another name",
            ) from error
        return None if password else chosen

    async def grant(self, name: str, grants: Sequence[Grant]) -> Person:
        """Give the account these rights in place of those that it has.  Raises NotFound."""
        return await self.change(name, grants=grants)

    async def disable(self, name: str) -> Person:
        """Have the account, its browsers and its tokens count no more.  Raises NotFound."""
        return await self.change(name, disabled=True)

    async def enable(self, name: str) -> Person:
        """Have the account count again.  Raises NotFound."""
        return await self.change(name, disabled=False)

    async def change(
        self, name: str, *, grants: Sequence[Grant] | None = None, disabled: bool | None = None
    ) -> Person:
        """Do any of these at once: all of it, or nothing.  Raises NotFound, UnsafePlan."""
        values: dict[str, object] = {}
        said = []
        if grants is not None:
            _require_few(grants)
            values["grants"] = tuple(grants)
            said.append(f"is now {_words(grants)}")
        if disabled is not None:
            values["disabled"] = disabled
            said.append("disabled" if disabled else "enabled")
        ends = Ends.LASTING if disabled else Ends.NOTHING
        return await self._change(name, ", ".join(said), ends=ends, **values)

    async def set_password(
        self, name: str, password: Secret, *, keep_tokens: bool = False
    ) -> Person:
        """
        Give the account another password; its browsers are signed out, and its tokens end.

        Whoever knew the old one may have made them.  With `keep_tokens` those stay that change no
        accounts.
        """
        require_password(password)
        hashed = await self.passwords.hashed(password.reveal())
        ends = Ends.LASTING if keep_tokens else Ends.ALL
        return await self._change(name, "got a new password", ends=ends, password=hashed)

    async def _change(
        self, name: str, reason: str, *, ends: Ends = Ends.NOTHING, **values: object
    ) -> Person:
        async def change() -> Person:
            stored = await self._stored(name)
            before = from_json(Account, stored.body)
            if "password" in values and before.issuer:
                hint = f"its password is changed at {before.issuer}"
                raise InputError(f"`{name}` has no password here", hint=hint)
            after = replace(before, **values)  # type: ignore[arg-type]
            if after == before:
                return _person(before)
            witness: tuple[Save, ...] = ()
            if before.in_charge and not after.in_charge:
                witness = (await self._left_in_charge(name),)
            after, removals = await self._ended(after, ends)
            event = Event(f"{ACCOUNT}/{name}", self.clock.now(), reason, {})
            change = Save(ACCOUNT, name, stored.version, to_json(after))
            await self.documents.commit((change, *witness, *removals), (event,))
            return _person(after)

        return await again_on_conflict(change)

    async def _ended(self, account: Account, ends: Ends) -> tuple[Account, tuple[Remove, ...]]:
        """
        Return the account, and the removals of what ends.

        Its numbers end also what somebody makes at this very moment.
        """
        if ends is Ends.NOTHING:
            return account, ()
        every = ends is Ends.ALL
        after = replace(
            account, passwords=account.passwords + 1, series=account.series + int(every)
        )
        browsers = await sessions_of(self.documents, account.name)
        tokens = await tokens_of(self.documents, account.name, lasting=not every)
        return after, browsers + tokens

    async def _stored(self, name: str) -> Document:
        stored = await self.documents.get(ACCOUNT, name)
        if stored is None:
            hint = "`crossfade account list` shows them"
            raise NotFound(f"there is no account `{name}`", hint=hint)
        return stored

    async def _left_in_charge(self, name: str) -> Save:
        """
        Return one that stays in charge without `name`, to be saved as it is in the same commit.

        So two that take rights from each other at once cannot both succeed: each commit rests on
        the version of an account that the other one changes.  Raises UnsafePlan.
        """
        found = [each for each in await self.documents.list(ACCOUNT) if each.name != name]
        accounts = {each.name: from_json(Account, each.body) for each in found}
        require_in_charge(accounts.values())
        left = next(each for each in found if accounts[each.name].in_charge)
        return Save(ACCOUNT, left.name, left.version, left.body)


def new_password() -> Secret:
    """Return a random password."""
    return Secret(secrets.token_urlsafe(15))


async def browser_sessions(documents: Documents) -> list[tuple[Document, BrowserSession]]:
    """Return all browsers that are signed in."""
    found = await documents.list(SESSION)
    return [(each, from_json(BrowserSession, each.body)) for each in found]


async def sessions_of(documents: Documents, account: str) -> tuple[Remove, ...]:
    """Return the removals that sign all browsers of the account out."""
    found = await browser_sessions(documents)
    mine = [each for each, browser in found if browser.account == account]
    return tuple(Remove(SESSION, each.name, each.version) for each in mine)


async def tokens_of(
    documents: Documents, account: str, *, lasting: bool = False
) -> tuple[Remove, ...]:
    """Return the removals of all tokens of the account, or of those that change accounts."""
    found = [(each, from_json(Token, each.body)) for each in await documents.list(TOKEN)]
    mine = [
        each for each, token in found if token.owner == account and (token.accounts or not lasting)
    ]
    return tuple(Remove(TOKEN, each.name, each.version) for each in mine)


def _require_few(grants: Sequence[Grant]) -> None:
    if not 1 <= len(grants) <= MOST_GRANTS:
        raise InputError(
            f"an account with {len(grants)} roles cannot be",
            hint=f"give 1 to {MOST_GRANTS} roles, such as `viewer` or `releaser:colors`",
        )


def _words(grants: Sequence[Grant]) -> str:
    return ", ".join(written_grant(each) for each in grants)


def _person(account: Account) -> Person:
    return Person(
        account.name, account.grants, account.disabled, account.issuer, account.created_at
    )
