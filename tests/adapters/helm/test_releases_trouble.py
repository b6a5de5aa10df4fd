"""Why pods do not come up, told for people: whose fault it is, and when waiting is no use."""

import re
import time
from pathlib import Path

import pytest

from crossfade.adapters.helm.charts import pack_folder
from crossfade.adapters.helm.command import HelmCommand
from crossfade.adapters.helm.releases import HelmReleases
from crossfade.adapters.kubernetes.readiness import Readiness
from crossfade.core.release.report import Cause
from crossfade.core.release.revision import Revision
from crossfade.sandbox.kube.kinds import LEASE, NODE

COLORS = Path(__file__).parents[3] / "examples/colors/deploy/helm/colors"
CHART = pack_folder(COLORS).data
ROOT = "/api/v1/namespaces/default"
SPEED = 10
"""How much faster time passes for what waits before it gives up."""


@pytest.fixture
def releases(api):
    readiness = Readiness(lambda: time.monotonic() * SPEED)
    return HelmReleases(api, HelmCommand(), seconds=20, readiness=readiness)


def colors(**values):
    return Revision("r1111111", "colors", "default", "", "", {"replicaCount": 1, **values})


@pytest.fixture
def chart(tmp_path):
    def made(spec):
        text = (
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: '{{ .Release.Name }}'}\n"
            "spec:\n  selector: {matchLabels: {app: x}}\n  template:\n"
            "    metadata: {labels: {app: x}}\n    spec: " + spec + "\n"
        )
        (tmp_path / "templates").mkdir()
        (tmp_path / "templates" / "x.yaml").write_text(text)
        (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: x\nversion: 0.1.0\n")
        return pack_folder(tmp_path).data

    return made


@pytest.fixture
def look(releases):
    async def at():
        (status,) = await releases.status("colors", "default")
        return status

    return at


@pytest.fixture
def told(look, until):
    """Wait until the trouble has these words and, if asked for, is hopeless; return the status."""

    async def wait(*words, hopeless=False):
        seen = []

        async def is_so():
            status = await look()
            seen.append(status)
            return all(re.search(each, status.trouble) for each in words) and (
                status.hopeless or not hopeless
            )

        try:
            await until(is_so)
        except AssertionError:
            raise AssertionError(f"told was only: {seen[-1]}") from None
        return seen[-1]

    return wait


async def test_a_crash_is_told_with_the_last_words_and_given_up_in_the_end(releases, told):
    await releases.install(colors(crash=True), CHART)
    status = await told("crashed with exit code 1", "it said: .*CRASH=1")
    assert (status.cause, status.hopeless) == (Cause.CONFIG, False)
    assert status.trouble.startswith("0 of 1 pods are ready; pod colors-r1111111-")


async def test_a_probe_is_told_with_its_answer_and_blamed_only_after_a_while(
    releases, told, until, look
):
    await releases.install(colors(startSeconds=60), CHART)
    status = await told(
        "runs, but is not ready: Readiness probe failed: HTTP probe failed with statuscode: 503"
        ", saying: .*starting"
    )

    async def is_blamed():
        return (await look()).cause is Cause.CONFIG

    await until(is_blamed)
    assert not status.hopeless
    assert not (await look()).hopeless, "it may yet become ready"


async def test_an_image_that_is_not_there_is_given_up_after_some_tries(releases, told):
    await releases.install(colors(image={"repository": "nginx"}), CHART)
    status = await told("its image nginx.* cannot be had", r"tried \d+ times", hopeless=True)
    assert status.cause is Cause.CONFIG


async def test_no_room_is_told_with_figures_and_is_never_given_up(releases, told):
    await releases.install(colors(resources={"requests": {"cpu": "500"}}), CHART)
    status = await told(
        "no node has room: it asks for 500 CPU; the best node, test-node-0, "
        "has 8 CPU free of 8 CPU, 492 CPU too little"
    )
    assert (status.cause, status.hopeless) == (Cause.RESOURCES, False)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (
            "{containers: [{name: a, image: host, command: [sleep, '9'], env: [{name: P, valueFrom: "
            "{secretKeyRef: {name: db, key: password}}}]}]}",
            "container a cannot be made: Secret db is missing in its namespace",
        ),
        (
            "{containers: [{name: a, image: host, command: [sleep, '9'], envFrom: "
            "[{configMapRef: {name: app}}]}]}",
            "container a cannot be made: ConfigMap app is missing in its namespace",
        ),
        (
            "{containers: [{name: a, image: host, command: [sleep, '9']}], "
            "volumes: [{name: v, secret: {secretName: tls}}]}",
            "its volumes cannot be made: Secret tls is missing in its namespace",
        ),
    ],
)
async def test_what_is_missing_is_named_and_given_up_once_nobody_creates_it(
    releases, told, chart, spec, words
):
    await releases.install(colors(), chart(spec))
    first = await told(words)
    assert (first.cause, first.hopeless) == (Cause.CONFIG, False), "somebody may be creating it"
    assert (await told(words, hopeless=True)).cause is Cause.CONFIG


