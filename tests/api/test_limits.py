"""Bodies have an end, and who has the newest version is not sent it again."""

import pytest

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
