"""Signing in against a real provider, and ID tokens of whoever is none."""

import base64
import hashlib
import hmac
import json
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from crossfade.adapters.http.caller import Answer
from crossfade.adapters.sign_on.oidc import OidcProvider
from crossfade.base.clock import SteadyClock
from crossfade.base.errors import NotSignedIn, Unavailable
from crossfade.core.access.roles import Grant, Role
from crossfade.core.access.sign_on import Attempt, Claims, provider_of
from crossfade.testing.clock import FakeClock
from crossfade.testing.fake_secrets import FakeSecrets
from crossfade.testing.identity_server import identity_server

ATTEMPT = Attempt("state", "nonce", "v" * 43)
ROLES = {"platform": [Grant(Role.ADMIN)]}
ISSUER, CLIENT = "https://login.example.com", "crossfade"
NOW = 1_800_000_000
KEY, OTHER = RSAKey.generate_key(2048), RSAKey.generate_key(2048)
PUBLIC = KEY.as_dict(private=False, kid="k", use="sig")


def named(issuer=ISSUER):
    return provider_of(issuer, CLIENT, "http://127.0.0.1:8780", ROLES)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with identity_server(tmp_path_factory.mktemp("identity")) as started:
        yield started


@pytest.fixture
async def oidc():
    made = OidcProvider(FakeSecrets(oidc_client_secret="hush"), SteadyClock())
    yield made
    await made.close()


async def test_a_real_provider_says_who_somebody_is_and_their_groups(server, oidc):
    server.know("u1", {"preferred_username": "ann", "groups": ["platform", "eu"]})
    provider = named(server.issuer)
    back = server.sign_in(await oidc.address(provider, ATTEMPT), "u1")
    query = parse_qs(urlsplit(back).query)

    assert back.startswith(provider.redirect)
    assert query["state"] == ["state"]
    claims = await oidc.identify(provider, ATTEMPT, query["code"][0])
    assert claims == Claims("u1", "ann", ("platform", "eu"))


async def test_a_code_is_taken_once_and_with_its_own_attempt(server, oidc):
    provider = named(server.issuer)
    back = server.sign_in(await oidc.address(provider, ATTEMPT), "u2")
    code = parse_qs(urlsplit(back).query)["code"][0]
    other = Attempt("state", "another nonce", "v" * 43)

    with pytest.raises(NotSignedIn, match="cannot be trusted"):
        await oidc.identify(provider, other, code)
    with pytest.raises(NotSignedIn, match="does not take the code"):
        await oidc.identify(provider, ATTEMPT, code)


async def test_a_provider_that_calls_itself_otherwise_is_not_trusted(server, oidc):
    other = server.issuer.replace("localhost", "127.0.0.1")
    provider = named(other)
    found = await oidc.address(provider, ATTEMPT)
    assert found.startswith(other)
    with pytest.raises(Unavailable):
        await oidc.address(named(f"{server.issuer}/realm"), ATTEMPT)


class Hostile:
    """A provider whose ID token says whatever it is told to."""

    def __init__(self, token, keys=None, told=None, **metadata):
        self.token, self.metadata, self.sent = token, metadata, []
        self.keys, self.told = keys or [PUBLIC], told

    async def send(self, call, seconds=None):
        self.sent.append(call)
        if call.url.endswith("openid-configuration"):
            body = {
                "issuer": ISSUER,
                "authorization_endpoint": f"{ISSUER}/authorize",
                "token_endpoint": f"{ISSUER}/token",
                "jwks_uri": f"{ISSUER}/keys",
            } | self.metadata
        elif call.url.endswith("/token"):
            body = {"id_token": self.token, "access_token": "a"}
        elif call.url.endswith("/userinfo"):
            body = self.told
        else:
            body = {"keys": self.keys}
        return Answer(200, json.dumps(body), {})


def claims(**changes):
    told = {"iss": ISSUER, "aud": CLIENT, "sub": "u", "nonce": "nonce", "exp": NOW + 60, "iat": NOW}
    return {key: value for key, value in (told | changes).items() if value is not None}


