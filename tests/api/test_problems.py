"""Whatever goes wrong is answered in one form, with what to do about it, and no traceback."""

import pytest

from crossfade.core.access.roles import Grant, Role

ADMIN = Grant(Role.ADMIN)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/nothing", {}, 404, "not-found"),
        ("PUT", "/fleet", {}, 405, "invalid-input"),
        ("GET", "/fleet?limit=0", {}, 422, "invalid-input"),
        ("GET", "/applications/colors/rollouts/x", {}, 422, "invalid-input"),
        ("GET", "/applications/colors/rollouts/7", {}, 404, "not-found"),
        ("GET", "/applications/nothing", {}, 404, "not-found"),
        ("POST", "/applications", {"content": "a: ["}, 422, "invalid-input"),
        ("POST", "/applications/colors/rollouts", {"content": "{"}, 422, "invalid-input"),
        ("POST", "/applications/colors/rollout/jump", {"json": {}}, 422, "invalid-input"),
        ("POST", "/applications/colors/rollout/undo", {"json": {"x": 1}}, 422, "invalid-input"),
        ("POST", "/applications/shapes/rollout/pause", {"json": {}}, 404, "not-found"),
        ("POST", "/applications/colors/rollout/retry", {"json": {}}, 409, "conflict"),
        ("POST", "/tokens", {"json": {"name": "t", "grants": [{"role": "king"}]}}, 422, None),
    ],
)
async def test_an_error_has_its_code_and_a_hint(api, method, path, body, status, code):
    answer = await api.ask(method, path, ADMIN, **body)

    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["code"] == (code or "invalid-input")
    assert problem["detail"]
    assert problem["hint"]


async def test_a_fault_of_ours_shows_no_insides(api, monkeypatch):
    async def fail(*_):
        raise RuntimeError("secret insides")

    monkeypatch.setattr(type(api.world.store), "events", fail)
    answer = await api.ask("GET", "/events", ADMIN)

    assert answer.status_code == 500
    assert "insides" not in answer.text
    assert answer.json()["code"] == "internal"


async def test_a_wrong_password_is_not_repeated(api):
    for body in ({"name": "admin", "password": "hunter2"}, {"name": 1, "password": ["hunter2"]}):
        answer = await api.client.post("/api/v1/session", json=body)

        assert answer.status_code in (401, 422)
        assert "hunter2" not in answer.text
