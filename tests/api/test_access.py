"""Every endpoint by every role: nobody does or sees what was not given to them."""

import pytest

from crossfade.core.access.roles import Grant, Role
from crossfade.engine.access_records import AUDIT_LOG
from crossfade.engine.audit import AuditLog

FILE = """
apiVersion: crossfade.dev/v1alpha1
kind: Application
metadata: {name: NAME}
spec:
  source: {chart: "oci://registry.example.com/charts/NAME", version: 1.0.0}
  route: {host: NAME2.example.com, service: web}
"""

# What is asked, and the least role on the application that it takes; None: on everything.
ON_COLORS = [
    ("GET", "/applications/colors", Role.VIEWER, {}),
    ("GET", "/applications/colors/clusters", Role.VIEWER, {}),
    ("GET", "/applications/colors/notifications", Role.VIEWER, {}),
    ("GET", "/applications/colors/traffic", Role.VIEWER, {}),
    ("GET", "/applications/colors/failover", Role.VIEWER, {}),
    ("GET", "/applications/colors/dns", Role.VIEWER, {}),
    ("GET", "/applications/colors/rollouts", Role.VIEWER, {}),
    ("GET", "/applications/colors/rollouts/1", Role.VIEWER, {}),
    ("GET", "/applications/colors/rollouts/1/history", Role.VIEWER, {}),
    ("GET", "/applications/colors/rollouts/1/analysis", Role.VIEWER, {}),
    ("GET", "/applications/colors/rollouts/1/analysis/points", Role.VIEWER, {}),
    ("POST", "/applications/colors/rollouts", Role.RELEASER, {"json": {}}),
    ("POST", "/applications/colors/rollouts/plan", Role.RELEASER, {"json": {}}),
    *(
        ("POST", f"/applications/colors/rollout/{command}", Role.RELEASER, {"json": {}})
        for command in (
            *("pause", "resume", "promote", "promote-full", "skip"),
            *("approve", "abort", "retry", "restart", "undo"),
        )
    ),
]
ON_AWS = [
    ("GET", "/fleet/aws/drain", Role.RELEASER, {}),
    ("POST", "/fleet/aws/drain", Role.RELEASER, {}),
    ("POST", "/fleet/aws/restore", Role.RELEASER, {}),
    ("POST", "/fleet/aws/drill", Role.RELEASER, {"json": {}}),
    ("POST", "/fleet/aws/drill/stop", Role.RELEASER, {"json": {}}),
    ("DELETE", "/fleet/aws", Role.ADMIN, {}),
    ("PATCH", "/fleet/aws", Role.ADMIN, {"json": {"capacity": 80}}),
    ("POST", "/fleet/aws/preview", Role.ADMIN, {"json": {"capacity": 80}}),
]
"""The same on a cluster, for all applications."""
CLUSTER = {"name": "aws", "context": "aws", "kubeconfig": "/k"}
PROVIDER = {
    "issuer": "https://login.example.com",
    "client_id": "crossfade",
    "url": "https://crossfade.example.com",
    "groups": {"ops": [{"role": "viewer"}]},
}
PIPELINE = "kind: pipeline\nmetadata: {name: shop}\nspec: {steps: {a: {image: a, commands: [b]}}}"
OF_ALL = [
    ("POST", "/fleet", Role.ADMIN, {"json": CLUSTER}),
    ("GET", "/edges", Role.VIEWER, {}),
    ("GET", "/builds", Role.VIEWER, {}),
    ("POST", "/builds", Role.DEVELOPER, {"json": {"pipeline": "shop"}}),
    ("POST", "/builds/file", Role.ADMIN, {"json": {"file": {"text": PIPELINE}}}),
    ("GET", "/pipelines", Role.VIEWER, {}),
    ("POST", "/pipelines", Role.ADMIN, {"json": {"files": [{"text": PIPELINE}]}}),
    ("DELETE", "/pipelines/shop", Role.ADMIN, {}),
    ("GET", "/environments", Role.VIEWER, {}),
    ("GET", "/environments/review/log", Role.VIEWER, {}),
    ("DELETE", "/environments/review", Role.DEVELOPER, {}),
    ("POST", "/builds/prune", Role.ADMIN, {"json": {"dry_run": True}}),
    ("GET", "/contexts", Role.VIEWER, {}),
    ("GET", "/contexts/staging", Role.VIEWER, {}),
    ("PUT", "/contexts/staging", Role.ADMIN, {"json": {"type": "config", "data": {"A": "b"}}}),
    ("DELETE", "/contexts/staging", Role.ADMIN, {}),
    ("GET", "/builds/1", Role.VIEWER, {}),
    ("GET", "/builds/1/state", Role.VIEWER, {}),
    ("GET", "/builds/1/files", Role.VIEWER, {}),
    ("GET", f"/builds/1/files/{64 * 'a'}", Role.VIEWER, {}),
    ("GET", "/builds/1/tests", Role.VIEWER, {}),
    ("GET", "/builds/1/tests/cases", Role.VIEWER, {}),
    ("GET", "/builds/1/why?step=unit", Role.VIEWER, {}),
    ("GET", "/builds/1/log?step=unit", Role.VIEWER, {}),
    ("POST", "/builds/1/approve", Role.RELEASER, {"json": {}}),
    ("POST", "/builds/1/deny", Role.RELEASER, {"json": {}}),
    ("POST", "/builds/1/terminate", Role.DEVELOPER, {"json": {}}),
    ("POST", "/builds/1/restart", Role.DEVELOPER, {"json": {}}),
    ("GET", "/accounts", Role.ADMIN, {}),
    ("POST", "/accounts", Role.ADMIN, {"json": {"name": "x", "grants": [{"role": "viewer"}]}}),
    ("PATCH", "/accounts/admin", Role.ADMIN, {"json": {"disabled": False}}),
    ("POST", "/accounts/admin/password", Role.ADMIN, {}),
    ("GET", "/identity-provider", Role.ADMIN, {}),
    ("PUT", "/identity-provider", Role.ADMIN, {"json": PROVIDER}),
    ("DELETE", "/identity-provider", Role.ADMIN, {}),
    ("POST", "/secrets/rotation", Role.ADMIN, {"json": {}}),
    ("GET", "/secrets", Role.ADMIN, {}),
    ("PUT", "/secrets/s", Role.ADMIN, {"json": {"value": "v"}}),
    ("DELETE", "/secrets/s", Role.ADMIN, {}),
    ("GET", "/audit", Role.ADMIN, {}),
    ("GET", "/audit/newest", Role.ADMIN, {}),
    ("GET", "/audit/verification", Role.ADMIN, {}),
]
OF_ANYBODY = [
    ("GET", "/overview", {}),
    ("GET", "/overview/news", {}),
    ("GET", "/fleet", {}),
    ("GET", "/fleet/aws", {}),
    ("GET", "/names", {}),
    ("GET", "/drills", {}),
    ("GET", "/failover", {}),
    ("GET", "/failover/aws", {}),
    ("GET", "/applications", {}),
    ("GET", "/rollouts", {}),
    ("GET", "/events", {}),
    ("GET", "/tokens", {}),
    ("GET", "/session", {}),
]
SPECIAL = [
    ("POST", "/applications"),
    ("POST", "/applications/preview"),
    ("GET", "/drills/{number}"),
    ("POST", "/tokens"),
    ("DELETE", "/tokens/{identity}"),
    ("DELETE", "/session"),
    ("POST", "/session/password"),
    ("POST", "/webhooks/{context}"),
]
"""Tested one by one below, or in tests/api/routes."""
OPEN = {
    *("/healthz", "/readyz", "/metrics", "/api/v1/session"),
    *("/api/v1/session/options", "/api/v1/session/sign-on", "/api/v1/session/sign-on/callback"),
}