def signed(told, key=KEY, **header):
    parts = {"alg": "RS256", "kid": "k"} | header
    return jwt.encode({name: each for name, each in parts.items() if each}, told, key)


def parts(alg, told):
    texts = [
        base64.urlsafe_b64encode(json.dumps(each).encode()).decode().rstrip("=")
        for each in ({"alg": alg, "kid": "k"}, told)
    ]
    return ".".join(texts)


def signed_with_what_everybody_knows(told):
    text = parts("HS256", told)
    digest = hmac.digest(KEY.as_pem(private=False), text.encode(), "sha256")
    return f"{text}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


async def identify(token, **metadata):
    oidc = OidcProvider(FakeSecrets(), FakeClock(NOW))
    oidc._caller = Hostile(token, **metadata)
    return await oidc.identify(named(), ATTEMPT, "code"), oidc._caller.sent


async def test_a_good_token_is_taken():
    told = claims(groups="platform", email="ann@example.com", email_verified=True)
    found, _ = await identify(signed(told))

    assert found == Claims("u", "ann@example.com", ("platform",))


async def test_a_provider_that_writes_itself_with_a_slash_at_its_end_is_taken():
    """As Auth0 does: its tokens have the slash too, and the settings never."""
    told = f"{ISSUER}/"
    found, sent = await identify(signed(claims(iss=told)), issuer=told)

    assert found.subject == "u"
    assert sent[0].url == f"{ISSUER}/.well-known/openid-configuration"
    with pytest.raises(NotSignedIn):
        await identify(signed(claims(iss=told)))


@pytest.mark.parametrize("checked", [False, None, "false", 1.5, ["true"]])
async def test_an_address_that_nobody_has_checked_is_no_name(checked):
    told = claims(email="admin@example.com", email_verified=checked)
    found, _ = await identify(signed(told))

    assert found.name == "u"


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(signed(claims(nonce="another")), id="of-another-attempt"),
        pytest.param(signed(claims(nonce=None)), id="of-no-attempt"),
        pytest.param(signed(claims(aud="another")), id="for-another-client"),
        pytest.param(signed(claims(aud=[CLIENT, "another"])), id="for-many"),
        pytest.param(signed(claims(azp="another")), id="given-to-another-client"),
        pytest.param(signed(claims(iss="https://evil.example.com")), id="of-another-issuer"),
        pytest.param(signed(claims(exp=NOW - 120)), id="too-old"),
        pytest.param(signed(claims(exp=None)), id="for-ever"),
        pytest.param(signed(claims(sub=None)), id="of-nobody"),
        pytest.param(signed(claims(azp="another", aud=[CLIENT])), id="given-to-another-of-one"),
        pytest.param(signed(claims(exp=str(NOW + 60))), id="for-a-text"),
        pytest.param(signed(claims(iat=NOW + 600)), id="made-tomorrow"),
        pytest.param(signed(claims(nbf=NOW + 600)), id="not-yet"),
        pytest.param(signed(claims(sub="")), id="of-nobody-by-name"),
        pytest.param(signed(claims(sub=["u"])), id="of-a-list"),
        pytest.param(signed(claims(sub=7)), id="of-a-number"),
        pytest.param(signed(claims(iss=f"{ISSUER}/")), id="of-an-issuer-that-is-written-otherwise"),
        pytest.param(signed(claims(), OTHER), id="of-another-key"),
        pytest.param(signed(claims(), OTHER, kid="other"), id="of-a-key-of-nobody"),
        pytest.param(
            signed(claims(), OTHER, jwk=OTHER.as_dict(private=False)), id="of-a-key-of-its-own"
        ),
        pytest.param(
            signed(claims(), OTHER, jku="https://evil.example.com/keys"), id="of-a-key-elsewhere"
        ),
        pytest.param(signed(claims()).rpartition(".")[0] + ".", id="without-its-signature"),
        pytest.param(parts("NONE", claims()) + ".", id="not-signed-and-said-otherwise"),
        pytest.param(parts("none", claims()) + ".", id="not-signed"),
        pytest.param(signed_with_what_everybody_knows(claims()), id="signed-with-a-public-key"),
        pytest.param("", id="none"),
        pytest.param("a.b.c", id="rubbish"),
    ],
)
async def test_a_token_that_is_not_for_this_attempt_signs_nobody_in(token):
    with pytest.raises(NotSignedIn):
        await identify(token)


