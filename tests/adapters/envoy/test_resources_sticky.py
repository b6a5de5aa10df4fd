"""Users who stay with the cluster that answered them first, and when they are moved."""

import pytest


class Visitor:
    """A user whose browser keeps cookies."""

    def __init__(self, world) -> None:
        self.world = world
        self.cookie = ""

    async def asks(self, path: str = "/", **kwargs) -> str:
        """Return who answered; `path` is asked for."""
        self.world.client.cookies.clear()
        headers = {"cookie": self.cookie} if self.cookie else {}
        answer = await self.world.get(path, headers=headers, **kwargs)
        answer.raise_for_status()
        if "set-cookie" in answer.headers:
            self.cookie = answer.headers["set-cookie"].partition(";")[0]
        return str(answer.json()["name"])

    async def asks_often(self) -> set[str]:
        return {await self.asks() for _ in range(12)}


@pytest.fixture
async def sticky(world):
    world.sticky = True
    await world.send(aws=100, gcp=100, onprem=100)
    return world


async def test_users_are_spread_without_stickiness(world):
    assert len(await Visitor(world).asks_often()) > 1


async def test_each_user_stays_and_all_together_follow_the_shares(sticky):
    homes = []
    for _ in range(12):
        visitor = Visitor(sticky)
        first = await visitor.asks()
        assert await visitor.asks_often() == {first}
        homes.append(first)

    assert set(homes) == {"aws", "gcp", "onprem"}


async def test_a_change_of_shares_moves_no_user_who_has_a_cloud(sticky):
    visitor = Visitor(sticky)
    home = await visitor.asks()
    await sticky.send(**{name: 1 if name == home else 9999 for name in sticky.clouds})

    assert await visitor.asks_often() == {home}


async def test_a_user_leaves_a_cloud_that_has_died_and_stays_with_the_next(sticky):
    visitor = Visitor(sticky)
    home = await visitor.asks()
    await sticky.clouds[home].kill()
    after = await visitor.asks_often()

    assert home not in after
    assert len(after) == 1


async def test_a_user_leaves_a_cloud_that_is_drained(sticky):
    visitor = Visitor(sticky)
    home = await visitor.asks()
    await sticky.send(**{name: 0 if name == home else 100 for name in sticky.clouds})
    after = await visitor.asks_often()

    assert home not in after
    assert len(after) == 1


async def test_a_cookie_that_somebody_made_up_leads_nowhere_else(sticky):
    visitor = Visitor(sticky)
    for cookie in (
        "crossfade-colors=MTI3LjAuMC4xOjIy",
        "crossfade-colors=%00",
        "crossfade-colors=",
    ):
        visitor.cookie = cookie
        assert await visitor.asks() in sticky.clouds
