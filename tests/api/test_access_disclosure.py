"""Whatever happens to one application, who may see another one only never reads its name."""

import random

import pytest

from crossfade.api.streams import stream
from crossfade.base.errors import NotSignedIn
from crossfade.base.secrets import Secret
from crossfade.core.access.roles import Grant, Role

HIDDEN = "colors"
GRANTS = [
    (Grant(Role.ADMIN, "shapes"),),
    (Grant(Role.VIEWER, "shapes"), Grant(Role.ADMIN, "circles")),
    (Grant(Role.ADMIN, "shapes", "gcp"),),
]
CLUSTERS = ("aws", "gcp", "onprem")
PLACES = {"cluster": "gcp", "number": "1", "run": "1", "digest": 64 * "a", "identity": "1"}
ADMIN = Grant(Role.ADMIN)


async def turns(api, count):
    for _ in range(count):
        await api.world.turn()


async def deploy(api, name, replicas):
    body = {"values": {"replicaCount": replicas}}
    await api.ask("POST", f"/applications/{name}/rollouts", ADMIN, json=body)


async def drill(api, **wanted):
    """Drill, and let time pass until users are counted and the way is shut."""
    body = {"seconds": 6.0} | wanted
    begun = await api.ask("POST", "/fleet/gcp/drill", ADMIN, json=body)
    assert begun.status_code == 201, begun.text
    await turns(api, 8)


async def refused_during_a_rollout(api):
    await deploy(api, HIDDEN, 3)
    await turns(api, 3)
    await drill(api)


async def refused_as_users_fail_already(api):
    api.world.failing_users = 0.5
    await drill(api)


async def refused_as_users_come_back(api):
    aws = api.world.clusters["aws"].faults
    aws.gateway_down = True
    await turns(api, 16)
    aws.gateway_down = False
    for _ in range(40):
        await turns(api, 1)
        users = await api.services.queries.records.find_users(HIDDEN)
        if "aws" in users.value.returns and users.value.share("aws"):
            break
    await drill(api)


async def aborted_by_its_budget(api):
    await drill(api)
    api.world.failing_users = 0.5
    await turns(api, 40)


async def missed(api):
    await drill(api, recovery_seconds=0, error_budget_percent=100)
    await turns(api, 60)


async def ended_by_somebody(api):
    await drill(api)
    body = {"why": f"users of {HIDDEN} complain"}
    await api.ask("POST", "/fleet/gcp/drill/stop", ADMIN, json=body)
    await turns(api, 40)


async def one_thing_after_the_other(api):
    """Cut off, lost, drained, taken back: in any order, with rollouts and drills between."""
    luck = random.Random(1)  # noqa: S311 - makes the same test each time
    api.world.edges.connect("edge-2")
    orders = ("pause", "promote", "promote-full", "abort", "retry", "restart", "undo")
    for _ in range(40):
        cluster = luck.choice(CLUSTERS)
        faults = api.world.clusters[cluster].faults
        match luck.randrange(7):
            case 0:
                faults.gateway_down = not faults.gateway_down
            case 1:
                faults.unreachable = not faults.unreachable
            case 2:
                order = luck.choice(["drain", "restore", "restore"])
                await api.ask("POST", f"/fleet/{cluster}/{order}", ADMIN)
            case 3:
                await deploy(api, luck.choice([HIDDEN, "shapes"]), luck.randint(1, 4))
            case 4:
                body = {"why": f"{HIDDEN} is slow"}
                path = f"/applications/{HIDDEN}/rollout/{luck.choice(orders)}"
                await api.ask("POST", path, ADMIN, json=body)
            case 5:
                api.world.troubled = {cluster: luck.choice([0.0, 0.9])}
            case 6:
                body = {"seconds": 6.0, "dry_run": luck.random() < 0.5}
                await api.ask("POST", f"/fleet/{cluster}/drill", ADMIN, json=body)
        await turns(api, luck.randint(1, 8))


STORIES = [
    refused_during_a_rollout,
    refused_as_users_fail_already,
    refused_as_users_come_back,
    aborted_by_its_budget,
    missed,
    ended_by_somebody,
    one_thing_after_the_other,
]


async def gets(api):
    """Yield every GET of the API, asked of what may be seen."""
    schema = (await api.client.get("/api/v1/openapi.json")).json()
    for path, methods in schema["paths"].items():
        if "get" in methods and path.startswith("/api/v1/"):
            yield path.removeprefix("/api/v1")


async def streamed(api, headers):
    """Return all that a stream tells them who have this token."""
    accounts, feed = api.services.accounts, api.services.feed
    caller = await accounts.by_token(Secret(headers["Authorization"].removeprefix("Bearer ")))

    async def over():
        raise NotSignedIn("over", hint="")

    parts = stream(feed, over, caller, 0)
    text = ""
    async for part in parts:
        text += part
        if "tick" in part:
            break
    await parts.aclose()
    return text


@pytest.mark.parametrize("story", STORIES)
async def test_no_answer_names_an_application_that_its_reader_may_not_see(api, story):
    api.world.edges.connect("edge-1")
    await deploy(api, "shapes", 2)
    await turns(api, 60)
    await story(api)
    await api.services.feed.look()
    told = (await api.ask("GET", "/failover/gcp", ADMIN)).text
    assert HIDDEN in told, "admins are not told why, or nothing was tried"
    for grants in GRANTS:
        headers = await api.token(*grants)
        text = await streamed(api, headers)
        assert "shapes" in text, "streams are empty"
        assert HIDDEN not in text
        async for path in gets(api):
            for cluster in CLUSTERS if "{cluster}" in path else ("gcp",):
                mine = path.format(name="shapes", **PLACES | {"cluster": cluster})
                query = {"limit": 500, "step": "unit", "replay": "true"}
                answer = await api.client.get(f"/api/v1{mine}", headers=headers, params=query)
                assert answer.status_code < 500, answer.text
                assert HIDDEN not in answer.text, mine


@pytest.mark.parametrize("grants", GRANTS)
async def test_what_is_hidden_answers_like_what_is_not_there(api, grants):
    schema = (await api.client.get("/api/v1/openapi.json")).json()
    headers = await api.token(*grants)
    bodies = {"why": "x", "values": {}}
    for path, methods in schema["paths"].items():
        if "/applications/{name}" not in path:
            continue
        for method in methods:
            for command in ("pause", "undo") if "{command}" in path else ("",):
                answers = []
                for name in (HIDDEN, "nobody"):
                    there = path.format(name=name, command=command, **PLACES)
                    body = {"json": bodies if "command" in path else {}} if method == "post" else {}
                    answer = await api.client.request(method, there, headers=headers, **body)
                    answers.append((answer.status_code, answer.text.replace(name, "-")))
                assert answers[0] == answers[1], path
                assert answers[0][0] in {404, 422}, path
