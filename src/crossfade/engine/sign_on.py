"""Signing in by an identity provider, from the way there to the session."""

import base64
import hmac
import secrets
from dataclasses import dataclass, field, replace

from crossfade.base.clock import Clock
from crossfade.base.codec import from_json, to_json
from crossfade.base.errors import NotAllowed, NotFound, NotSignedIn
from crossfade.core.access.people import Account
from crossfade.core.access.sign_on import Attempt, Claims, Provider, account_of, grants_for
from crossfade.engine.access_records import ACCOUNT, SIGN_ON
from crossfade.engine.accounts import Accounts, SignedIn
from crossfade.engine.audit import AuditedDocuments
from crossfade.engine.retries import again_on_conflict
from crossfade.ports.documents import Documents, Event, Remove, Save
from crossfade.ports.identity_provider import IdentityProvider

ATTEMPT_SECONDS = 600.0
_NAME = "current"
_AGAIN = "begin again at the page of the hub"


@dataclass(frozen=True, slots=True)
class Begun:
    """A browser on its way to the provider."""

    cookie: str
    """It has to come back with this."""
    address: str


@dataclass(frozen=True, slots=True)
class SignOnCommands:
    """What admins say of the provider; `documents` say who does."""

    documents: Documents
    clock: Clock

    async def find(self) -> Provider | None:
        """Return the provider, None when there is none."""
        stored = await self.documents.get(SIGN_ON, _NAME)
        return from_json(Provider, stored.body) if stored else None

    async def set(self, provider: Provider) -> None:
        """Have people sign in by this provider."""

        async def save() -> None:
            stored = await self.documents.get(SIGN_ON, _NAME)
            version = stored.version if stored else 0
            event = Event(f"{SIGN_ON}/{_NAME}", self.clock.now(), f"is {provider.issuer}", {})
            change = Save(SIGN_ON, _NAME, version, to_json(provider))
            await self.documents.commit((change,), (event,))

        await again_on_conflict(save)

    async def remove(self) -> None:
        """Have nobody sign in so any more.  Raises NotFound."""
        stored = await self.documents.get(SIGN_ON, _NAME)
        if stored is None:
            raise NotFound("there is no identity provider", hint="`crossfade sso set` names one")
        event = Event(f"{SIGN_ON}/{_NAME}", self.clock.now(), "removed", {})
        await self.documents.commit((Remove(SIGN_ON, _NAME, stored.version),), (event,))


@dataclass(frozen=True, slots=True)
class SignOn:
    """
    Sends browsers to the provider and takes them back.

    Nothing is kept of those on their way: their cookie has a number, and all that ties the answer
    to it follows from that number by a key of this process.
    """

    accounts: Accounts
    identities: IdentityProvider
    clock: Clock
    _key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    async def provider(self) -> Provider | None:
        """Return who vouches for people, None when nobody does."""
        return await SignOnCommands(self.accounts.documents, self.clock).find()

    async def begin(self) -> Begun:
        """Return where a browser is sent to.  Raises NotFound without a provider, Unavailable."""
        provider = await self._required()
        cookie = f"{secrets.token_hex(16)}.{int(self.clock.now())}"
        address = await self.identities.address(provider, self._attempt(provider, cookie))
        return Begun(f"{cookie}.{self._derived('cookie', cookie)}", address)

    async def finish(self, cookie: str, state: str, code: str, issuer: str = "") -> SignedIn:
        """
        Return a new session for who has come back.

        `issuer` is who says to have sent it back (RFC 9207), "" where that is not said.

        Raises NotSignedIn for a browser that was not sent, NotAllowed for who has no role here.
        """
        provider = await self._required()
        attempt = self._returned(provider, cookie, state)
        if issuer and issuer.rstrip("/") != provider.issuer:
            raise NotSignedIn("the answer is of another identity provider", hint=_AGAIN)
        claims = await self.identities.identify(provider, attempt, code)
        return await self.accounts.signed_in(await self._account(provider, claims))

    async def _required(self) -> Provider:
        provider = await self.provider()
        if provider is None:
            raise NotFound("there is no identity provider", hint="sign in with a password")
        return provider

    def _returned(self, provider: Provider, cookie: str, state: str) -> Attempt:
        begun, _, mac = cookie.rpartition(".")
        good = hmac.compare_digest(mac.encode(), self._derived("cookie", begun).encode())
        at = begun.rpartition(".")[2]
        if not good or not 0 <= self.clock.now() - int(at) < ATTEMPT_SECONDS:
            raise NotSignedIn("this browser was not on its way here, or for too long", hint=_AGAIN)
        attempt = self._attempt(provider, begun)
        if not hmac.compare_digest(state.encode(), attempt.state.encode()):
            raise NotSignedIn("the answer is for another browser", hint=_AGAIN)
        return attempt

    def _attempt(self, provider: Provider, cookie: str) -> Attempt:
        """Return what this provider is asked with: what another one was is of no use to it."""
        begun = f"{provider.issuer} {provider.client_id} {cookie}"
        names = ("state", "nonce", "verifier")
        return Attempt(*(self._derived(each, begun) for each in names))

    def _derived(self, name: str, cookie: str) -> str:
        digest = hmac.digest(self._key, f"{name} {cookie}".encode(), "sha256")
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    async def _account(self, provider: Provider, claims: Claims) -> Account:
        """Return the account, with the rights that its groups give it now."""
        name, grants = account_of(provider, claims), grants_for(provider, claims)
        documents = AuditedDocuments(self.accounts.documents, name, "single sign-on", self.clock)
        if not grants:
            await documents.refused(f"sign in: none of the groups of {claims.name!r} has a role")
            raise NotAllowed(
                "none of your groups has a role here",
                hint="an admin gives one: `crossfade sso set --group GROUP=ROLE`",
            )

        async def save() -> Account:
            stored = await documents.get(ACCOUNT, name)
            now = self.clock.now()
            fresh = Account(name, "", grants, False, provider.issuer, now, claims.subject)
            before = from_json(Account, stored.body) if stored else fresh
            # Names change hands, and there are accounts with passwords: those are somebody else.
            if (before.issuer, before.subject) != (provider.issuer, claims.subject):
                await documents.refused("sign in: the name is somebody else's")
                raise NotAllowed(
                    f"the account `{name}` is somebody else's here",
                    hint="an admin has to look at it: `crossfade account list`",
                )
            after = replace(before, grants=grants)
            if stored is None or after != before:
                event = Event(f"{ACCOUNT}/{name}", now, f"vouched for by {provider.issuer}", {})
                version = stored.version if stored else 0
                await documents.commit((Save(ACCOUNT, name, version, to_json(after)),), (event,))
            return after

        account = await again_on_conflict(save)
        if account.disabled:
            raise NotSignedIn("the account is disabled", hint="an admin enables it")
        return account
