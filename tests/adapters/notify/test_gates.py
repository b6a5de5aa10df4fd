"""Gates and hooks as webhooks."""

import time

import pytest

from crossfade.adapters.notify.gates import WebhookGates
from crossfade.adapters.notify.posting import as_json, signature
from crossfade.base.secrets import SecretRef
from crossfade.core.rollout.gates import (
    Endpoint,
    Gate,
    GatePoint,
    GateState,
    Hook,
    HookPhase,
    Moment,
)
from crossfade.testing.clock import FakeClock
from crossfade.testing.http_service import Reply


@pytest.fixture
async def gates(secrets):
    made = WebhookGates(secrets, FakeClock(1000.0), pause_seconds=0.01)
    yield made
    await made.close()


def gate(url, **more):
    return Gate("change", Endpoint(url, **more), GatePoint.PROMOTION)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 206, 299])
async def test_any_2xx_opens_the_gate(service, gates, facts, status):
    service.say(Reply(status))
    assert (await gates.ask(gate(service.address), facts)).state is GateState.OPEN


@pytest.mark.parametrize("status", [300, 302, 400, 401, 403, 404, 409, 423])
async def test_another_answer_keeps_it_closed_with_the_words_of_the_service(
    service, gates, facts, status
):
    service.say(Reply(status, "change freeze until Monday"))
    answer = await gates.ask(gate(service.address), facts)
    assert answer.state is GateState.CLOSED
    assert answer.reason == f"it answers {status}: change freeze until Monday"
    assert len(service.asked) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 429, 408])
async def test_a_service_in_trouble_is_unreachable_after_all_tries(service, gates, facts, status):
    service.say(Reply(status))
    answer = await gates.ask(gate(service.address, attempts=3), facts)
    assert answer.state is GateState.UNREACHABLE
    assert not answer.open
    assert len(service.asked) == 3


async def test_a_service_that_comes_back_is_asked_again(service, gates, facts):
    service.say(Reply(503), Reply(200))
    assert (await gates.ask(gate(service.address), facts)).open


async def test_a_service_that_hangs_holds_for_the_time_that_was_given(service, gates, facts):
    service.say(Reply(seconds=30))
    start = time.monotonic()
    answer = await gates.ask(gate(service.address, timeout_seconds=0.1, attempts=2), facts)
    assert answer.state is GateState.UNREACHABLE
    assert "no answer in 0.1 s" in answer.reason
    assert time.monotonic() - start < 3


async def test_an_address_without_a_service_is_unreachable_and_no_crash(gates, facts):
    for url in ("http://127.0.0.1:1", "not an address", SecretRef("none")):
        answer = await gates.ask(gate(url, attempts=1), facts)
        assert answer.state is GateState.UNREACHABLE
        assert answer.reason


async def test_the_service_gets_the_facts_signed(service, gates, facts):
    await gates.ask(gate(service.address, signing_key=SecretRef("signing-key")), facts)
    asked = service.asked[0]
    assert asked.json() == {
        "application": "colors",
        "rollout": 7,
        "reason": facts.reason,
        "at": facts.at,
        "percent": 50,
        "revision": "r2",
        "gate": "change",
        "before": "promotion",
    }
    assert asked.body == as_json(asked.json())
    assert asked.headers["x-crossfade-timestamp"] == "1000"
    assert asked.headers["x-crossfade-signature"] == signature("k3y", "1000", asked.body)


async def test_a_secret_address_is_in_no_reason(service, gates, facts):
    service.answer = lambda asked: Reply(403, f"no such hook: {asked.target}")
    answer = await gates.ask(
        gate(SecretRef("url"), headers={"Authorization": SecretRef("token")}), facts
    )
    assert service.asked[0].path == "/services/T0/B0/XYZ"
    assert service.asked[0].headers["authorization"] == "t0k3n"
    assert "XYZ" not in answer.reason


async def test_calls_of_one_hook_have_one_key_so_that_a_crash_does_not_run_it_twice(
    service, gates, facts
):
    hook = Hook("migrate", Moment.BEFORE, HookPhase.PROMOTING, Endpoint(service.address))
    other = Hook("migrate", Moment.AFTER, HookPhase.PROMOTING, Endpoint(service.address))
    for each in (hook, hook, other):
        assert (await gates.call(each, facts)).open
    keys = [asked.headers["idempotency-key"] for asked in service.asked]
    assert keys[0] == keys[1] == "colors.7/hook/migrate/before-promoting"
    assert keys[2] != keys[0]
    assert service.asked[0].json()["when"] == "before-promoting"
