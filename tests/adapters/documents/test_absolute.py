"""An application file means the same in another process, wherever that has begun."""

from pathlib import Path

import pytest

from crossfade.adapters.documents.absolute import with_absolute_charts
from crossfade.adapters.documents.application import parse

TEXT = """
# a comment
apiVersion: crossfade.dev/v1alpha1
kind: Application
metadata: {name: colors}
spec:
  source: {chart: chart, values: {on: yes, version: 1.10, date: 2020-01-01, text: "007"}}
  shared:
    - {name: db, source: {chart: ../db}}
    - {name: crds, source: {chart: crds, repo: "https://charts.example.com", version: 1.0.0}}
  route: {host: colors.example.com, service: colors}
---
apiVersion: crossfade.dev/v1alpha1
kind: Application
metadata: {name: shapes}
spec:
  source: {chart: "oci://registry.example.com/shapes", version: 1.0.0}
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "here/chart").mkdir(parents=True)
    (tmp_path / "here/chart/Chart.yaml").write_text("name: c")
    return tmp_path / "here"


def test_the_file_says_the_same_with_paths_that_begin_at_the_root(folder):
    here = parse(TEXT, "here", folder)
    there = parse(with_absolute_charts(TEXT, folder), "there")

    assert there == here
    assert there[0].source.chart == str(folder / "chart")
    assert there[0].shared[1].source.chart == "crds"


def test_files_of_the_examples_survive_it():
    for path in Path("examples").rglob("crossfade*.yaml"):
        text = path.read_text()
        folder = path.absolute().parent
        assert parse(with_absolute_charts(text, folder), "there") == parse(text, "here", folder)
