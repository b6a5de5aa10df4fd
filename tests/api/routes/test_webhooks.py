"""Webhooks make the builds that wait for them: only genuine ones, and each once."""

import hashlib
import hmac
import json

import pytest

from crossfade.adapters.pipelines.graphs import read_graph
from crossfade.engine.pipelines.records import Builds, Registered
from crossfade.engine.pipelines.starting import Registry

PIPELINE = """version: '1.0'
kind: pipeline
metadata: {name: NAME}
spec:
  triggers:
    - type: git
      name: pushes
      repo: acme/web
      events: [push.heads]
      branchRegex: /^main$/
      context: CONTEXT
      variables: [{key: FLAVOUR, value: sour, encrypted: true}]
  steps:
    unit: {image: alpine, commands: ['echo $CF_BRANCH']}
"""
COMMIT = {"id": "a" * 40, "message": "Mend it", "author": {"username": "ann"}, "added": ["x"]}
PUSH = {
    "ref": "refs/heads/main",
    "after": "a" * 40,
    "repository": {"full_name": "acme/web", "clone_url": "https://git.example.com/acme/web.git"},
    "head_commit": COMMIT,
    "commits": [COMMIT],
}


async def register(api, name="shop/web", context="github", more=""):
    text = PIPELINE.replace("NAME", name).replace("CONTEXT", context)
    text = text.replace("repo: acme/web\n", f"repo: acme/web\n{more}")
    graph = read_graph(text, "", "the file", with_clone=False)
    registry = Registry(Builds(api.world.store), api.world.clock, lambda _: graph)
    await registry.register(Registered(name, text, spec=graph.pipeline.spec))


async def send(api, data, *, key="s3cret", context="github", event="push"):
    body = json.dumps(data).encode()
    signature = hmac.new(key.encode(), body, hashlib.sha256).hexdigest()
    headers = {"X-GitHub-Event": event, "X-Hub-Signature-256": f"sha256={signature}"}
    return await api.client.post(f"/api/v1/webhooks/{context}", content=body, headers=headers)


async def builds(api):
    return await Builds(api.world.store).all()


async def test_a_push_makes_a_build_of_its_commit_that_the_hub_runs(api):
    await register(api)

    answer = await send(api, PUSH)

    assert answer.status_code == 202
    assert answer.json() == {"builds": ["1"], "quiet": {}}
    (build,) = await builds(api)
    assert (build.pipeline, build.trigger, build.branch) == ("shop/web", "pushes", "main")
    assert (build.hub, build.clone) == (True, True)
    variables = (await Builds(api.world.store).state("1")).value.variables
    assert variables["CF_REPO_CLONE_URL"].value == "https://git.example.com/acme/web.git"
    assert variables["CF_BUILD_INITIATOR"].value == "ann"
    assert variables["CF_BUILD_TRIGGER"].value == "webhook"
    assert (variables["FLAVOUR"].value, variables["FLAVOUR"].secret) == ("sour", True)


async def test_an_address_that_the_trigger_says_goes_before_the_one_of_its_server(api):
    await register(api, more="      cloneUrl: ssh://git@git.internal/acme/web.git\n")

    await send(api, PUSH)

    variables = (await Builds(api.world.store).state("1")).value.variables
    assert variables["CF_REPO_CLONE_URL"].value == "ssh://git@git.internal/acme/web.git"


async def test_a_request_that_was_taken_is_refused_when_it_is_sent_again(api):
    await register(api)
    await send(api, PUSH)

    again = await send(api, PUSH)

    assert again.status_code == 409
    assert len(await builds(api)) == 1


async def test_a_request_that_nobody_signed_makes_nothing(api):
    await register(api)

    wrong = await send(api, PUSH, key="another")
    unknown = await send(api, PUSH, key="", context="gitlab")

    assert wrong.status_code == unknown.status_code == 401
    assert wrong.text.replace("github", "gitlab") == unknown.text, "no secret looks as a wrong one"
    assert await builds(api) == ()


async def test_triggers_that_stay_quiet_say_why(api):
    await register(api)

    answer = await send(api, {**PUSH, "ref": "refs/heads/other"})

    assert answer.json()["builds"] == []
    assert "other" in answer.json()["quiet"]["shop/web/pushes"]


async def test_a_trigger_of_another_integration_is_not_concerned(api):
    await register(api, context="somewhere-else")

    assert (await send(api, PUSH)).json() == {"builds": [], "quiet": {}}


async def test_every_pipeline_that_waits_gets_its_build(api):
    await register(api)
    await register(api, "shop/other")

    assert len((await send(api, PUSH)).json()["builds"]) == 2


@pytest.mark.parametrize(("body", "event"), [({}, "push"), ({"ref": 1, "after": 2}, "push")])
async def test_what_cannot_be_read_is_refused(api, body, event):
    assert (await send(api, body, event=event)).status_code == 422


async def test_names_that_are_no_integration_are_refused(api):
    assert (await send(api, PUSH, context="..%2Fx")).status_code in (404, 422)