async def test_a_key_that_is_missing_is_named_with_its_object(releases, told, chart, api):
    await api.create(f"{ROOT}/configmaps", {"metadata": {"name": "app"}, "data": {"host": "x"}})
    spec = (
        "{containers: [{name: a, image: host, command: [sleep, '9'], env: [{name: P, valueFrom: "
        "{configMapKeyRef: {name: app, key: port}}}]}]}"
    )
    await releases.install(colors(), chart(spec))
    await told("key port is missing in ConfigMap app", hopeless=True)


async def test_what_was_missing_and_comes_in_time_lets_the_pods_come_up(
    releases, told, chart, api, until, look
):
    spec = (
        "{containers: [{name: a, image: host, command: [sleep, '9'], env: [{name: P, valueFrom: "
        "{secretKeyRef: {name: db, key: password}}}]}]}"
    )
    await releases.install(colors(), chart(spec))
    await told("Secret db is missing")
    body = {"metadata": {"name": "db"}, "stringData": {"password": "x"}}
    await api.create(f"{ROOT}/secrets", body)

    async def is_ready():
        return (await look()).ready

    await until(is_ready)


async def test_a_command_that_is_not_there_is_told(releases, told, chart):
    spec = "{containers: [{name: a, image: host, command: [/no/such/program]}]}"
    await releases.install(colors(), chart(spec))
    assert (await told("cannot be started: exec: ./no/such/program")).cause is Cause.CONFIG


async def test_memory_beyond_the_limit_is_told_as_such(releases, told, chart):
    spec = (
        "{containers: [{name: a, image: host, resources: {limits: {memory: 20Mi}}, command: "
        "[python3, -c, 'x = bytearray(90_000_000); import time; time.sleep(9)']}]}"
    )
    await releases.install(colors(), chart(spec))
    assert (await told("it used more memory than its limit")).cause is Cause.CONFIG


async def test_a_node_that_fails_is_never_the_revisions_fault(
    releases, told, look, until, sandbox_cloud
):
    await releases.install(colors(), CHART)

    async def is_ready():
        return (await look()).ready

    await until(is_ready)
    sandbox_cloud.kubelet.fail()
    old = {"spec": {"renewTime": "2020-01-01T00:00:00.000000Z"}}
    await sandbox_cloud.client.patch(LEASE, "kube-node-lease", "test-node-0", old)
    await sandbox_cloud.client.patch(
        NODE, None, "test-node-0", {"metadata": {"labels": {"x": "y"}}}
    )
    status = await told("its node test-node-0 does not answer")
    assert (status.cause, status.hopeless) == (Cause.NODE, False)
    sandbox_cloud.kubelet.recover()
    await until(is_ready)


async def test_a_machine_that_is_taken_back_is_never_the_revisions_fault(
    releases, told, look, until, sandbox_cloud
):
    await releases.install(colors(), CHART)

    async def is_ready():
        return (await look()).ready

    await until(is_ready)
    await sandbox_cloud.kubelet.shut_down()
    status = await told("ended with its node, which shuts down|were not ready|does not answer")
    assert (status.cause, status.hopeless) == (Cause.NODE, False)
    await sandbox_cloud.kubelet.stay()
    await until(is_ready)


async def test_a_node_that_takes_no_pods_is_no_lack_of_room(releases, told, sandbox_cloud):
    await sandbox_cloud.client.patch(NODE, None, "test-node-0", {"spec": {"unschedulable": True}})
    await releases.install(colors(), CHART)
    status = await told("no node takes it: .* were unschedulable")
    assert (status.cause, status.hopeless) == (Cause.NODE, False)


async def test_labels_that_no_node_has_are_the_charts_matter(releases, told, chart):
    spec = (
        "{nodeSelector: {gpu: 'yes'}, containers: [{name: a, image: host, command: [sleep, '9']}]}"
    )
    await releases.install(colors(), chart(spec))
    status = await told("no node takes it: .*didn't match Pod's node affinity/selector")
    assert (status.cause, status.hopeless) == (Cause.CONFIG, False)


async def test_a_pod_that_is_evicted_is_told_while_another_comes_up(
    releases, told, look, until, api
):
    await releases.install(colors(startSeconds=3), CHART)

    async def is_ready():
        return (await look()).ready

    await until(is_ready)
    ((pod,), _) = await api.list(f"{ROOT}/pods")
    name = pod["metadata"]["name"]
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
    await api.create(f"{ROOT}/pods/{name}/eviction", body)

    async def is_away():
        status = await look()
        assert not status.hopeless
        return not status.ready

    await until(is_away)
    await until(is_ready)
