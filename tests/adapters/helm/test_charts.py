"""Charts from folders: the same bytes for the same content, clear words for what is missing."""

import io
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from crossfade.adapters.helm.charts import HelmCharts, pack_folder
from crossfade.adapters.helm.command import HelmCommand
from crossfade.base.errors import InputError, Unavailable
from crossfade.core.application import Source

COLORS = Path(__file__).parents[3] / "examples/colors/deploy/helm/colors"
HELM = Path(sys.executable).parent / "helm"


@pytest.fixture
def chart(tmp_path):
    return Path(shutil.copytree(COLORS, tmp_path / "chart"))


@pytest.fixture
def charts():
    return HelmCharts(HelmCommand())


def names(data: bytes) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return archive.getnames()


def refused(folder) -> InputError:
    with pytest.raises(InputError) as raised:
        pack_folder(folder)
    assert raised.value.hint
    return raised.value


def test_another_checkout_of_the_same_content_is_the_same_revision(chart):
    for path in chart.rglob("*"):
        os.utime(path, (1, 1))
        path.chmod(0o755)
    assert pack_folder(chart) == pack_folder(COLORS)


def test_a_change_anywhere_is_another_revision(chart):
    (chart / "templates" / "service.yaml").write_text("# changed\n")
    assert pack_folder(chart).data != pack_folder(COLORS).data


def test_the_archive_has_the_files_that_helm_would_pack(chart, tmp_path):
    (chart / ".helmignore").write_text("*.bak\n/docs/\n")
    (chart / "values.bak").write_text("x")
    (chart / "docs").mkdir()
    (chart / "docs" / "a.md").write_text("x")
    subprocess.run([HELM, "package", chart, "-d", tmp_path], check=True, capture_output=True)
    packed_by_helm = next(tmp_path.glob("colors-*.tgz")).read_bytes()
    assert set(names(pack_folder(chart).data)) == set(names(packed_by_helm))


def test_a_folder_without_a_chart_is_refused(tmp_path):
    assert "there is no chart" in refused(tmp_path).what


@pytest.mark.parametrize("text", ["", "a: [", "- a\n", "name: x\n", "\x00", "a: b\n---\nc: d\n"])
def test_a_chart_file_that_is_none_is_refused(chart, text):
    (chart / "Chart.yaml").write_text(text)
    assert "Chart.yaml" in refused(chart).what


def test_dependencies_that_were_not_fetched_are_named_with_the_remedy(chart):
    with (chart / "Chart.yaml").open("a") as file:
        file.write('dependencies: [{name: redis, version: "1", repository: "https://r"}]\n')
    error = refused(chart)
    assert "redis" in error.what
    assert "helm dependency build" in error.hint
    (chart / "charts" / "redis").mkdir(parents=True)
    pack_folder(chart)


def test_a_link_to_a_folder_above_ends(chart):
    (chart / "loop").symlink_to(chart)
    assert "nested too deeply" in refused(chart).what


def test_a_link_that_leads_nowhere_is_named(chart):
    (chart / "files" / "gone").symlink_to(chart / "nothing")
    assert "cannot be read" in refused(chart).what


async def test_a_template_that_fails_is_named_with_its_line(charts, chart):
    (chart / "templates" / "bad.yaml").write_text("a: b\nc: {{ .Values.nope.deeper }}\n")
    with pytest.raises(InputError) as raised:
        await charts.render(pack_folder(chart).data, "x", "default", {})
    assert raised.value.facts == {"file": "templates/bad.yaml", "line": 2}


async def test_values_that_the_schema_refuses_are_named(charts):
    with pytest.raises(InputError) as raised:
        await charts.render(pack_folder(COLORS).data, "x", "default", {"replicaCount": "many"})
    assert "replicaCount" in raised.value.what


async def test_text_that_is_no_object_is_refused(charts, chart):
    (chart / "templates" / "bad.yaml").write_text("- a\n- b\n")
    with pytest.raises(InputError):
        await charts.render(pack_folder(chart).data, "x", "default", {})


async def test_definitions_are_rendered_too_so_that_they_are_seen(charts, chart):
    (chart / "crds").mkdir()
    (chart / "crds" / "a.yaml").write_text(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n"
        "metadata: {name: a.b.c}\n"
    )
    rendered = await charts.render(pack_folder(chart).data, "x", "default", {})
    assert "CustomResourceDefinition" in {each["kind"] for each in rendered}


@pytest.mark.parametrize(
    "source",
    [
        Source("oci://127.0.0.1:1/colors", version="1.0.0"),
        Source("colors", repo="http://127.0.0.1:1/charts", version="1.0.0"),
    ],
)
async def test_a_registry_that_does_not_answer_is_unavailable(charts, source):
    with pytest.raises(Unavailable) as raised:
        await charts.pack(source)
    assert "registry" in raised.value.what


async def test_a_chart_of_a_repository_is_pulled_with_its_name(charts, tmp_path, serve_folder):
    subprocess.run([HELM, "package", COLORS, "-d", tmp_path], check=True, capture_output=True)
    url = serve_folder(tmp_path)
    subprocess.run([HELM, "repo", "index", tmp_path, "--url", url], check=True)
    packed = await charts.pack(Source("colors", repo=url, version="0.1.0"))
    assert packed.name == "colors-0.1.0"
    assert "colors/Chart.yaml" in names(packed.data)
    with pytest.raises(InputError) as raised:
        await charts.pack(Source("colors", repo=url, version="9.9.9"))
    assert "no such chart or version" in raised.value.what