def all_paths(schema):
    return {
        (method.upper(), path) for path, methods in schema["paths"].items() for method in methods
    }


async def test_no_endpoint_is_left_out_of_these_tables(api):
    schema = (await api.client.get("/api/v1/openapi.json")).json()
    commands = "/api/v1/applications/{name}/rollout/{command}"
    told = {(method, f"/api/v1{path}") for method, path in SPECIAL}
    for method, path, *_ in (*ON_COLORS, *ON_AWS, *OF_ALL, *OF_ANYBODY):
        plain = f"/api/v1{path.partition('?')[0]}"
        plain = plain.replace("/builds/1", "/builds/{run}").replace("/colors", "/{name}")
        plain = plain.replace("/accounts/admin", "/accounts/{name}")
        plain = plain.replace("/secrets/s", "/secrets/{name}")
        plain = plain.replace("/environments/review", "/environments/{name}")
        plain = plain.replace("/contexts/staging", "/contexts/{name}")
        plain = plain.replace("/pipelines/shop", "/pipelines/{name}")
        plain = plain.replace(64 * "a", "{digest}")
        plain = plain.replace("/1", "/{number}").replace("/aws", "/{cluster}")
        if method == "POST" and "/builds/{run}/" in plain:
            plain = "/api/v1/builds/{run}/{command}"
        told.add((method, commands if "/rollout/" in plain else plain))
    told |= {("GET", path) for path in OPEN} | {("POST", "/api/v1/session")}

    assert all_paths(schema) == told


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(("method", "path", "least", "body"), ON_COLORS)
async def test_what_concerns_an_application_takes_the_role_there(
    api, method, path, least, body, role
):
    answer = await api.ask(method, path, Grant(role, "colors"), **body)

    if role.rank < least.rank:
        assert answer.status_code == 403
        assert answer.json()["code"] == "not-allowed"
    else:
        # The command itself may make no sense now, but whoever asks may give it.
        assert answer.status_code in (200, 201, 409, 422), answer.text


