"""What single requests meet at the edge: which are tried again, which are left alone."""

import asyncio
import contextlib
import time

import httpx
import pytest

from crossfade.core.traffic.probe import PROBE_HEADER, PROBE_VALUE


async def test_a_host_that_no_application_has_is_not_found(world):
    answer = await world.get("/", headers={"host": "shapes.localhost"})

    assert answer.status_code == 404


async def test_the_application_sees_the_host_that_the_user_asked_for_with_any_port(world):
    plain = await world.get("/")
    with_port = await world.get("/", headers={"host": "colors.localhost:8443"})

    assert plain.json()["host"] == "colors.localhost"
    assert with_port.json()["host"] == "colors.localhost:8443"


async def test_nobody_passes_for_a_probe_and_so_stays_uncounted_with_the_old_version(world):
    answer = await world.get("/", headers={PROBE_HEADER: PROBE_VALUE})

    assert answer.json()["probe"] == ""


async def test_the_application_s_own_500_reaches_the_user_untried(world):
    answer = await world.get("/?code=500")

    assert answer.status_code == 500
    assert answer.json()["attempt"] == 1


@pytest.mark.parametrize("code", [502, 503, 504])
async def test_a_gateway_s_refusal_is_tried_at_two_more_clouds(world, code):
    answer = await world.get(f"/?code={code}")

    assert answer.status_code == code
    assert answer.json()["attempt"] == 3


async def test_a_retry_goes_to_a_cloud_that_has_not_failed(world):
    await world.send(aws=100, gcp=1)
    for _ in range(20):
        await world.clouds["aws"].become(503)
        answer = await world.get("/")
        await world.clouds["aws"].become(200)
        assert (answer.status_code, answer.json()["name"]) == (200, "gcp")
        if answer.json()["attempt"] == 2:
            return
    pytest.fail("aws was never tried first")


@pytest.mark.parametrize("method", ["POST", "PATCH"])
async def test_what_may_have_been_done_is_not_done_twice(world, method):
    answer = await world.get("/?code=503", method)

    assert answer.status_code == 503
    assert answer.json()["attempt"] == 1


async def test_a_post_that_surely_was_not_sent_is_tried_at_another_cloud(world):
    await world.clouds["gcp"].kill()
    answers = [await world.get("/", "POST") for _ in range(12)]

    assert {answer.status_code for answer in answers} == {200}


async def test_a_request_that_takes_long_everywhere_is_answered(world):
    world.try_seconds = 0.3
    await world.send(aws=1, gcp=1, onprem=1)
    started = time.monotonic()
    answer = await world.get("/?ms=1000")

    assert answer.status_code == 200
    assert answer.json()["attempt"] == 1
    assert time.monotonic() - started < 1.3, "the first try goes on and wins"


@pytest.mark.parametrize(
    "headers",
    [
        {"x-envoy-retry-on": "5xx", "x-envoy-max-retries": "9"},
        {"x-envoy-upstream-rq-timeout-ms": "1"},
        {"x-envoy-upstream-rq-per-try-timeout-ms": "1"},
        {"x-envoy-hedge-on-per-try-timeout": "true"},
    ],
    ids=lambda headers: next(iter(headers)),
)
async def test_a_user_cannot_have_a_post_tried_twice_by_sending_headers(world, headers):
    answer = await world.get("/?code=500&ms=30", "POST", headers=headers)

    assert (answer.status_code, answer.json()["attempt"]) == (500, 1)


async def test_a_stream_lives_as_long_as_it_speaks(world):
    async with (
        httpx.AsyncClient() as client,
        client.stream(
            "GET",
            f"http://127.0.0.1:{world.port}/?chunks=8&ms=250",
            headers={"host": "colors.localhost"},
        ) as answer,
    ):
        pieces = [piece async for piece in answer.aiter_raw()]

    assert len(pieces) >= 8


async def test_websockets_pass_both_ways(world):
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
    with contextlib.closing(writer):
        writer.write(
            b"GET /socket HTTP/1.1\r\nhost: colors.localhost\r\n"
            b"connection: Upgrade\r\nupgrade: websocket\r\n\r\n"
        )
        head = await reader.readuntil(b"\r\n\r\n")
        assert b" 101 " in head
        for word in (b"red", b"green"):
            writer.write(word)
            assert await reader.readexactly(len(word)) == word


async def test_when_every_cloud_looks_dead_users_are_still_sent_to_all_that_may_have_them(
    world, until
):
    await world.send(aws=100, gcp=100, onprem=0)
    for cloud in ("aws", "gcp"):
        await world.clouds[cloud].become(404)  # a probe path that is wrong everywhere
    await until(lambda: nobody_healthy(world))

    names = {(await world.get("/?code=200")).json()["name"] for _ in range(20)}

    assert names == {"aws", "gcp"}, "onprem has weight 0 and must get nobody"


async def nobody_healthy(world) -> bool:
    return not any(each.healthy for each in await world.figures() if each.weight)


async def test_a_post_is_done_again_only_for_an_application_that_says_it_may_be(world):
    world.retry_non_idempotent = True
    await world.send(aws=1, gcp=1, onprem=1)
    answer = await world.get("/?code=503", "POST")

    assert answer.json()["attempt"] == 3


async def test_second_tries_never_double_the_load_of_an_application_that_fails_everywhere(world):
    users = world.users(rate=1000, path="/?code=503&ms=1000", patience_seconds=20)
    await users.run(0.5)

    tries = sum(each.requests for each in await world.figures())
    assert len(users.failed()) == 500
    assert 500 < tries < 1000, "without a budget they would be 1500"


async def test_second_tries_hardly_double_the_load_of_an_application_that_is_slow_everywhere(world):
    world.try_seconds = 0.5
    await world.send(aws=1, gcp=1, onprem=1)
    before = await tries(world)
    users = world.users(rate=400, path="/?ms=2000", patience_seconds=30)
    await users.run(2)

    assert not users.failed()
    assert 800 < await tries(world) - before < 2000, "without a budget they would be 2400"


async def tries(world) -> int:
    """Return how many tries the edge has made since it started, also those it gave up."""
    url = f"{world.edge.admin_url}/stats?filter=^cluster.colors.upstream_rq_total$"
    return int((await world.client.get(url)).text.split(": ")[1])


async def test_a_request_in_flight_is_answered_by_the_cloud_that_gets_no_more_users(world, until):
    await world.send(aws=1, gcp=1, onprem=1)
    async with world.users(rate=50, method="POST", path="/?ms=500").running() as users:
        await until(lambda: len(users.answers) > 10)
        await world.send(aws=1, gcp=0, onprem=1)
        moved = time.monotonic()
        await until(lambda: len(users.names(since=moved)) >= 2)
        await asyncio.sleep(0.6)

    assert users.failed() == []
    assert "gcp" not in users.names(since=moved)
