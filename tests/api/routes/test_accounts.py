"""Accounts and secrets over HTTP: changed by who is signed in, and nothing secret is answered."""

import pytest

from crossfade.core.access.roles import Grant, Role

ADMIN = Grant(Role.ADMIN)
PASSWORD = "correct horse battery"


@pytest.fixture
async def browser(api):
    """Ask as a browser of `admin`."""
    body = {"name": "admin", "password": api.password.reveal()}
    signed = await api.client.post("/api/v1/session", json=body)
    csrf = {"X-CSRF-Token": signed.json()["csrf"]}

    async def ask(method, path, **more):
        return await api.client.request(method, f"/api/v1{path}", headers=csrf, **more)

    yield ask
    api.client.cookies.clear()


def account(name="ann", role="viewer", **more):
    return {"name": name, "grants": [{"role": role, "application": "colors"}]} | more


async def test_an_account_is_made_and_its_password_answered_once(api, browser):
    made = await browser("POST", "/accounts", json=account())
    given = await browser("POST", "/accounts", json=account("bob", password=PASSWORD))
    listed = await browser("GET", "/accounts")

    assert made.status_code == 201
    assert len(made.json()["password"]) == 20
    assert given.json() == {"account": "bob", "password": None}
    assert [each["name"] for each in listed.json()] == ["admin", "ann", "bob"]
    assert PASSWORD not in listed.text
    assert "kept" not in listed.text
    signed = {"name": "ann", "password": made.json()["password"]}
    assert (await api.client.post("/api/v1/session", json=signed)).status_code == 201


async def test_rights_are_changed_and_accounts_disabled(browser):
    await browser("POST", "/accounts", json=account())
    grants = [{"role": "releaser", "application": "*", "cluster": "*"}]
    changed = await browser("PATCH", "/accounts/ann", json={"grants": grants, "disabled": True})

    assert (changed.json()["grants"], changed.json()["disabled"]) == (grants, True)
    last = await browser("PATCH", "/accounts/admin", json={"disabled": True})
    assert (last.status_code, last.json()["code"]) == (409, "unsafe-plan")
    assert (await browser("PATCH", "/accounts/nobody", json={})).status_code == 404


async def test_of_a_change_that_is_refused_nothing_is_done(browser):
    """Its author believes that all is as before."""
    grants = [
        {"role": "admin", "application": "*", "cluster": "*"},
        {"role": "viewer", "application": "colors", "cluster": "*"},
    ]
    refused = await browser("PATCH", "/accounts/admin", json={"grants": grants, "disabled": True})

    assert (refused.status_code, refused.json()["code"]) == (409, "unsafe-plan")
    (admin,) = (await browser("GET", "/accounts")).json()
    assert admin["grants"] == grants[:1]


async def test_a_token_makes_no_accounts_as_it_would_outlive_itself_so(api):
    for method, path in (("POST", "/accounts"), ("POST", "/accounts/admin/password")):
        body = account() if path == "/accounts" else {}
        answer = await api.ask(method, path, ADMIN, json=body)
        assert answer.status_code == 403
        assert "a token changes no accounts" in answer.json()["detail"]


async def test_a_token_that_was_made_for_it_changes_accounts_until_it_is_revoked(api, browser):
    wanted = {"name": "admin's laptop", "grants": [{"role": "admin"}], "accounts": True}
    made = (await browser("POST", "/tokens", json=wanted)).json()
    api.client.cookies.clear()
    headers = {"Authorization": f"Bearer {made['text']}"}

    async def ask(method, path, **more):
        return await api.client.request(method, f"/api/v1{path}", headers=headers, **more)

    assert made["token"]["accounts"] is True
    assert (await ask("POST", "/accounts", json=account())).status_code == 201
    given = {"password": PASSWORD}
    reset = await ask("POST", "/accounts/ann/password", json=given)
    assert reset.json() == {"account": "ann", "password": None}
    assert (await ask("POST", "/tokens", json=wanted)).status_code == 403, "it makes no other one"
    assert (await ask("DELETE", f"/tokens/{made['token']['id']}")).status_code == 204
    assert (await ask("GET", "/accounts")).status_code == 401


