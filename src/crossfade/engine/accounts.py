"""Who somebody is who asks over HTTP: accounts, browsers that are signed in, API tokens."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from crossfade.base.clock import Clock
from crossfade.base.codec import from_json, to_json
from crossfade.base.errors import (
    Conflict,
    InputError,
    NotAllowed,
    NotFound,
    NotSignedIn,
)
from crossfade.base.secrets import Secret
from crossfade.core.access.devices import device, device_of
from crossfade.core.access.people import Account, written_grant
from crossfade.core.access.roles import Action, Grant, Identity, Role
from crossfade.core.access.tokens import (
    COOKIE_PREFIX,
    BrowserSession,
    Token,
    digest_of,
    parted,
    written,
)
from crossfade.engine.access_records import ACCOUNT, ONCE, SESSION, TOKEN
from crossfade.engine.audit import AuditedDocuments
from crossfade.engine.guesses import FAILURES, Guesses, bounds_of
from crossfade.engine.people import (
    People,
    browser_sessions,
    new_password,
    sessions_of,
    tokens_of,
)
from crossfade.engine.retries import again_on_conflict
from crossfade.ports.documents import Document, Documents, Event, Remove, Save
from crossfade.ports.passwords import Passwords

ADMIN = "admin"
SESSION_SECONDS = 12 * 3600.0
LONGEST_TOKEN_DAYS = 365
ONCE_SECONDS = 24 * 3600.0
"""How long a key of a request counts."""
_DAY = 86_400.0
_SIGN_IN = "`POST /api/v1/session` signs in; programs send `Authorization: Bearer TOKEN`"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A browser that has just signed in."""

    cookie: Secret
    csrf: str
    account: str
    expires_at: float
    device: str = ""
    """Proves later that this browser has signed in by the password; "" without one."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who asks, and how they have shown who they are."""

    identity: Identity
    via: str
    """`page`, or `token ID`."""
    csrf: str | None = None
    """What a browser has to send along with changes; None for tokens."""
    accounts: bool = False
    """Whether it is a token that was made to change accounts."""
    passwords: int = 0
    """Of their account, when they had shown who they are, as is `series`."""
    series: int = 0

    @property
    def lasting(self) -> bool:
        """Whether they may change what outlives them: accounts, who vouches for people."""
        return self.csrf is not None or self.accounts


