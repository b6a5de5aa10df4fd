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
    async with world.users().running() as users:
        await asyncio.sleep(0.5)
        world.clouds["gcp"].hang()
        await until(lambda: healthy(world, "aws", "onprem"))
        quiet = time.monotonic()
        await asyncio.sleep(0.5)
        world.clouds["gcp"].wake()
        await until(lambda: users.names(since=quiet)["gcp"] > 20)

    assert users.failed() == []
    assert max(answer.seconds for answer in users.answers) < 1.5
