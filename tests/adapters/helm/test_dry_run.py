"""What a dry run finds, on a cluster with its own API server, and that it changes nothing."""

import time
from pathlib import Path

import pytest

from crossfade.adapters.helm.charts import pack_folder
from crossfade.core.release.revision import Revision

COLORS = Path(__file__).parents[3] / "examples/colors/deploy/helm/colors"


@pytest.fixture
def chart(tmp_path):
    def made(*templates):
        folder = tmp_path / "chart"
        (folder / "templates").mkdir(parents=True)
        (folder / "Chart.yaml").write_text("apiVersion: v2\nname: x\nversion: 0.1.0\n")
        for index, text in enumerate(templates):
            (folder / "templates" / f"{index}.yaml").write_text(text)
        return pack_folder(folder).data

    return made


def revision(namespace="default", **values):
    return Revision("r1111111", "shop", namespace, "", "", values)


GOOD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: good}\n"
UNKNOWN = (
    "apiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\nmetadata: {name: m}\nspec: {}\n"
)


async def test_a_chart_that_fits_meets_no_objection_and_changes_nothing(releases, api):
    chart = pack_folder(COLORS).data
    named = Revision("r1111111", "colors", "default", "", "", {})
    assert await releases.dry_run(named, chart) == ()
    assert await releases.status("colors", "default") == ()
    for kind in ("configmaps", "secrets", "services", "pods"):
        found, _ = await api.list(f"/api/v1/namespaces/default/{kind}", "crossfade.dev/revision")
        assert found == []


async def test_every_object_that_is_refused_is_told_not_only_the_first(releases, chart):
    bad = [
        f"apiVersion: v1\nkind: Service\nmetadata: {{name: bad{port}}}\nspec: {{ports: [{{port: {port}}}]}}\n"
        for port in (-1, 70000)
    ]
    found = await releases.dry_run(revision(), chart(GOOD, *bad))
    assert {each.kind for each in found} == {"Service"}
    assert {each.name for each in found} == {"shop-r1111111-bad-1", "shop-r1111111-bad70000"}
    assert not any(each.is_policy or each.warning for each in found)


async def test_fields_that_nobody_knows_are_told(releases, chart):
    text = "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {prots: [], ports: [{port: 1}]}\n"
    (found,) = await releases.dry_run(revision(), chart(text))
    assert "prots" in found.message


async def test_a_kind_that_the_cluster_does_not_know_says_what_to_do(releases, chart):
    (found,) = await releases.dry_run(revision(), chart(GOOD, UNKNOWN))
    assert (found.kind, found.unknown_kind, found.warning) == ("ServiceMonitor", True, False)
    assert "spec.shared" in found.message


async def test_a_chart_that_asks_what_the_cluster_can_do_is_rendered_for_this_cluster(
    releases, chart
):
    careful = (
        '{{ if .Capabilities.APIVersions.Has "monitoring.coreos.com/v1/ServiceMonitor" }}\n'
        + UNKNOWN
        + '{{ end }}\n{{ if .Capabilities.APIVersions.Has "apps/v1/Deployment" }}\n---\n'
        + "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {ports: [{port: 0}]}\n{{ end }}\n"
    )
    (found,) = await releases.dry_run(revision(), chart(careful))
    assert found.kind == "Service"


async def test_a_namespace_that_is_not_there_yet_is_said_and_the_rest_is_checked_all_the_same(
    releases, chart, api
):
    bad = "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {ports: [{port: -1}]}\n"
    named = GOOD.replace("name: good", "name: named, namespace: elsewhere")
    refused, said = await releases.dry_run(revision("elsewhere"), chart(GOOD, named, bad))
    assert refused.kind == "Service"
    assert (said.kind, said.name, said.warning) == ("Namespace", "elsewhere", True)
    assert await api.find("/api/v1/namespaces/elsewhere") is None


async def test_what_is_wrong_with_the_pods_of_a_workload_is_told_under_its_name(releases, chart):
    job = (
        "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: nightly}\n"
        "spec: {schedule: '* * * * *', jobTemplate: {spec: {template: {spec: "
        "{restartPolicy: Sometimes, containers: [{name: a, image: host}]}}}}}\n"
    )
    found = await releases.dry_run(revision(), chart(job))
    assert {(each.kind, each.name) for each in found} == {("CronJob", "shop-r1111111-nightly")}


async def test_many_objects_are_asked_side_by_side(releases, chart):
    maps = [f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{n}}}\n" for n in range(60)]
    begin = time.monotonic()
    assert await releases.dry_run(revision(), chart(*maps)) == ()
    assert time.monotonic() - begin < 10, "it took 1 s on 2 cores when it was written"


async def test_what_follows_in_place_is_asked_under_the_name_that_it_has(releases, chart):
    bad = "apiVersion: v1\nkind: Service\nmetadata: {name: '{{ .Release.Name }}'}\nspec: {ports: [{port: 0}]}\n"
    (found,) = await releases.dry_run(revision(), chart(bad), in_place=True)
    assert found.name == "shop"
