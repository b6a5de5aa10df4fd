"""Browsers sign in, are known afterwards, and are signed in by nobody else."""

import pytest

from crossfade.engine.guesses import FAILURES, WINDOW_SECONDS

SESSION = "/api/v1/session"


@pytest.fixture
async def browser(api):
    yield api.client
    api.client.cookies.clear()


def credentials(api):
    return {"name": "admin", "password": api.password.reveal()}


async def test_a_browser_that_has_signed_in_is_not_locked_out_by_wrong_passwords_of_others(
    api, browser
):
    signed = await browser.post(SESSION, json=credentials(api))
    kept = [each for each in signed.headers.get_list("set-cookie") if "_known_" in each]
    known = dict(browser.cookies)
    browser.cookies.clear()
    for _ in range(FAILURES):
        wrong = await browser.post(SESSION, json={"name": "admin", "password": "guess"})
        assert wrong.status_code == 401
    stranger = await browser.post(SESSION, json=credentials(api))
    for name, value in known.items():
        browser.cookies.set(name, value)
    again = await browser.post(SESSION, json=credentials(api))

    assert len(kept) == 1
    for word in ("HttpOnly", "SameSite=strict", f"Path={SESSION}", "Max-Age=7776000"):
        assert word in kept[0]
    assert (stranger.status_code, stranger.json()["code"]) == (429, "too-many-requests")
    assert stranger.headers["Retry-After"] == str(int(WINDOW_SECONDS))
    assert again.status_code == 201


async def test_signing_out_leaves_a_browser_known(api, browser):
    csrf = (await browser.post(SESSION, json=credentials(api))).json()["csrf"]
    out = await browser.delete(SESSION, headers={"X-CSRF-Token": csrf})

    assert "_known_" not in str(out.headers.get_list("set-cookie"))
    assert any("_known_" in each for each in browser.cookies)


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
)
async def test_a_form_of_another_site_signs_nobody_in(api, browser, kind):
    """Browsers send these from anywhere; whoever does that could watch as whom one works on."""
    body = f'{{"name": "admin", "password": "{api.password.reveal()}"}}'.encode()
    headers = {"Content-Type": kind} if kind else {}
    answer = await browser.post(SESSION, content=body, headers=headers)

    assert answer.status_code == 422
    assert "Set-Cookie" not in answer.headers
