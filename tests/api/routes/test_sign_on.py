"""A browser goes to a real provider and comes back signed in."""

from urllib.parse import parse_qs, urlsplit

import pytest

from crossfade.core.access.roles import Grant, Role
from crossfade.core.access.sign_on import provider_of
from crossfade.engine.sign_on import SignOnCommands
from crossfade.testing.identity_server import identity_server

BEGIN, CALLBACK = "/api/v1/session/sign-on", "/api/v1/session/sign-on/callback"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with identity_server(tmp_path_factory.mktemp("identity")) as started:
        started.know("u1", {"preferred_username": "ann", "groups": ["ops"]})
        started.know("u2", {"preferred_username": "bob", "groups": []})
        yield started


@pytest.fixture
async def hub(api, server):
    groups = {"ops": [Grant(Role.RELEASER, "colors")]}
    provider = provider_of(server.issuer, "crossfade", "http://127.0.0.1:8780", groups)
    await SignOnCommands(api.world.store, api.world.clock).set(provider)
    yield api
    api.client.cookies.clear()


async def back(hub, server, subject):
    """Return the answer to a browser that comes back."""
    sent = await hub.client.get(BEGIN)
    assert sent.status_code == 302
    cookie = sent.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    address = server.sign_in(sent.headers["Location"], subject)
    return await hub.client.get(address.replace("http://127.0.0.1:8780", "http://hub"))


async def test_a_browser_comes_back_signed_in_with_the_rights_of_its_groups(hub, server):
    assert (await hub.client.get("/api/v1/session/options")).json()["issuer"] == server.issuer
    answer = await back(hub, server, "u1")

    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    session = (await hub.client.get("/api/v1/session")).json()
    assert session["account"] == "ann"
    assert session["grants"] == [{"role": "releaser", "application": "colors", "cluster": "*"}]
    assert session["csrf"]
    assert (await hub.client.get("/api/v1/applications/colors")).status_code == 200
    assert (await hub.client.get("/api/v1/applications/shapes")).status_code == 404


async def test_who_has_no_role_is_told_so(hub, server):
    answer = await back(hub, server, "u2")

    assert (answer.status_code, answer.json()["code"]) == (403, "not-allowed")
    assert (await hub.client.get("/api/v1/session")).status_code == 401


async def test_who_says_no_there_is_not_signed_in_here(hub, server):
    answer = await back(hub, server, "")

    assert answer.status_code == 401
    assert "access_denied" in answer.json()["detail"]


async def test_a_link_that_somebody_else_has_made_signs_nobody_in(hub, server):
    sent = await hub.client.get(BEGIN)
    address = server.sign_in(sent.headers["Location"], "u1")
    hub.client.cookies.clear()
    answer = await hub.client.get(address.replace("http://127.0.0.1:8780", "http://hub"))

    assert answer.status_code == 401
    assert "Set-Cookie" not in answer.headers


def here(address):
    return address.replace("http://127.0.0.1:8780", "http://hub")


async def test_an_answer_of_the_provider_counts_once(hub, server):
    sent = await hub.client.get(BEGIN)
    kept = dict(hub.client.cookies)
    address = here(server.sign_in(sent.headers["Location"], "u1"))
    assert (await hub.client.get(address)).status_code == 303
    hub.client.cookies.clear()
    hub.client.cookies.update(kept)
    again = await hub.client.get(address)

    assert again.status_code == 401
    assert "does not take the code" in again.json()["detail"]


async def test_the_code_of_one_browser_does_not_sign_another_one_in(hub, server):
    """Its own state and its own cookie do not help: nonce and verifier are those of the first."""
    first = await hub.client.get(BEGIN)
    stolen = parse_qs(urlsplit(server.sign_in(first.headers["Location"], "u1")).query)["code"][0]
    hub.client.cookies.clear()
    second = await hub.client.get(BEGIN)
    state = parse_qs(urlsplit(second.headers["Location"]).query)["state"][0]
    answer = await hub.client.get(CALLBACK, params={"state": state, "code": stolen})

    assert answer.status_code == 401
    assert (await hub.client.get("/api/v1/session")).status_code == 401


