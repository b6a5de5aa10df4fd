"""Revisions in a cluster through crashes, refusals and trouble, with real helm and real pods."""

import asyncio
from pathlib import Path

import pytest

from crossfade.adapters.helm.charts import pack_folder
from crossfade.base.errors import InputError
from crossfade.core.release.revision import Revision
from crossfade.sandbox.kube.kinds import SECRET

COLORS = Path(__file__).parents[3] / "examples/colors/deploy/helm/colors"
CHART = pack_folder(COLORS).data
ROOT = "/api/v1/namespaces/default"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"


def revision(number, namespace="default", **values):
    values = {"replicaCount": 1, **values}
    return Revision(f"r{number:07d}", "colors", namespace, "", "", values)


def chart_with(folder: Path, template: str) -> bytes:
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: x\nversion: 0.1.0\n")
    (folder / "templates" / "x.yaml").write_text(template)
    return pack_folder(folder).data


@pytest.fixture
def look(releases):
    async def at(which):
        found = await releases.status(which.application, which.namespace)
        return next((status for status in found if status.revision == which.id), None)

    return at


async def cut_short(work, seconds):
    """Start the work and kill its helm after `seconds`, as when the hub is killed."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(work)
        await asyncio.sleep(seconds)
        task.cancel()


async def test_an_install_that_was_killed_at_any_moment_is_made_whole(releases, look, until):
    for number, seconds in enumerate((0.15, 0.25, 0.35, 0.45)):
        one = revision(number)
        await cut_short(releases.install(one, CHART), seconds)
        await releases.install(one, CHART)

        async def is_ready(one=one):
            return (await look(one)).ready

        await until(is_ready)


async def test_an_install_that_was_killed_once_helm_had_begun_is_made_whole(
    releases, look, until, sandbox_cloud
):
    one = revision(1)

    async def has_begun():
        secrets = await sandbox_cloud.client.list(SECRET, "default", "owner=helm")
        return bool(secrets)

    async with asyncio.TaskGroup() as group:
        task = group.create_task(releases.install(one, CHART))
        await until(has_begun, step=0.002)
        task.cancel()
    status = await look(one)
    assert not status.installed
    assert "pending-install" in status.trouble
    await releases.install(one, CHART)

    async def is_ready():
        return (await look(one)).ready

    await until(is_ready)


async def test_a_removal_that_was_killed_at_any_moment_is_finished(releases, look, until, api):
    for number, seconds in enumerate((0.1, 0.17, 0.25)):
        one = revision(number)
        await releases.install(one, CHART)
        await cut_short(releases.uninstall(one), seconds)
        await releases.uninstall(one)

        async def is_gone(one=one):
            return await look(one) is None

        await until(is_gone)
    assert (await api.list(f"{ROOT}/services", "crossfade.dev/application=colors"))[0] == []


async def test_a_repair_that_was_killed_leaves_users_their_pods(releases, look, until, api):
    one = revision(1)
    await releases.install(one, CHART)

    async def is_ready():
        return (await look(one)).ready

    await until(is_ready)
    pods, _ = await api.list(f"{ROOT}/pods")
    for seconds in (0.25, 0.4):
        await cut_short(releases.install(one, CHART), seconds)
        await releases.install(one, CHART)
        assert (await look(one)).installed
    after, _ = await api.list(f"{ROOT}/pods")
    assert [pod["metadata"]["uid"] for pod in after] == [pod["metadata"]["uid"] for pod in pods]


async def test_what_the_cluster_refuses_half_way_leaves_nothing(releases, api, tmp_path):
    template = (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: good}\n---\n"
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: bad}\n"
        "spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: c}}, "
        "spec: {containers: [{name: UPPER, image: host}]}}}\n"
    )
    with pytest.raises(InputError) as raised:
        await releases.install(revision(1), chart_with(tmp_path / "chart", template))
    assert "bad" in raised.value.what
    assert await releases.status("colors", "default") == ()
    for kind in ("configmaps", "secrets"):
        found, _ = await api.list(f"{ROOT}/{kind}", "crossfade.dev/application=colors")
        assert found == []


async def test_a_repair_that_the_cluster_refuses_leaves_users_their_revision(
    releases, look, api, tmp_path
):
    one = revision(1)
    await releases.install(one, CHART)
    template = (
        "apiVersion: v1\nkind: Service\nmetadata: {name: '{{ .Release.Name }}-x'}\n"
        "spec: {ports: [{port: -1}]}\n"
    )
    broken = chart_with(tmp_path / "chart", template)
    for _ in range(2):
        with pytest.raises(InputError):
            await releases.install(one, broken)
    assert not (await look(one)).installed
    assert await api.find(f"{DEPLOYMENTS}/{one.release}") is not None
    await releases.install(one, CHART)
    assert (await look(one)).installed


async def test_what_cannot_run_beside_other_revisions_is_refused_with_our_hint(releases, tmp_path):
    template = "apiVersion: v1\nkind: Namespace\nmetadata: {name: own}\n"
    with pytest.raises(InputError) as raised:
        await releases.install(revision(1), chart_with(tmp_path / "chart", template))
    assert "exists once in a cluster" in raised.value.what
    assert await releases.status("colors", "default") == ()


async def test_an_object_of_somebody_else_is_not_taken_over(releases, api):
    name = revision(1).release
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": "b"}}
    await api.create(f"{ROOT}/configmaps", body)
    with pytest.raises(InputError) as raised:
        await releases.install(revision(1), CHART)
    assert "is there already" in raised.value.what
    assert (await api.get(f"{ROOT}/configmaps/{name}"))["data"] == {"a": "b"}


async def test_a_namespace_that_is_not_there_is_made(releases, look):
    one = revision(1, namespace="shop")
    await releases.install(one, CHART)
    assert (await look(one)).installed


async def test_objects_that_helm_has_forgotten_are_shown_and_taken_away(releases, look, until, api):
    one = revision(1)
    await releases.install(one, CHART)
    await api.delete(f"{ROOT}/secrets/sh.helm.release.v1.{one.release}.v1")
    assert not (await look(one)).installed
    await releases.uninstall(one)

    async def is_gone():
        return await look(one) is None

    await until(is_gone)
    assert (await api.list(f"{ROOT}/services", "crossfade.dev/application=colors"))[0] == []


async def test_a_deployment_that_somebody_deleted_is_told_and_comes_back(
    releases, look, until, api
):
    one = revision(1)
    await releases.install(one, CHART)
    await api.delete(f"{DEPLOYMENTS}/{one.release}")
    status = await look(one)
    assert not status.ready
    assert "there is no Deployment" in status.trouble
    await releases.install(one, CHART)

    async def is_ready():
        return (await look(one)).ready

    await until(is_ready)