@dataclass(slots=True)
class Accounts:
    """Signs in, and says who it is that asks."""

    documents: Documents
    passwords: Passwords
    clock: Clock
    guesses: Guesses = field(init=False)
    _decoy: str = ""
    """A hash that is compared when there is no account, so that both take the same time."""

    def __post_init__(self) -> None:
        """Begin without any guesses."""
        self.guesses = Guesses(self.clock)

    async def first_admin(self) -> Secret | None:
        """Make the account `admin` when there is none; return its password, this once."""
        if await self.documents.get(ACCOUNT, ADMIN) is not None:
            return None
        password = new_password()
        try:
            await self._save_admin(password, None)
        except Conflict:
            return None  # another hub on the store has just made it
        return password

    async def new_admin_password(self) -> Secret:
        """Give `admin` a new password, end its sessions and tokens, and return the password."""
        password = new_password()

        async def save() -> None:
            await self._save_admin(password, await self.documents.get(ACCOUNT, ADMIN))

        await again_on_conflict(save)
        return password

    async def _save_admin(self, password: Secret, known: Document | None) -> None:
        hashed = await self.passwords.hashed(password.reveal())
        account = Account(ADMIN, hashed, (Grant(Role.ADMIN),), created_at=self.clock.now())
        if known is not None:
            before = from_json(Account, known.body)
            account = replace(account, passwords=before.passwords + 1, series=before.series + 1)
        await self._by("crossfade", "cli").commit(
            (
                Save(ACCOUNT, ADMIN, known.version if known else 0, to_json(account)),
                *await sessions_of(self.documents, ADMIN),
                *await tokens_of(self.documents, ADMIN),
            ),
            (self._event(f"{ACCOUNT}/{ADMIN}", "got a new password"),),
        )

    async def sign_in(
        self, name: str, password: Secret, place: str, *, device: str = "", token: str = ""
    ) -> SignedIn:
        """
        Return a new session.

        Args:
            name: of the account.
            password: is right or wrong.
            place: where the request came from.
            device: what a browser has kept that signed in before, "" for others.
            token: of the account, "" for none; as for a known browser, failures of others do not
                count.

        Raises NotSignedIn, which does not tell whether there is such an account, TooManyRequests.
        """
        stored = await self.documents.get(ACCOUNT, name)
        account = from_json(Account, stored.body) if stored else None
        known = device_of(account, device, self.clock.now()) or await self._token_of(name, token)
        with self.guesses.attempt(bounds_of(name, place, known), stranger=not known):
            kept = (account.password if account else "") or await self._decoy_hash()
            fits = await self.passwords.fits(password.reveal(), kept)
            if account is None or not fits or account.disabled or not account.password:
                hint = "`crossfade up --new-admin-password` makes a new one for `admin`"
                raise NotSignedIn("name or password is wrong", hint=hint)
        return await self.signed_in(account)

    async def _token_of(self, name: str, text: str) -> str:
        """Return which token of the account this is, "" for none."""
        try:
            caller = await self.by_token(Secret(text))
        except NotSignedIn:
            return ""
        return caller.via if caller.identity.name == name else ""

    async def change_password(
        self, caller: Caller, old: Secret, new: Secret, *, keep_tokens: bool = False
    ) -> None:
        """
        Give the caller another password; their browsers are signed out, and their tokens end.

        With `keep_tokens` those stay that change no accounts.

        Raises NotAllowed for tokens, NotSignedIn for a wrong old password, TooManyRequests,
        InputError for a new one that is too short.
        """
        if caller.csrf is None:
            raise NotAllowed("a token changes no password", hint="sign in with the password")
        name = caller.identity.name
        account = await self._account(name)
        with self.guesses.attempt({("old password", name): FAILURES}):
            if not await self.passwords.fits(old.reveal(), account.password):
                raise NotSignedIn("the old password is wrong", hint="an admin can make a new one")
        people = People(self.acting(caller), self.passwords, self.clock)
        await people.set_password(name, new, keep_tokens=keep_tokens)

    async def signed_in(self, account: Account) -> SignedIn:
        """Return a new session of somebody who has shown who they are."""
        identity, secret, csrf = secrets.token_hex(8), secrets.token_urlsafe(32), _random()
        now = self.clock.now()
        ends = now + SESSION_SECONDS
        browser = BrowserSession(
            identity, account.name, digest_of(secret), csrf, now, ends, account.passwords
        )
        await self._by(account.name, "page").commit(
            (Save(SESSION, identity, 0, to_json(browser)),),
            (self._event(f"{ACCOUNT}/{account.name}", "signed in"),),
        )
        cookie = Secret(written(identity, secret, COOKIE_PREFIX))
        shows = device(account, secrets.token_hex(8), now) if account.password else ""
        return SignedIn(cookie, csrf, account.name, browser.expires_at, shows)

    async def sign_out(self, cookie: Secret) -> None:
        """End the session of the cookie; nothing happens when there is none."""
        parts = parted(cookie.reveal(), COOKIE_PREFIX)
        stored = await self.documents.get(SESSION, parts[0]) if parts else None
        if stored is None or parts is None:
            return
        browser = from_json(BrowserSession, stored.body)
        if browser.valid(parts[1], self.clock.now()):
            await self._by(browser.account, "page").commit(
                (Remove(SESSION, stored.name, stored.version),),
                (self._event(f"{ACCOUNT}/{browser.account}", "signed out"),),
            )

    async def by_cookie(self, cookie: Secret) -> Caller:
        """Return who has this cookie.  Raises NotSignedIn."""
        parts = parted(cookie.reveal(), COOKIE_PREFIX)
        stored = await self.documents.get(SESSION, parts[0]) if parts else None
        browser = from_json(BrowserSession, stored.body) if stored else None
        if parts is None or browser is None or not browser.valid(parts[1], self.clock.now()):
            raise NotSignedIn("the session is over", hint=_SIGN_IN)
        account = await self._account(browser.account)
        if not browser.counts(account):
            raise NotSignedIn("the session is over", hint=_SIGN_IN)
        return Caller(
            Identity(account.name, account.grants),
            "page",
            browser.csrf,
            passwords=account.passwords,
            series=account.series,
        )

    async def by_token(self, text: Secret) -> Caller:
        """Return who has this token.  Raises NotSignedIn."""
        parts = parted(text.reveal())
        stored = await self.documents.get(TOKEN, parts[0]) if parts else None
        token = from_json(Token, stored.body) if stored else None
        if parts is None or token is None or not token.valid(parts[1], self.clock.now()):
            raise NotSignedIn("the token is unknown, revoked or has expired", hint=_SIGN_IN)
        account = await self._account(token.owner)
        if not token.counts(account):
            raise NotSignedIn("the token ended with its owner's password", hint=_SIGN_IN)
        identity = Identity(account.name, account.grants, within=token.grants)
        return Caller(identity, f"token {token.id}", accounts=token.accounts)

    async def make_token(
        self,
        caller: Caller,
        name: str,
        grants: Sequence[Grant],
        days: int,
        *,
        accounts: bool = False,
    ) -> tuple[Token, Secret]:
        """
        Return a new token of the caller, and its text, this once; with `accounts` it changes them.

        Raises NotAllowed for tokens, which would outlive themselves so, and InputError.
        """
        if caller.csrf is None:
            raise NotAllowed("a token makes no tokens", hint="sign in with a password")
        if accounts and not caller.identity.may(Action.ACCESS):
            hint = "leave `accounts` out, or have an admin do it"
            raise NotAllowed("you may not change accounts, nor make a token that does", hint=hint)
        if not grants or not 1 <= days <= LONGEST_TOKEN_DAYS:
            raise InputError(
                "a token needs a grant, and a number of days",
                hint=f"give 1 to {LONGEST_TOKEN_DAYS} days and a grant such as role `viewer`",
                days=days,
            )
        identity, secret, now = secrets.token_hex(8), secrets.token_urlsafe(32), self.clock.now()
        token = Token(
            identity,
            name,
            caller.identity.name,
            digest_of(secret),
            tuple(grants),
            now,
            now + days * _DAY,
            accounts,
            caller.passwords,
            caller.series,
        )
        more = ", also to change accounts" if accounts else ""
        await self.acting(caller).commit(
            (Save(TOKEN, identity, 0, to_json(token)),),
            (self._event(f"{TOKEN}/{identity}", f"made, for {_words(grants)}, {days} d{more}"),),
        )
        return token, Secret(written(identity, secret))

    async def tokens(self, caller: Caller) -> tuple[Token, ...]:
        """Return the caller's tokens, everybody's for who may give access; newest last."""
        found = [from_json(Token, each.body) for each in await self.documents.list(TOKEN)]
        mine = [each for each in found if _is_of(each, caller)]
        return tuple(replace(each, digest="") for each in sorted(mine, key=_age))

    async def revoke(self, caller: Caller, identity: str) -> None:
        """Have the token count no more.  Raises NotFound, also for somebody else's."""
        stored = await self.documents.get(TOKEN, identity)
        if stored is None or not _is_of(from_json(Token, stored.body), caller):
            raise NotFound("there is no such token", hint="`GET /api/v1/tokens` lists yours")
        await self.acting(caller).commit(
            (Remove(TOKEN, identity, stored.version),),
            (self._event(f"{TOKEN}/{identity}", "revoked"),),
        )

    def acting(self, caller: Caller) -> AuditedDocuments:
        """Return the documents for what the caller does: each change has its entry in the log."""
        return self._by(caller.identity.name, caller.via)

    async def forget_expired(self) -> None:
        """Remove sessions, tokens and keys of requests whose time is over."""
        now = self.clock.now()
        browsers = await browser_sessions(self.documents)
        gone = [each for each, browser in browsers if browser.expires_at <= now]
        tokens, keys = await self.documents.list(TOKEN), await self.documents.list(ONCE)
        gone += [each for each in tokens if from_json(Token, each.body).expires_at <= now]
        gone += [each for each in keys if float(each.body["at"]) <= now - ONCE_SECONDS]
        for each in gone:
            try:
                await self.documents.commit((Remove(each.kind, each.name, each.version),))
            except Conflict:
                continue  # somebody else has removed it

    async def _account(self, name: str) -> Account:
        stored = await self.documents.get(ACCOUNT, name)
        if stored is None:
            raise NotSignedIn("the account is gone", hint=_SIGN_IN)
        account = from_json(Account, stored.body)
        if account.disabled:
            raise NotSignedIn("the account is disabled", hint="an admin enables it")
        return account

    async def _decoy_hash(self) -> str:
        if not self._decoy:
            self._decoy = await self.passwords.hashed(_random())
        return self._decoy

    def _by(self, who: str, via: str) -> AuditedDocuments:
        return AuditedDocuments(self.documents, who, via, self.clock)

    def _event(self, subject: str, reason: str) -> Event:
        return Event(subject, self.clock.now(), reason, {})


def _random() -> str:
    return secrets.token_urlsafe(24)


def _age(token: Token) -> tuple[float, str]:
    return token.created_at, token.id


def _is_of(token: Token, caller: Caller) -> bool:
    return token.owner == caller.identity.name or caller.identity.may(Action.ACCESS)


def _words(grants: Sequence[Grant]) -> str:
    return ", ".join(written_grant(each) for each in grants)
