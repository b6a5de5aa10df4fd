"""Applications over HTTP: what a file would change, and who is told of rollouts."""

from crossfade.base.codec import to_json
from crossfade.core.access.roles import Grant, Role
from crossfade.core.rollout.deliveries import LastTold
from crossfade.engine.loops.notifications import LAST_TOLD
from crossfade.ports.documents import Save

FILE = """apiVersion: crossfade.dev/v1alpha1
kind: Application
metadata: {name: colors}
spec:
  source: {chart: oci://registry.example.com/charts, version: 1.0.0, values: {replicaCount: REPLICAS}}
  route: {host: colors.localhost, service: colors}
  rollout:
    canary: {steps: [setWeight: 20, pause: {}]}
  notifications:
    - {name: team, slack: {url: {secret: slack-url}}}
    - {name: desk, webhook: {url: "https://desk.example.com/hooks/very-secret"}}
"""
DEVELOPER = Grant(Role.DEVELOPER)


async def preview(api, text):
    return await api.ask("POST", "/applications/preview", DEVELOPER, content=text)


async def test_a_file_is_looked_at_before_it_is_applied_and_changes_nothing_by_that(api):
    first = FILE.replace("REPLICAS", "2")
    assert (await api.ask("POST", "/applications", DEVELOPER, content=first)).status_code == 200
    before = await api.world.store.list("application")

    answer = await preview(api, FILE.replace("REPLICAS", "5"))

    (change,) = answer.json()
    assert change["change"] == "configured"
    assert change["clusters"] == ["aws", "gcp", "onprem"]
    assert change["differences"] == [
        {"path": "spec.source.values.replicaCount", "before": 2, "after": 5}
    ]
    assert await api.world.store.list("application") == before
    assert (await preview(api, first)).json()[0]["change"] == "unchanged"
    new = first.replace("colors", "fruits")
    assert (await preview(api, new)).json()[0]["change"] == "created"


async def test_changes_are_told_in_the_keys_and_units_of_the_file(api):
    first = FILE.replace("REPLICAS", "2")
    await api.ask("POST", "/applications", DEVELOPER, content=first)
    other = first.replace("setWeight: 20, pause: {}", "setWeight: 30, pause: {duration: 90}")
    other = other.replace("service: colors}", "service: colors, perTryTimeout: 1s}")
    other = other.replace(
        "  rollout:\n",
        "  placement: {clusters: {matchLabels: {example.com/zone: a}}}\n  rollout:\n    drain: 10m\n",
    )

    (change,) = (await preview(api, other)).json()

    assert {each["path"]: (each["before"], each["after"]) for each in change["differences"]} == {
        "spec.placement.clusters.matchLabels": ({}, None),
        'spec.placement.clusters.matchLabels["example.com/zone"]': (None, "a"),
        "spec.rollout.canary.steps[0].setWeight": (20, 30),
        "spec.rollout.canary.steps[1].pause": ({}, None),
        "spec.rollout.canary.steps[1].pause.duration": (None, "1m30s"),
        "spec.rollout.drain": ("5s", "10m"),
        "spec.route.perTryTimeout": ("500ms", "1s"),
    }


async def test_what_is_wrong_with_a_file_is_told_by_line_and_column(api):
    answer = await preview(
        api, FILE.replace("REPLICAS", "2").replace("setWeight: 20", "setWeight: x")
    )

    assert answer.status_code == 422
    assert "the request:8:" in answer.json()["detail"]


async def test_who_is_told_is_listed_without_what_may_be_secret_and_with_what_became_of_it(api):
    await api.ask("POST", "/applications", DEVELOPER, content=FILE.replace("REPLICAS", "2"))
    last = to_json(LastTold(12.0, "colors at 20 %", 13.0, "colors is done: 404"))
    await api.world.store.commit((Save(LAST_TOLD, "colors/team", 0, last),))

    answer = await api.ask("GET", "/applications/colors/notifications", Grant(Role.VIEWER))

    team, desk = answer.json()
    assert (team["name"], team["channel"], team["to"]) == (
        "team",
        "slack",
        "the address in the secret slack-url",
    )
    assert team["last"] == last
    assert (desk["to"], desk["waiting"], desk["last"]["sent_at"]) == ("desk.example.com", 0, None)
    assert "very-secret" not in answer.text