async def test_who_may_not_change_accounts_makes_no_token_that_does(api, browser):
    await browser("POST", "/accounts", json=account(password=PASSWORD))
    signed = {"name": "ann", "password": PASSWORD}
    csrf = (await api.client.post("/api/v1/session", json=signed)).json()["csrf"]
    wanted = {"name": "t", "grants": [{"role": "viewer"}], "accounts": True}
    asked = await api.client.post("/api/v1/tokens", json=wanted, headers={"X-CSRF-Token": csrf})

    assert (asked.status_code, asked.json()["code"]) == (403, "not-allowed")


async def test_keys_are_rotated_once_for_a_key_of_the_request_and_told_in_the_audit_log(api):
    await api.ask("PUT", "/secrets/a", ADMIN, json={"value": "v"})
    headers = {"Idempotency-Key": "k"}
    first = await api.ask("POST", "/secrets/rotation", ADMIN, json={}, headers=headers)
    again = await api.ask("POST", "/secrets/rotation", ADMIN, json={}, headers=headers)

    assert first.json()["sealed_again"] == 1
    assert again.json() == {"key": first.json()["key"], "sealed_again": 0}
    log = (await api.ask("GET", "/audit", ADMIN)).text
    assert f"secret-key/{first.json()['key']}: seals from now on" in log


async def test_the_identity_provider_is_named_by_who_may_change_accounts(api, browser):
    wanted = {
        "issuer": "https://login.example.com",
        "client_id": "crossfade",
        "url": "https://crossfade.example.com/",
        "groups": {"ops": [{"role": "viewer", "application": "colors"}]},
    }
    refused = await api.ask("PUT", "/identity-provider", ADMIN, json=wanted)
    assert (refused.status_code, refused.json()["code"]) == (403, "not-allowed")
    unsafe = await browser("PUT", "/identity-provider", json=wanted | {"issuer": "http://x.com"})
    assert unsafe.status_code == 422
    made = await browser("PUT", "/identity-provider", json=wanted)
    shown = await browser("GET", "/identity-provider")

    assert made.json() == shown.json()
    assert shown.json()["groups"] == {
        "ops": [{"role": "viewer", "application": "colors", "cluster": "*"}]
    }
    assert (await browser("DELETE", "/identity-provider")).status_code == 204
    assert (await browser("GET", "/identity-provider")).json() is None


async def test_a_password_is_changed_by_who_knows_the_old_one(api, browser):
    path, old = "/session/password", api.password.reveal()
    wrong = {"old_password": "guess", "new_password": PASSWORD}
    assert (await browser("POST", path, json=wrong)).status_code == 401
    short = {"old_password": old, "new_password": "short"}
    assert (await browser("POST", path, json=short)).status_code == 422
    right = {"old_password": old, "new_password": PASSWORD}
    assert (await browser("POST", path, json=right)).status_code == 204
    signed = {"name": "admin", "password": PASSWORD}
    assert (await api.client.post("/api/v1/session", json=signed)).status_code == 201


async def test_the_value_of_a_secret_is_never_answered(api):
    put = await api.ask("PUT", "/secrets/slack-url", ADMIN, json={"value": "hunter2"})
    listed = await api.ask("GET", "/secrets", ADMIN)

    assert put.json() == {"secret": "slack-url", "change": "set"}
    assert [each["name"] for each in listed.json()] == ["slack-url"]
    for path in ("/secrets", "/audit", "/events"):
        assert "hunter2" not in (await api.ask("GET", path, ADMIN)).text
    assert (await api.ask("GET", "/secrets/slack-url", ADMIN)).status_code == 405
    assert (await api.ask("DELETE", "/secrets/slack-url", ADMIN)).status_code == 204
    assert (await api.ask("DELETE", "/secrets/slack-url", ADMIN)).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"valeu": "hunter2"},
        "hunter2",
        ["hunter2"],
        {"value": ["hunter2"]},
        {"value": "hunter2" * 10_000},
    ],
)
async def test_a_value_in_the_wrong_place_is_not_repeated(api, body):
    answer = await api.ask("PUT", "/secrets/s", ADMIN, json=body)

    assert answer.status_code == 422
    assert "hunter2" not in answer.text
