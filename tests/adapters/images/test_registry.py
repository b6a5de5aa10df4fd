"""Registries that are tired, ask for tokens, or send us elsewhere."""

import httpx
import pytest

from crossfade.adapters.images import registry as module
from crossfade.adapters.images.credentials import Credentials
from crossfade.adapters.images.registry import Registry
from crossfade.base.errors import Denied, Unavailable
from crossfade.core.image.reference import reference

BLOB = "sha256:" + "1" * 64


@pytest.fixture
def ask(monkeypatch):
    """Return a registry whose answers are those of a function."""
    monkeypatch.setattr(module, "_WAITS_SECONDS", (0.0, 0.0))

    def make(answer, name="r.example.com/team/app:1", credentials=None):
        found = Registry(reference(name), credentials)
        found._client = httpx.Client(transport=httpx.MockTransport(answer))
        return found

    return make


def test_a_registry_that_is_tired_is_asked_again_and_in_the_end_given_up(ask):
    answers = [503, 429, 200]
    assert ask(lambda _: httpx.Response(answers.pop(0))).has(BLOB)

    with pytest.raises(Unavailable, match="answers 502"):
        ask(lambda _: httpx.Response(502)).has(BLOB)


def test_a_refusal_is_not_asked_again(ask):
    asked = []

    def answer(request):
        asked.append(request)
        return httpx.Response(403)

    with pytest.raises(Denied):
        ask(answer).has(BLOB)
    assert len(asked) == 1


@pytest.mark.parametrize("code", [403, 400, 507])
def test_a_registry_that_refuses_in_the_middle_is_heard_with_its_own_words(ask, code):
    body = {"errors": [{"code": "DENIED", "message": "quota exceeded\nfor team"}]}
    with pytest.raises(Unavailable, match="quota exceeded for team"):
        ask(lambda _: httpx.Response(code, json=body)).has(BLOB)


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"[]",
        b'{"errors": []}',
        b'{"errors": [7]}',
        b'{"errors": [{"message": "\\u001b"}]}',
    ],
)
def test_a_registry_that_says_nothing_to_be_shown_is_told_by_its_status(ask, body):
    with pytest.raises(Denied) as raised:
        ask(lambda _: httpx.Response(403, content=body)).has(BLOB)
    assert str(raised.value).startswith("the registry does not let us at r.example.com/team/app (")


def test_a_token_is_fetched_with_our_password_and_used(ask):
    challenge = 'Bearer realm="https://auth.example.com/token",service="r.example.com"'

    def answer(request):
        if request.url.host == "auth.example.com":
            assert request.headers["authorization"].startswith("Basic ")
            assert request.url.params["scope"] == "repository:team/app:pull,push"
            return httpx.Response(200, json={"token": "t"})
        if request.headers.get("authorization") == "Bearer t":
            return httpx.Response(200)
        return httpx.Response(401, headers={"www-authenticate": challenge})

    assert ask(answer, credentials=Credentials("u", "p")).has(BLOB)


def test_a_password_is_not_sent_to_an_unsafe_place_for_tokens(ask):
    challenge = 'Bearer realm="http://auth.example.com/token"'

    def answer(request):
        assert request.url.host == "r.example.com"
        return httpx.Response(401, headers={"www-authenticate": challenge})

    with pytest.raises(Unavailable, match="unsafe place"):
        ask(answer, credentials=Credentials("u", "p")).has(BLOB)


def test_who_we_are_is_for_the_registry_alone_when_it_sends_us_elsewhere(ask, tmp_path):
    (tmp_path / "blob").write_bytes(b"x")
    seen = []

    def answer(request):
        seen.append((request.url.host, "authorization" in request.headers))
        if request.url.host == "storage.example.net":
            return httpx.Response(201 if request.method == "PUT" else 200, content=b"x")
        if "authorization" not in request.headers:
            return httpx.Response(401, headers={"www-authenticate": "Basic realm=x"})
        where = {"location": "https://storage.example.net/x?signed=1"}
        return httpx.Response(202 if request.method == "POST" else 307, headers=where)

    registry = ask(answer, credentials=Credentials("u", "p"))
    registry.put(BLOB, tmp_path / "blob")
    registry.get(BLOB, b"".join)

    assert {each for each in seen if each[0] == "storage.example.net"} == {
        ("storage.example.net", False)
    }


def test_tls_is_left_out_on_this_machine_only(ask):
    schemes = []

    def answer(request):
        schemes.append(request.url.scheme)
        return httpx.Response(200)

    for name in ("r.example.com/a:1", "127.0.0.1:5000/a:1", "127.0.0.1.example.com/a:1"):
        ask(answer, name).has(BLOB)
    assert schemes == ["https", "http", "https"]
