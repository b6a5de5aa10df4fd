"""OpenID Connect: authorization code with PKCE, and ID tokens that are checked in full."""

import base64
import hashlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from crossfade.adapters.http.caller import Answer, Call, HttpCaller, no_json, refused
from crossfade.base.clock import Clock
from crossfade.base.errors import NotFound, NotSignedIn, Unavailable
from crossfade.base.secrets import Secret, SecretRef
from crossfade.core.access.sign_on import Attempt, Claims, Provider, require_private
from crossfade.ports.secrets import Secrets

CLIENT_SECRET = SecretRef("oidc-client-secret")
_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
"""None that is keyed by what the client knows: whoever learns that could sign for anybody."""
_KEPT_SECONDS = 600.0
_LEEWAY_SECONDS = 60
_WHO = "the identity provider"
_AGAIN = "sign in again; if it goes on, look at the configuration: `crossfade sso show`"


@dataclass(frozen=True, slots=True)
class _Known:
    """What the provider says of itself."""

    at: float
    issuer: str
    """As it writes itself: some end in a slash, which is all that may differ from ours."""
    authorization: str
    token: str
    keys: str
    userinfo: str
    by_post: bool
    """The client's secret is taken in the body only."""


class OidcProvider:
    """The port IdentityProvider."""

    def __init__(self, secrets: Secrets, clock: Clock) -> None:
        self._secrets, self._clock = secrets, clock
        self._caller = HttpCaller()
        self._known: dict[str, _Known] = {}

    async def close(self) -> None:
        """Close the connections."""
        await self._caller.close()

    async def address(self, provider: Provider, attempt: Attempt) -> str:
        """Return where the browser is sent to; see the port."""
        known = await self._discover(provider.issuer)
        digest = hashlib.sha256(attempt.verifier.encode()).digest()
        query = urlencode(
            {
                "response_type": "code",
                "client_id": provider.client_id,
                "redirect_uri": provider.redirect,
                "scope": " ".join(provider.scopes),
                "state": attempt.state,
                "nonce": attempt.nonce,
                "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
                "code_challenge_method": "S256",
            }
        )
        return f"{known.authorization}{'&' if '?' in known.authorization else '?'}{query}"

    async def identify(self, provider: Provider, attempt: Attempt, code: str) -> Claims:
        """Return who has come back with the code; see the port."""
        known = await self._discover(provider.issuer)
        tokens = await self._redeem(known, provider, attempt, code)
        claims = await self._checked(known, provider, attempt, str(tokens.get("id_token", "")))
        if provider.groups_claim not in claims and known.userinfo:
            claims = {**await self._userinfo(known, tokens, claims["sub"]), **claims}
        return _claims(provider, claims)

    async def _discover(self, issuer: str) -> _Known:
        now, found = self._clock.now(), self._known.get(issuer)
        if found is not None and now - found.at < _KEPT_SECONDS:
            return found
        data = await self._json(Call(f"{issuer}/.well-known/openid-configuration"))
        own = str(data.get("issuer", ""))
        if own.rstrip("/") != issuer:
            raise Unavailable(
                f"{_WHO} calls itself {own[:100]!r}, not {issuer!r}",
                hint="give its issuer exactly as it writes it: `crossfade sso set`",
            )
        names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        addresses = [str(data.get(name, "")) for name in names]
        for address in addresses:
            require_private(address.partition("?")[0])
        ways = data.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        by_post = "client_secret_basic" not in ways
        userinfo = str(data.get("userinfo_endpoint", ""))
        authorization, token, keys = addresses
        found = _Known(now, own, authorization, token, keys, userinfo, by_post)
        self._known[issuer] = found
        return found

    async def _redeem(
        self, known: _Known, provider: Provider, attempt: Attempt, code: str
    ) -> dict[str, Any]:
        body = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": provider.redirect,
            "client_id": provider.client_id,
            "code_verifier": attempt.verifier,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        hidden = [Secret(code), Secret(attempt.verifier)]
        secret = await self._client_secret()
        if secret is not None and known.by_post:
            body["client_secret"] = secret.reveal()
        elif secret is not None:
            pair = f"{quote(provider.client_id, safe='')}:{quote(secret.reveal(), safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        if secret is not None:
            hidden.append(secret)
        call = Call(
            known.token,
            "POST",
            headers=headers,
            body=urlencode(body).encode(),
            secrets=tuple(hidden),
        )
        answer = await self._caller.send(call)
        if answer.status == 400:  # RFC 6749: the code is wrong, used, or too old
            raise NotSignedIn(f"{_WHO} does not take the code", hint=_AGAIN)
        return _object(call, answer)

    async def _client_secret(self) -> Secret | None:
        try:
            return await self._secrets.resolve(CLIENT_SECRET)
        except NotFound:
            return None  # a public client, which PKCE is for

    async def _checked(
        self, known: _Known, provider: Provider, attempt: Attempt, text: str
    ) -> dict[str, Any]:
        """Return what the ID token says, which is for us, now, and for this attempt."""
        keys = await self._json(Call(known.keys))
        registry = jwt.JWTClaimsRegistry(
            now=int(self._clock.now()),
            leeway=_LEEWAY_SECONDS,
            iss={"essential": True, "value": known.issuer},
            aud={"essential": True, "value": provider.client_id},
            exp={"essential": True},
            nonce={"essential": True, "value": attempt.nonce},
            sub={"essential": True},
        )
        try:
            token = jwt.decode(text, KeySet.import_key_set(keys), algorithms=list(_ALGORITHMS))  # type: ignore[arg-type]
            registry.validate(token.claims)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            what = f"what {_WHO} says cannot be trusted: {type(error).__name__}"
            raise NotSignedIn(what, hint=_AGAIN) from None
        claims: dict[str, Any] = token.claims
        if not isinstance(claims["sub"], str):
            raise NotSignedIn(f"{_WHO} does not say who it is", hint=_AGAIN)
        many = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if (many or "azp" in claims) and claims.get("azp") != provider.client_id:
            raise NotSignedIn(f"what {_WHO} says is for somebody else", hint=_AGAIN)
        return claims

    async def _userinfo(
        self, known: _Known, tokens: dict[str, Any], subject: object
    ) -> dict[str, Any]:
        access = Secret(str(tokens.get("access_token", "")))
        headers = {"Authorization": f"Bearer {access.reveal()}"}
        require_private(known.userinfo)
        found = await self._json(Call(known.userinfo, headers=headers, secrets=(access,)))
        if found.get("sub") != subject:
            raise NotSignedIn(f"{_WHO} tells of somebody else", hint=_AGAIN)
        return found

    async def _json(self, call: Call) -> dict[str, Any]:
        return _object(call, await self._caller.send(call))


def _object(call: Call, answer: Answer) -> dict[str, Any]:
    if answer.status != 200:
        raise refused(call, answer, _WHO)
    found = answer.json()
    if not isinstance(found, dict):
        raise no_json(call, answer, "an identity provider")
    return found


def _claims(provider: Provider, claims: dict[str, Any]) -> Claims:
    told = claims.get(provider.groups_claim)
    groups = [told] if isinstance(told, str) else told if isinstance(told, list) else []
    # Without a word about it, an address may be anybody's: some providers let people write it.
    checked = claims.get("email_verified") in (True, "true")
    name = claims.get("preferred_username") or (checked and claims.get("email")) or claims["sub"]
    found = tuple(each for each in groups if isinstance(each, str))
    return Claims(claims["sub"], str(name), found)