@pytest.mark.parametrize(("method", "path", "least", "body"), ON_COLORS)
async def test_one_that_may_not_be_seen_looks_like_one_that_is_not_there(
    api, method, path, least, body
):
    elsewhere = Grant(Role.ADMIN, "shapes")
    forbidden = await api.ask(method, path, elsewhere, **body)
    unknown = await api.ask(method, path.replace("colors", "nothing"), elsewhere, **body)

    assert forbidden.status_code == unknown.status_code == 404
    assert forbidden.text == unknown.text.replace("nothing", "colors")


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(("method", "path", "least", "body"), OF_ALL)
async def test_what_concerns_all_takes_the_role_everywhere(api, method, path, least, body, role):
    await api.waiting()
    everywhere = await api.ask(method, path, Grant(role), **body)
    here = await api.ask(method, path, Grant(role, "colors"), **body)

    allowed = everywhere.status_code != 403 or "a token changes no accounts" in everywhere.text
    assert allowed is (role.rank >= least.rank), everywhere.text
    assert everywhere.status_code < 500
    assert here.status_code == 403


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(("method", "path", "least", "body"), ON_AWS)
async def test_what_concerns_a_cluster_takes_the_role_on_all_of_its_applications(
    api, method, path, least, body, role
):
    there = await api.ask(method, path, Grant(role, cluster="aws"), **body)
    one = await api.ask(method, path, Grant(role, "colors", "aws"), **body)
    elsewhere = await api.ask(method, path, Grant(Role.ADMIN, cluster="gcp"), **body)

    assert (there.status_code in (200, 204, 409, 422)) is (role.rank >= least.rank), there.text
    assert one.status_code == (404 if there.status_code == 204 else 403)
    assert elsewhere.status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [(m, p, b) for m, p, _, b in (*ON_COLORS, *ON_AWS, *OF_ALL)]
    + OF_ANYBODY
    + [
        (
            m,
            p.replace("{identity}", "1").replace("{number}", "1").replace("{context}", "github"),
            {"json": {}},
        )
        for m, p in SPECIAL
    ],
)
async def test_nobody_gets_anything_without_signing_in(api, method, path, body):
    for headers in (
        {},
        {"Authorization": "Bearer cfd_1_2"},
        {"Authorization": "Basic YTpi"},
        {"Cookie": "crossfade_session=cfs_1_2"},
    ):
        answer = await api.client.request(method, f"/api/v1{path}", headers=headers, **body)

        assert answer.status_code == 401, answer.text
        assert answer.json()["code"] == "not-signed-in"


