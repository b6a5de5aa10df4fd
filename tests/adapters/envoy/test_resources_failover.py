"""Real users through a real edge while clouds die, hang, come back and change their shares."""

import asyncio
import time


async def healthy(world, *names: str) -> bool:
    return await world.healthy() == set(names)


async def test_no_user_notices_that_a_cloud_is_killed_and_comes_back(world, until):
    async with world.users().running() as users:
        await asyncio.sleep(0.5)
        await world.clouds["gcp"].kill()
        await until(lambda: healthy(world, "aws", "onprem"))
        await asyncio.sleep(0.5)
        await world.clouds["gcp"].start()
        back = time.monotonic()
        await until(lambda: users.names(since=back)["gcp"] > 20)

    assert users.failed() == []


async def test_no_user_notices_that_a_cloud_hangs(world, until):
    world.try_seconds = 0.5
    await world.send(aws=1, gcp=1, onprem=1)
    async with world.users().running() as users:
        await asyncio.sleep(0.5)
        world.clouds["gcp"].hang()
        await until(lambda: healthy(world, "aws", "onprem"))
        quiet = time.monotonic()
        await asyncio.sleep(0.5)
        world.clouds["gcp"].wake()
        await until(lambda: users.names(since=quiet)["gcp"] > 20)

    assert users.failed() == []


async def test_users_of_a_slow_application_do_not_notice_that_two_clouds_are_lost(world, until):
    """Slow answers must not have the cloud taken out that is left, and no request may be lost."""
    world.try_seconds = 0.2
    await world.send(aws=1, gcp=1, onprem=1)
    async with world.users(rate=50, path="/?ms=400").running() as users:
        await asyncio.sleep(1)
        await world.clouds["gcp"].kill()
        world.clouds["aws"].hang()
        await until(lambda: healthy(world, "onprem"))
        await asyncio.sleep(1)

    assert users.failed() == []
