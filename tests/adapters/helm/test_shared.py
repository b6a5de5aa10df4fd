"""Shared charts in a cluster, with real helm: definitions, crashes, and what must never be lost."""

import asyncio
from dataclasses import replace

import pytest

from crossfade.adapters.helm.charts import pack_folder
from crossfade.base.errors import Conflict, InputError
from crossfade.core.release.shared import SharedRelease

MAPS = "/api/v1/namespaces/default/configmaps"
DEFINITION = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: paints.shop.test}
spec:
  group: shop.test
  names: {kind: Paint, plural: paints, singular: paint}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties: {spec: {type: object, properties: {FIELD: {type: string}}}}
"""
PAINT = """
apiVersion: shop.test/v1
kind: Paint
metadata: {name: white}
spec: {FIELD: "{{ .Values.version }}"}
"""
SETTINGS = """
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {version: "{{ .Values.version }}"}
"""
REFUSED = "---\napiVersion: v1\nkind: Service\nmetadata: {name: bad}\nspec: {ports: [{port: -1}]}\n"


@pytest.fixture
def chart(tmp_path):
    def made(number, templates, crds=""):
        folder = tmp_path / f"chart{number}"
        for name, text in (("templates", templates), ("crds", crds)):
            (folder / name).mkdir(parents=True)
            (folder / name / "x.yaml").write_text(text)
        (folder / "Chart.yaml").write_text("apiVersion: v2\nname: db\nversion: 0.1.0\n")
        return SharedRelease(
            "shop-db", "default", f"d{number}", {"version": number}, pack_folder(folder).data
        )

    return made


async def test_definitions_are_there_before_objects_of_theirs_and_are_upgraded_too(
    releases, api, chart
):
    paints = "/apis/shop.test/v1/namespaces/default/paints"
    await releases.upgrade_shared(
        chart(1, PAINT.replace("FIELD", "colour"), DEFINITION.replace("FIELD", "colour"))
    )
    assert (await api.get(f"{paints}/white"))["spec"] == {"colour": "1"}
    newer = chart(2, PAINT.replace("FIELD", "shade"), DEFINITION.replace("FIELD", "shade"))
    await releases.upgrade_shared(newer)
    assert (await api.get(f"{paints}/white"))["spec"] == {"shade": "2"}
    (status,) = await releases.shared_status([newer])
    assert status.ready


async def test_a_release_that_is_current_is_left_alone(releases, api, chart):
    one = chart(1, SETTINGS)
    await releases.upgrade_shared(one)
    await api.merge(f"{MAPS}/settings", {"data": {"version": "by hand"}})
    await releases.upgrade_shared(one)
    assert (await api.get(f"{MAPS}/settings"))["data"] == {"version": "by hand"}


async def test_objects_keep_their_names_since_there_is_one_of_each(releases, api, chart):
    await releases.upgrade_shared(chart(1, SETTINGS))
    assert (await api.get(f"{MAPS}/settings"))["metadata"]["labels"]["crossfade.dev/shared"] == (
        "shop-db"
    )


async def test_an_upgrade_that_was_killed_at_any_moment_is_finished(releases, api, chart):
    for number, seconds in enumerate((0.1, 0.2, 0.3, 0.4)):
        wanted = chart(number, SETTINGS)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(releases.upgrade_shared(wanted))
            await asyncio.sleep(seconds)
            task.cancel()
        await releases.upgrade_shared(wanted)
        assert (await api.get(f"{MAPS}/settings"))["data"] == {"version": str(number)}


async def test_an_upgrade_that_the_cluster_refuses_removes_nothing_and_is_tried_again(
    releases, api, chart
):
    one = chart(1, SETTINGS)
    await releases.upgrade_shared(one)
    broken = chart(2, SETTINGS + REFUSED)
    for _ in range(2):
        with pytest.raises(InputError):
            await releases.upgrade_shared(broken)
    assert await api.find(f"{MAPS}/settings") is not None
    (status,) = await releases.shared_status([broken])
    assert "Helm says failed" in status.trouble
    await releases.upgrade_shared(replace(one, chart_digest="d3"))


async def test_a_release_that_somebody_is_removing_is_not_touched(releases, api, chart):
    one = chart(1, SETTINGS)
    await releases.upgrade_shared(one)
    path = "/api/v1/namespaces/default/secrets/sh.helm.release.v1.shop-db.v1"
    await api.merge(path, {"metadata": {"labels": {"status": "uninstalling"}}})
    with pytest.raises(Conflict) as raised:
        await releases.upgrade_shared(chart(2, SETTINGS))
    assert "helm uninstall shop-db" in raised.value.hint
    assert await api.find(f"{MAPS}/settings") is not None
