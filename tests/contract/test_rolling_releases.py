"""What every implementation of the RollingReleases port does."""

import pytest

from crossfade.adapters.helm.charts import pack_folder
from crossfade.base.errors import Denied, InputError, Unavailable

TEMPLATE = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: "{{ .Release.Name }}", labels: {app: worker}}
spec:
  replicas: {{ .Values.replicaCount }}
  serviceName: worker
  podManagementPolicy: {{ .Values.policy | default "OrderedReady" }}
  selector: {matchLabels: {app: worker}}
  template:
    metadata: {labels: {app: worker}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: main
          image: {{ .Values.image.repository }}
          command: [sleep, "1000"]
          env: [{name: COLOUR, value: "{{ .Values.colour }}"}]
          readinessProbe:
            exec: {command: ["{{ .Values.probe | default "true" }}"]}
            periodSeconds: 1
"""


@pytest.fixture
def chart(tmp_path):
    folder = tmp_path / "worker"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: worker\nversion: 0.1.0\n")
    (folder / "templates" / "x.yaml").write_text(TEMPLATE)
    return pack_folder(folder).data


@pytest.fixture
def blue(world):
    return world.revision("r1111111", colour="blue", replicaCount=3)


@pytest.fixture
def red(world):
    return world.revision("r2222222", colour="red", replicaCount=3)


@pytest.fixture
def releases(world):
    return world.access.releases


@pytest.fixture
def pods(releases, world):
    """Give scale, wanted and ready pods of each revision, and whether it is ready."""

    async def of():
        return {
            each.revision: (each.scale, each.wanted_pods, each.ready_pods, each.ready)
            for each in await releases.status("colors", world.namespace)
        }

    return of


@pytest.fixture
def settle(pods, until):
    async def settled(**wanted):
        async def is_so():
            return await pods() == wanted

        await until(is_so)

    return settled


async def test_the_first_revision_gets_all_pods(releases, blue, chart, settle):
    await releases.roll(blue, chart, 100)
    await settle(r1111111=(100, 3, 3, True))


async def test_pods_follow_step_by_step_until_the_old_revision_has_none(
    releases, blue, red, chart, settle
):
    await releases.roll(blue, chart, 100)
    await settle(r1111111=(100, 3, 3, True))
    await releases.roll(red, chart, 30)
    await settle(r1111111=(100, 2, 2, True), r2222222=(30, 1, 1, True))
    await releases.roll(red, chart, 60)
    await settle(r1111111=(100, 1, 1, True), r2222222=(60, 2, 2, True))
    await releases.roll(red, chart, 100)
    await settle(r2222222=(100, 3, 3, True))


async def test_the_way_back_is_the_same_call(releases, blue, red, chart, settle):
    await releases.roll(blue, chart, 100)
    await settle(r1111111=(100, 3, 3, True))
    await releases.roll(red, chart, 60)
    await settle(r1111111=(100, 1, 1, True), r2222222=(60, 2, 2, True))
    await releases.roll(blue, chart, 100)
    await settle(r1111111=(100, 3, 3, True))


async def test_repeating_it_changes_nothing(releases, blue, red, chart, settle, pods):
    await releases.roll(blue, chart, 100)
    await releases.roll(red, chart, 30)
    await settle(r1111111=(100, 2, 2, True), r2222222=(30, 1, 1, True))
    await releases.roll(red, chart, 30)
    assert await pods() == {"r1111111": (100, 2, 2, True), "r2222222": (30, 1, 1, True)}


async def test_bytes_that_are_no_chart_are_refused_and_the_revision_before_serves_on(
    releases, blue, red, chart, settle
):
    await releases.roll(blue, chart, 100)
    await settle(r1111111=(100, 3, 3, True))
    with pytest.raises(InputError):
        await releases.roll(red, b"no chart", 100)
    await settle(r1111111=(100, 3, 3, True))


async def test_a_cluster_that_does_not_answer_is_unavailable(world, releases, blue, chart):
    await world.partition()
    with pytest.raises(Unavailable):
        await releases.roll(blue, chart, 100)


async def test_credentials_that_are_refused_are_told_apart_from_silence(
    world, releases, blue, chart
):
    await world.refuse_credentials()
    with pytest.raises(Denied):
        await releases.roll(blue, chart, 100)
