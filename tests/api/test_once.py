"""A command that is sent twice is carried out once."""

from crossfade.core.access.roles import Grant, Role

ADMIN = Grant(Role.ADMIN)
PAUSE = "/applications/colors/rollout/pause"
RESUME = "/applications/colors/rollout/resume"


async def commands(api):
    events = await api.world.store.events("rollout/colors.000001")
    return [each.reason for each in events if "by a person" in each.reason]


async def test_a_key_that_was_used_changes_nothing_more(api):
    key = {"Idempotency-Key": "k1"}
    first = await api.ask("POST", PAUSE, ADMIN, json={}, headers=key)
    await api.ask("POST", RESUME, ADMIN, json={})
    second = await api.ask("POST", PAUSE, ADMIN, json={}, headers=key)

    assert (first.status_code, second.status_code) == (200, 200)
    assert second.json()["rollout"]["state"]["paused"] is False
    assert await commands(api) == ["paused by a person", "resumed by a person"]


async def test_a_key_of_another_request_is_refused(api):
    key = {"Idempotency-Key": "k1"}
    await api.ask("POST", PAUSE, ADMIN, json={}, headers=key)
    answer = await api.ask("POST", RESUME, ADMIN, json={}, headers=key)

    assert answer.status_code == 409
    assert "another request" in answer.json()["detail"]


async def test_the_key_of_a_command_that_failed_is_not_used_up(api):
    key = {"Idempotency-Key": "k2"}
    answer = await api.ask(
        "POST", "/applications/colors/rollout/retry", ADMIN, json={}, headers=key
    )

    assert answer.status_code == 409
    assert await api.world.store.list("once") == ()
    assert (await api.ask("POST", PAUSE, ADMIN, json={}, headers=key)).status_code == 200


async def test_a_deployment_that_is_asked_for_twice_starts_one_rollout(api):
    path, body = "/applications/colors/rollouts", {"values": {"color": "red"}}
    found = [
        (await api.ask("POST", path, ADMIN, json=body, headers={"Idempotency-Key": "d"})).json()
        for _ in range(2)
    ]

    assert [each["number"] for each in found] == [2, 2]
    assert len((await api.ask("GET", path, ADMIN)).json()["items"]) == 2