async def test_an_id_token_says_which_of_several_keys_has_signed_it():
    keys = [OTHER.as_dict(private=False, kid="o"), PUBLIC]
    found, _ = await identify(signed(claims()), keys=keys)
    assert found.subject == "u"
    for token in (signed(claims(), OTHER), signed(claims(), OTHER, kid=None)):
        with pytest.raises(NotSignedIn):
            await identify(token, keys=keys)


async def test_a_key_that_is_for_something_else_signs_nobody_in():
    other = OctKey.import_key("a secret that everybody knows who reads the keys of the provider")
    known = other.as_dict(private=True, kid="k")
    with pytest.raises(NotSignedIn):
        await identify(jwt.encode({"alg": "HS256", "kid": "k"}, claims(), other), keys=[known])
    with pytest.raises(NotSignedIn):
        await identify(signed(claims()), keys=[PUBLIC | {"use": "enc"}])


@pytest.mark.parametrize("told", [None, {}, 7, True, [7, None, {"platform": 1}, ["platform"]]])
async def test_who_has_no_groups_that_are_names_has_none(told):
    found, _ = await identify(signed(claims(groups=told)))

    assert found.groups == ()


async def test_groups_are_asked_for_where_the_token_has_none_and_only_of_who_it_is_about():
    there = f"{ISSUER}/userinfo"
    told = {"sub": "u", "groups": ["platform"]}
    found, _ = await identify(signed(claims()), told=told, userinfo_endpoint=there)
    assert found.groups == ("platform",)
    for other in ({"groups": ["platform"]}, {"sub": "admin", "groups": ["platform"]}):
        with pytest.raises(NotSignedIn, match="somebody else"):
            await identify(signed(claims()), told=other, userinfo_endpoint=there)


async def test_the_verifier_is_sent_with_the_code_and_only_its_hash_before():
    provider, oidc = named(), OidcProvider(FakeSecrets(), FakeClock(NOW))
    oidc._caller = Hostile(signed(claims()))
    address = await oidc.address(provider, ATTEMPT)
    await oidc.identify(provider, ATTEMPT, "code")
    asked = parse_qs(urlsplit(address).query)
    (redeemed,) = [each for each in oidc._caller.sent if each.url.endswith("/token")]
    digest = hashlib.sha256(ATTEMPT.verifier.encode()).digest()

    assert asked["code_challenge_method"] == ["S256"]
    assert asked["code_challenge"] == [base64.urlsafe_b64encode(digest).decode().rstrip("=")]
    assert ATTEMPT.verifier not in address
    assert parse_qs(redeemed.body.decode())["code_verifier"] == [ATTEMPT.verifier]


@pytest.mark.parametrize("by_post", [False, True])
async def test_the_secret_of_the_client_goes_where_it_is_taken_and_is_never_shown(by_post):
    oidc = OidcProvider(FakeSecrets(oidc_client_secret="hush"), FakeClock(NOW))
    ways = ["client_secret_post"] if by_post else ["client_secret_basic"]
    oidc._caller = Hostile(signed(claims()), token_endpoint_auth_methods_supported=ways)
    await oidc.identify(named(), ATTEMPT, "code")
    (call,) = [each for each in oidc._caller.sent if each.url.endswith("/token")]

    assert ("client_secret=hush" in call.body.decode()) is by_post
    assert ("Authorization" in call.headers) is not by_post
    assert "hush" not in call.shown("hush code")


async def test_an_endpoint_without_tls_is_not_used():
    from crossfade.base.errors import InputError

    with pytest.raises(InputError, match="cannot be trusted"):
        await identify(signed(claims()), token_endpoint="http://login.example.com/token")
