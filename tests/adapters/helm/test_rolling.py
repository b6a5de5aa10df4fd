"""Revisions in place, with real helm and a StatefulSet that moves: what goes wrong on the way."""

import asyncio

import pytest

from crossfade.adapters.helm.charts import pack_folder
from crossfade.base.errors import Unavailable
from crossfade.core.release.report import Cause
from crossfade.core.release.revision import Revision

PODS = "/api/v1/namespaces/default/pods"
TEMPLATE = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  replicas: 3
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: main
          image: host
          command: [sleep, "1000"]
          readinessProbe: {exec: {command: ["{{ .Values.probe }}"]}, periodSeconds: 1}
"""


@pytest.fixture
def chart(tmp_path):
    folder = tmp_path / "chart"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: db\nversion: 0.1.0\n")
    (folder / "templates" / "x.yaml").write_text(TEMPLATE)
    return pack_folder(folder).data


def revision(name, probe="true"):
    return Revision(name, "shop", "default", "", "", {"probe": probe})


@pytest.fixture
def ready(releases, until):
    async def all_ready(one, pods=3):
        async def is_so():
            found = {each.revision: each for each in await releases.status("shop", "default")}
            return one.id in found and found[one.id].ready and found[one.id].ready_pods == pods

        await until(is_so)

    return all_ready


async def test_a_revision_that_never_comes_up_is_replaced_on_the_way_back(
    releases, api, chart, ready, until
):
    blue, red = revision("r1111111"), revision("r2222222", "false")
    await releases.roll(blue, chart, 100)
    await ready(blue)
    kept = (await api.get(f"{PODS}/db-0"))["metadata"]["uid"]
    await releases.roll(red, chart, 60)

    async def is_told():
        found = {each.revision: each for each in await releases.status("shop", "default")}
        assert not found[red.id].ready
        return "Readiness probe failed" in found[red.id].trouble

    await until(is_told)
    await releases.roll(blue, chart, 100)
    await ready(blue)
    assert (await api.get(f"{PODS}/db-0"))["metadata"]["uid"] == kept
    assert len(await releases.status("shop", "default")) == 1


async def test_a_roll_that_was_killed_at_any_moment_is_finished_by_repeating_it(
    releases, chart, ready
):
    blue = revision("r1111111")
    await releases.roll(blue, chart, 100)
    await ready(blue)
    for number, seconds in enumerate((0.15, 0.3, 0.4, 0.5)):
        one = revision(f"r300000{number}")
        async with asyncio.TaskGroup() as group:
            task = group.create_task(releases.roll(one, chart, 100))
            await asyncio.sleep(seconds)
            task.cancel()
        await releases.roll(one, chart, 100)
        await ready(one)


async def test_a_crash_between_helm_and_the_partition_is_seen_as_nothing_done(
    releases, api, chart, ready, monkeypatch
):
    blue, red = revision("r1111111"), revision("r2222222")
    await releases.roll(blue, chart, 100)
    await ready(blue)

    async def die(_path, _patch):
        raise Unavailable("the hub is killed here", hint="")

    with monkeypatch.context() as patched:
        patched.setattr(api, "merge", die)
        with pytest.raises(Unavailable):
            await releases.roll(red, chart, 100)
    found = {each.revision: each for each in await releases.status("shop", "default")}
    assert (found[red.id].scale, found[red.id].wanted_pods) == (0, 0)
    assert (found[blue.id].ready_pods, found[blue.id].ready) == (3, True)
    await releases.roll(red, chart, 100)
    await ready(red)


async def test_a_pod_that_its_node_evicts_in_the_middle_is_no_fault_of_the_revision(
    releases, api, chart, ready, until, sandbox_cloud
):
    blue, red = revision("r1111111"), revision("r2222222")
    await releases.roll(blue, chart, 100)
    await ready(blue)
    await releases.roll(red, chart, 30)
    await ready(red, pods=1)
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "db-0"}}
    await api.create(f"{PODS}/db-0/eviction", body)
    for status in await releases.status("shop", "default"):
        assert status.cause is Cause.NONE or status.cause is Cause.NODE
    await ready(blue, pods=2)
    await ready(red, pods=1)