@pytest.mark.parametrize(("method", "path", "body"), OF_ANYBODY)
async def test_nothing_of_another_application_or_cluster_is_in_any_list(api, method, path, body):
    path = path.replace("aws", "gcp")
    answer = await api.ask(method, path, Grant(Role.ADMIN, "shapes", "gcp"), **body)

    assert answer.status_code == 200
    for hidden in ("colors", "aws", "onprem", "kubeconfig"):
        assert hidden not in answer.text


async def test_a_cluster_that_may_not_be_seen_is_not_there(api):
    mine = Grant(Role.ADMIN, "shapes", "gcp")
    forbidden = await api.ask("GET", "/fleet/aws", mine)
    unknown = await api.ask("GET", "/fleet/xyz", mine)

    assert forbidden.status_code == 404
    assert forbidden.text == unknown.text.replace("xyz", "aws")


async def test_who_may_not_touch_every_cluster_of_an_application_may_not_release_it(api):
    some = (Grant(Role.RELEASER, "colors", "aws"), Grant(Role.RELEASER, "colors", "gcp"))
    path = "/applications/colors/rollout/pause"

    assert (await api.ask("POST", path, *some, json={})).status_code == 403
    last = Grant(Role.RELEASER, "colors", "onprem")
    assert (await api.ask("POST", path, *some, last, json={})).status_code == 200


@pytest.mark.parametrize("name", ["colors", "unknown"])
async def test_applying_what_is_not_ones_own_is_refused_whether_or_not_it_is_there(api, name):
    text = FILE.replace("NAME", name)
    for path in ("/applications", "/applications/preview"):
        answer = await api.ask("POST", path, Grant(Role.ADMIN, "shapes"), content=text)
        assert answer.status_code == 403

    assert (await api.ask("GET", "/applications", Grant(Role.VIEWER))).text.count('"unknown"') == 0


async def test_a_host_that_is_taken_does_not_tell_whose_it_is(api):
    text = FILE.replace("NAME2.example.com", "colors.localhost").replace("NAME", "mine")
    answer = await api.ask("POST", "/applications", Grant(Role.DEVELOPER, "mine"), content=text)

    assert answer.status_code == 422
    assert answer.json()["detail"] == "the host `colors.localhost` is taken"


async def test_a_folder_of_the_hub_is_named_by_admins_only(api):
    text = FILE.replace("oci://registry.example.com/charts", "/etc").replace("NAME", "mine")
    text = text.replace(", version: 1.0.0", "")
    seen = await api.ask("POST", "/applications/preview", Grant(Role.DEVELOPER), content=text)
    assert seen.status_code == 403
    refused = await api.ask("POST", "/applications", Grant(Role.DEVELOPER), content=text)
    allowed = await api.ask("POST", "/applications", Grant(Role.ADMIN), content=text)

    assert refused.status_code == 403
    assert allowed.json() == [{"name": "mine", "change": "created"}]


async def test_what_was_refused_is_in_the_audit_log(api):
    path = "/applications/colors/rollout/abort"
    await api.ask("POST", path, Grant(Role.VIEWER, "colors"), json={})
    entry = [each async for each in AuditLog(api.world.store).entries()][-1]

    assert (entry.deed.outcome, entry.deed.what) == ("refused", ("release on `colors`",))
    assert entry.deed.via.startswith("token ")


async def test_what_was_done_is_in_the_audit_log_with_who_did_it(api):
    path = "/applications/colors/rollout/abort"
    await api.ask("POST", path, Grant(Role.RELEASER, "colors"), json={"why": "too slow"})
    done = (await api.world.store.events(AUDIT_LOG))[-1]

    assert done.facts["deed"]["who"] == "admin"
    assert "aborted by a person: too slow" in done.reason
    assert (await AuditLog(api.world.store).verify()).wrong == ""
