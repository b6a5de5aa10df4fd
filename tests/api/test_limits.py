"""Bodies have an end, and who has the newest version is not sent it again."""

import asyncio

import pytest

from crossfade.api import limits
from crossfade.api.limits import LARGEST_BODY
from crossfade.core.access.roles import Grant, Role

ADMIN = Grant(Role.ADMIN)


async def parts(size):
    for _ in range(0, size, 65_536):
        yield b"#" * 65_536


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_without_end_is_refused(api, chunked):
    content = parts(2 * LARGEST_BODY) if chunked else b"#" * (LARGEST_BODY + 1)
    answer = await api.ask("POST", "/applications", ADMIN, content=content)

    assert answer.status_code == 413
    assert answer.json()["code"] == "invalid-input"


async def test_an_answer_that_is_known_is_not_sent_again(api):
    headers = await api.token(ADMIN)
    path = "/api/v1/applications/colors"
    first = await api.client.get(path, headers=headers)
    tag = first.headers["ETag"]
    for known in (tag, f'"other", W/{tag}', "*"):
        again = await api.client.get(path, headers=headers | {"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == tag

    await api.ask("POST", "/applications/colors/rollout/pause", ADMIN, json={})
    changed = await api.client.get(f"{path}/rollouts/1", headers=headers | {"If-None-Match": tag})
    assert changed.status_code == 200


async def test_browsers_are_told_to_run_nothing_from_here(api):
    answer = await api.client.get("/healthz")

    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_body_that_never_ends_holds_no_request_for_ever(api, monkeypatch):
    monkeypatch.setattr(limits, "BODY_SECONDS", 0.01)
    closed = asyncio.Event()

    async def stuck():
        yield b"#"
        await closed.wait()

    answer = await api.ask("POST", "/applications", ADMIN, content=stuck())
    closed.set()

    assert (answer.status_code, answer.headers["Connection"]) == (408, "close")


@pytest.mark.parametrize("text", ["\\ud800", "a\\udfff", "\\u0000", "\\\\\\u0000"])
async def test_what_no_text_has_is_refused_before_it_breaks_a_store(api, text):
    headers = await api.token(ADMIN) | {"Content-Type": "application/json"}
    body = f'{{"value": "{text}"}}'
    answer = await api.client.put("/api/v1/secrets/s", headers=headers, content=body)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-input")


@pytest.mark.parametrize("kind", [{}, {"Content-Type": "application/JSON"}])
async def test_what_a_body_is_called_does_not_get_it_past_the_store(api, kind):
    headers = await api.token(ADMIN) | kind
    answer = await api.client.put(
        "/api/v1/secrets/s", headers=headers, content=b'{"value": "\\ud800"}'
    )

    assert answer.status_code == 422, answer.text


@pytest.mark.parametrize("text", ["\\ud83d\\ude00", "\\\\u0000", "\\\\ud800", "\\u00e4"])
async def test_what_only_looks_like_it_is_taken(api, text):
    headers = await api.token(ADMIN) | {"Content-Type": "application/json"}
    body = f'{{"value": "{text}"}}'
    answer = await api.client.put("/api/v1/secrets/s", headers=headers, content=body)

    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("path", ["/applications/%00", "/events?since=1&after=%00", "/fleet/a%00"])
async def test_addresses_with_what_no_text_has_are_refused(api, path):
    assert (await api.ask("GET", path, ADMIN)).status_code == 422
