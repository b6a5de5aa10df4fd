"""Traffic of an application is what edges counted, with what happened meanwhile."""

from crossfade.core.access.roles import Grant, Role
from crossfade.engine.figures import Count
from crossfade.ports.documents import Event

VIEWER = Grant(Role.VIEWER, "colors")


async def happens(api, *subjects):
    now = api.world.clock.now()
    await api.world.store.commit((), tuple(Event(each, now, "said", {}) for each in subjects))
    await api.services.feed.look()


async def traffic(api, query=""):
    answer = await api.ask("GET", f"/applications/colors/traffic{query}", VIEWER)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_shares_and_failures_are_told_by_cluster(api):
    now = api.world.clock.now()
    api.services.figures.add(now, [Count("colors", "aws", 40, 2, {"blue": 100.0})])

    found = await traffic(api)

    (aws,) = [each for each in found["flows"] if each["cluster"] == "aws"]
    assert aws["now"]["requests"] == 40
    assert aws["now"]["failed"] == 2
    assert aws["history"][0]["revisions"] == {"blue": 40.0}
    assert found["host"] == "colors.localhost"


async def test_the_live_picture_can_be_had_without_half_an_hour_of_history(api):
    now = api.world.clock.now()
    api.services.figures.add(now, [Count("colors", "aws", 40, 2, {"blue": 100.0})])

    found = await traffic(api, "?history=false")

    assert found["marks"] == []
    assert found["flows"][0]["history"] == []
    assert found["flows"][0]["now"] is not None


async def test_marks_are_of_this_application_only(api):
    await happens(api, "rollout/shapes.000001", "rollout/colors.000001", "cluster/aws")

    subjects = [each["subject"] for each in (await traffic(api))["marks"]]

    assert subjects
    assert not any("shapes" in each for each in subjects)


async def test_news_are_the_newest_events_that_one_may_see(api):
    await happens(api, "rollout/shapes.000001", "rollout/colors.000001", "cluster/aws")

    everything = (await api.ask("GET", "/overview/news", Grant(Role.ADMIN))).json()["items"]
    mine = (await api.ask("GET", "/overview/news", VIEWER)).json()["items"]
    one = (await api.ask("GET", "/overview/news?limit=1", Grant(Role.ADMIN))).json()["items"]

    assert any("shapes" in each["subject"] for each in everything)
    assert not any("shapes" in each["subject"] for each in mine)
    assert one == everything[-1:]