@pytest.mark.parametrize("name", ["next", "redirect_uri", "return_to", "url", "continue"])
async def test_nothing_that_a_link_says_leads_elsewhere_after_signing_in(hub, server, name):
    sent = await hub.client.get(BEGIN, params={name: "https://evil.example.com"})
    asked = parse_qs(urlsplit(sent.headers["Location"]).query)
    address = here(server.sign_in(sent.headers["Location"], "u1"))
    answer = await hub.client.get(f"{address}&{name}=//evil.example.com")

    assert asked["redirect_uri"] == ["http://127.0.0.1:8780/api/v1/session/sign-on/callback"]
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")


async def test_an_answer_that_says_to_be_of_another_provider_is_not_taken(hub, server):
    sent = await hub.client.get(BEGIN)
    address = here(server.sign_in(sent.headers["Location"], "u1"))
    mixed = await hub.client.get(f"{address}&iss=https://evil.example.com")
    good = await hub.client.get(f"{address}&iss={server.issuer}")

    assert mixed.status_code == 401
    assert "another identity provider" in mixed.json()["detail"]
    assert good.status_code == 303


async def test_what_was_begun_at_another_provider_is_not_ended_at_this_one(hub, server):
    sent = await hub.client.get(BEGIN)
    address = here(server.sign_in(sent.headers["Location"], "u1"))
    groups = {"ops": [Grant(Role.ADMIN)]}
    other = provider_of(server.issuer, "another", "http://127.0.0.1:8780", groups)
    await SignOnCommands(hub.world.store, hub.world.clock).set(other)
    answer = await hub.client.get(address)

    assert answer.status_code == 401
    assert "another browser" in answer.json()["detail"]


async def test_a_browser_that_was_signed_in_as_somebody_else_has_a_session_of_its_own(hub, server):
    """A cookie that was put there before is of no use to who put it there."""
    await back(hub, server, "u1")
    first = hub.client.cookies["crossfade_session"]
    await back(hub, server, "u1")

    assert hub.client.cookies["crossfade_session"] != first


async def test_without_a_provider_it_is_said_how_to_sign_in(api):
    assert (await api.client.get("/api/v1/session/options")).json() == {
        "issuer": None,
        "trouble": "",
    }
    assert (await api.client.get(BEGIN)).status_code == 404
    assert (await api.client.get(CALLBACK)).status_code == 401


HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


async def test_a_browser_that_is_not_let_in_is_told_so_once_by_the_page_itself(hub, server):
    sent = await hub.client.get(BEGIN)
    address = server.sign_in(sent.headers["Location"], "u2")
    there = address.replace("http://127.0.0.1:8780", "http://hub")
    answer = await hub.client.get(there, headers=HTML)
    told = (await hub.client.get("/api/v1/session/options")).json()["trouble"]

    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert "HttpOnly" in answer.headers["Set-Cookie"]
    assert told.startswith("none of your groups has a role here; an admin gives one")
    assert (await hub.client.get("/api/v1/session/options")).json()["trouble"] == ""
    assert (await hub.client.get("/api/v1/session")).status_code == 401


@pytest.mark.parametrize("address", [BEGIN, f"{CALLBACK}?error=<script>%22%0a{'é' * 300}"])
async def test_a_browser_is_never_shown_json_however_it_comes(api, address):
    answer = await api.client.get(address, headers=HTML)
    told = (await api.client.get("/api/v1/session/options")).json()["trouble"]
    api.client.cookies.clear()

    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert "identity provider" in told


async def test_words_that_somebody_puts_into_a_link_are_not_shown_as_those_of_the_provider(hub):
    await hub.client.get(BEGIN)
    for link in ("?error=call 555-0100", "?error=call 555-0100&state=guessed"):
        await hub.client.get(CALLBACK + link, headers=HTML)
        told = (await hub.client.get("/api/v1/session/options")).json()["trouble"]

        assert told
        assert "555-0100" not in told
