"""The acts claim what is so, and do not claim what is not."""

import pytest

from crossfade.sandbox.demo import acts
from crossfade.testing.fake_cluster import FakeCluster


@pytest.fixture
async def begun(theatre):
    """Blue serves every user."""
    await acts.blue_for_all(theatre.stage)
    theatre.stage.record.load_began = theatre.stage.now()
    theatre.users_came = True
    return theatre


def claims(theatre):
    return {claim.text: claim.held for act in theatre.stage.record.acts for claim in act.claims}


async def test_all_acts_keep_their_promises_when_everything_works(begun):
    for act in acts.PROGRAMME.acts:
        await act(begun.stage)
    record = begun.stage.record

    assert [text for text, held in claims(begun).items() if not held] == []
    assert len(claims(begun)) == 15
    assert [act.number for act in record.acts] == [1, 2, 3, 4, 5]
    assert record.ok


async def test_a_lost_cloud_that_costs_requests_is_not_passed_over(begun):
    begun.edge_notices = False
    for act in acts.PROGRAMME.acts[:3]:
        await act(begun.stage)

    assert claims(begun)["no request failed"] is False
    assert not begun.stage.record.ok


async def test_shares_that_are_not_those_of_the_step_are_noticed(begun, monkeypatch):
    """As when the edge sent everybody to one cloud, or the gateway split wrongly."""
    real = FakeCluster.shares

    def halves(cluster, application):
        found = real(cluster, application)
        return found if len(found) < 2 else dict.fromkeys(found, 50)

    monkeypatch.setattr(FakeCluster, "shares", halves)
    await acts.users_come(begun.stage)
    await acts.yellow_as_canary(begun.stage)

    assert claims(begun)["10 % of the answers are yellow"] is False


async def test_a_cloud_that_serves_nobody_is_noticed(begun):
    begun.world.clusters["onprem"].faults.gateway_down = True
    await acts.users_come(begun.stage)

    assert claims(begun)["every cloud serves its part"] is False
