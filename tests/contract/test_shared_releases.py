"""What every implementation of the SharedReleases port does."""

from dataclasses import replace

import pytest

from crossfade.adapters.helm.charts import pack_folder
from crossfade.base.errors import Denied, InputError, Unavailable
from crossfade.core.release.shared import SharedRelease

TEMPLATE = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: "{{ .Release.Name }}"}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: main
          image: {{ .Values.image | default "host" }}
          command: [sleep, "1000"]
          env: [{name: VERSION, value: "{{ .Values.version }}"}]
          readinessProbe: {exec: {command: ["true"]}, periodSeconds: 1}
"""


@pytest.fixture
def chart(tmp_path):
    folder = tmp_path / "db"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: db\nversion: 0.1.0\n")
    (folder / "templates" / "x.yaml").write_text(TEMPLATE)
    return pack_folder(folder).data


@pytest.fixture
def database(world, chart):
    return SharedRelease("shop-db", world.namespace, "d1", {"version": 1}, chart)


@pytest.fixture
def releases(world):
    return world.access.releases


@pytest.fixture
def ready(releases, until):
    async def is_ready(shared):
        async def is_so():
            (status,) = await releases.shared_status([shared])
            return status.ready

        await until(is_so)

    return is_ready


async def test_what_is_not_there_says_so(releases, database):
    (status,) = await releases.shared_status([database])
    assert (status.name, status.current, status.ready) == ("shop-db", False, False)
    assert "not there" in status.trouble


async def test_it_is_installed_and_becomes_ready(releases, database, ready):
    await releases.upgrade_shared(database)
    (status,) = await releases.shared_status([database])
    assert status.current
    await ready(database)
    (status,) = await releases.shared_status([database])
    assert status.trouble == ""


async def test_other_values_or_another_chart_are_not_current_until_upgraded(
    releases, database, ready
):
    await releases.upgrade_shared(database)
    await ready(database)
    for changed in (
        replace(database, values={"version": 2}),
        replace(database, chart_digest="d2"),
    ):
        (status,) = await releases.shared_status([changed])
        assert not status.current
        assert not status.ready
        await releases.upgrade_shared(changed)
        await ready(changed)


async def test_several_are_told_in_the_order_asked_for(releases, database):
    await releases.upgrade_shared(database)
    other = replace(database, name="shop-cache")
    told = await releases.shared_status([other, database])
    assert [(each.name, each.current) for each in told] == [
        ("shop-cache", False),
        ("shop-db", True),
    ]


async def test_a_chart_that_is_refused_leaves_what_was_there(releases, database, ready):
    await releases.upgrade_shared(database)
    await ready(database)
    with pytest.raises(InputError):
        await releases.upgrade_shared(replace(database, chart_digest="d2", chart=b"no chart"))
    await ready(database)


async def test_a_cluster_that_does_not_answer_is_unavailable(world, releases, database):
    await world.partition()
    for call in (releases.upgrade_shared(database), releases.shared_status([database])):
        with pytest.raises(Unavailable):
            await call


async def test_credentials_that_are_refused_are_told_apart_from_silence(world, releases, database):
    await world.refuse_credentials()
    for call in (releases.upgrade_shared(database), releases.shared_status([database])):
        with pytest.raises(Denied):
            await call
