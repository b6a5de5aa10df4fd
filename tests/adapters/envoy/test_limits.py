"""The budget of second tries, by its arithmetic, and as Envoy takes it."""

import httpx
import pytest

from crossfade.adapters.envoy.limits import circuit_breakers, connect_seconds

TRIES = [0.001, 0.2, 0.5, 2.0, 30.0]


def budget(try_seconds: float) -> tuple[float, float]:
    """Return the share of requests, and of how many seconds they are counted."""
    both = [each["retry_budget"] for each in circuit_breakers(try_seconds)["thresholds"]]
    assert both[0] == both[1]
    return both[0]["budget_percent"]["value"] / 100, float(both[0]["budget_interval"].rstrip("s"))


@pytest.mark.parametrize(
    ("try_seconds", "seconds"), [(0.05, 0.1), (0.5, 0.25), (1.0, 0.5), (30.0, 1.0)]
)
def test_a_connection_that_is_not_made_leaves_time_for_another_one_within_a_try(
    try_seconds, seconds
):
    assert connect_seconds(try_seconds) == seconds


@pytest.mark.parametrize("lost", [0.5, 0.67, 0.8])
@pytest.mark.parametrize("try_seconds", TRIES)
def test_all_who_wait_for_connections_may_be_tried_again_however_many_they_are(try_seconds, lost):
    """Nobody who is sent to a lost cloud is counted from then on until connections time out."""
    share, interval = budget(try_seconds)
    waiting = lost * connect_seconds(try_seconds)

    assert share * (interval - waiting) >= waiting


@pytest.mark.parametrize("try_seconds", [0.2, 0.5, 2.0, 30.0])
def test_an_application_that_is_slow_everywhere_is_asked_twice_as_much_at_most(try_seconds):
    """A slow request has its two second tries for two tries' time, and all tries are counted."""
    share, interval = budget(try_seconds)
    asked_again = share * interval / (2 * try_seconds - 2 * share * interval)

    assert 1 + 2 * asked_again <= 2.0 + 1e-9


async def test_edges_count_requests_of_late_rather_than_those_under_way(world):
    world.try_seconds = 0.5
    await world.send(aws=1, gcp=1, onprem=1)
    async with httpx.AsyncClient() as client:
        page = await client.get(f"{world.edge.admin_url}/config_dump?name_regex=colors.*")

    assert page.text.count('"budget_interval": "1.250s"') == page.text.count("budget_percent") == 4
