"""Requests in traces: what is told of them, what is not, and what they hand on."""

import pytest

from crossfade.base import tracing
from crossfade.core.access.roles import Grant, Role
from crossfade.engine.pipelines.records import Builds
from crossfade.testing.fake_recorder import FakeRecorder

PARENT = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"


@pytest.fixture
def recorder(api):  # what makes the world is not taken down
    recorder = FakeRecorder()
    with tracing.recorded(recorder):
        yield recorder


async def test_a_request_belongs_to_what_its_header_says(recorder, api):
    headers = {"traceparent": PARENT}
    await api.ask("GET", "/applications/colors", Grant(Role.ADMIN), headers=headers)

    span = recorder.named("GET /api/v1/applications/{name}")
    assert span.parent == PARENT
    assert span.facts == {
        "http.request.method": "GET",
        "http.route": "/api/v1/applications/{name}",
        "http.response.status_code": 200,
        "url.path": "/api/v1/applications/colors",
    }


async def test_a_command_is_a_part_of_its_request_and_its_rollout_keeps_the_place(recorder, api):
    headers = {"traceparent": PARENT}
    values = {"values": {"colour": "yellow"}}
    path = "/applications/colors/rollouts"
    answer = await api.ask("POST", path, Grant(Role.ADMIN), headers=headers, json=values)

    assert answer.status_code < 300, answer.text
    request = recorder.named("POST /api/v1/applications/{name}/rollouts")
    deploy = recorder.named("deploy")
    assert deploy.parent == request.traceparent
    assert (await api.world.rollout()).traceparent == deploy.traceparent


async def test_queries_headers_and_bodies_are_not_told_as_they_may_have_secrets(recorder, api):
    secret = "hunter2hunter2"
    headers = {"X-Secret": secret, "Cookie": f"crossfade={secret}"}
    await api.client.get(f"/api/v1/session/sign-on/callback?code={secret}", headers=headers)
    body = {"name": "admin", "password": secret}
    await api.client.post("/api/v1/session", json=body, headers=headers)
    await api.ask("PUT", "/secrets/slack", Grant(Role.ADMIN), json={"value": secret})

    told = [(each.name, each.facts, each.notes, each.failure) for each in recorder.ended]
    assert len(told) >= 3
    assert secret not in repr(told)


async def test_probes_and_streams_are_not_told(recorder, api):
    for path in ("/healthz", "/readyz", "/metrics"):
        await api.client.get(path)

    assert recorder.ended == []


async def test_the_build_of_a_webhook_belongs_to_its_request(recorder, api):
    from tests.api.routes.test_webhooks import PUSH, register, send

    await register(api)
    answer = await send(api, PUSH)

    assert answer.status_code == 202, answer.text
    (build,) = await Builds(api.world.store).all()
    assert build.traceparent == recorder.named("create build").traceparent
