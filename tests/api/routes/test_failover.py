"""Where clusters stand, over HTTP."""

from crossfade.core.access.roles import Grant, Role

ADMIN = Grant(Role.ADMIN)


async def test_it_is_said_where_users_are_and_why(api):
    await api.world.until_ended()
    await api.world.turn()
    found = (await api.ask("GET", "/failover", ADMIN)).json()
    users = {each["cluster"]: each["users"] for each in found["clusters"]}

    assert list(users) == ["aws", "gcp", "onprem"]
    assert round(sum(each["colors"] for each in users.values())) == 100
    assert {each["standing"] for each in found["clusters"]} == {"serving"}


async def test_users_of_other_applications_are_not_told(api):
    await api.world.until_ended()
    await api.world.turn()
    found = (await api.ask("GET", "/failover", Grant(Role.VIEWER, "shapes"))).json()

    assert len(found["clusters"]) == 3
    assert "colors" not in str(found)


async def test_the_history_of_a_cluster_comes_in_pages(api):
    await api.ask("POST", "/fleet/aws/drain", ADMIN)
    await api.ask("POST", "/fleet/aws/restore", ADMIN)
    seen, after = [], "0"
    while after is not None:
        path = f"/failover/aws?limit=1&after={after}"
        found = (await api.ask("GET", path, ADMIN)).json()
        seen += [each["reason"] for each in found["items"]]
        after = found["next"]

    assert seen[-2:] == ["drained by a person", "users may come back: so said a person"]
