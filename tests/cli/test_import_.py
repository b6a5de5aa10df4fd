"""`crossfade import` prints an application on stdout and tells the rest on stderr."""

import io
import sys

import pytest

from crossfade.adapters.documents.application import parse

ROLLOUT = """\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: colors}
spec:
  replicas: 3
  restartAt: "2026-01-01T00:00:00Z"
  selector: {matchLabels: {app: colors}}
  template: {metadata: {labels: {app: colors}}, spec: {containers: [{name: a, image: a}]}}
  strategy:
    canary:
      stableService: colors
      steps: [{setWeight: 20}, {pause: {}}]
"""


@pytest.fixture
def rollout(tmp_path):
    path = tmp_path / "rollout.yaml"
    path.write_text(ROLLOUT)
    return str(path)


def test_the_application_is_on_stdout_and_the_rest_on_stderr(crossfade, rollout):
    ran = crossfade("import", rollout)

    assert parse(ran.out, "ours.yaml")[0].name == "colors"
    assert "kept (3):\n  Rollout/colors spec.strategy.canary.stableService" in ran.err
    assert "\nchanged (" in ran.err
    assert (
        "\nunsupported (1):\n  Rollout/colors spec.restartAt: restart pods with kubectl" in ran.err
    )
    assert ran.code == 0


def test_programs_get_all_of_it_as_json(crossfade, rollout):
    ran = crossfade("import", rollout, "--output", "json")

    assert ran.data["applications"][0]["metadata"]["name"] == "colors"
    assert parse(ran.data["yaml"], "ours.yaml")
    assert ran.data["unsupported"] == [
        {
            "object": "Rollout/colors",
            "path": "spec.restartAt",
            "reason": "restart pods with kubectl",
        }
    ]
    assert {each["path"] for each in ran.data["changed"]} >= {"spec.replicas", "spec.template"}
    assert (ran.err, ran.data["charts"]) == ("", [])


def test_charts_are_written_when_that_is_asked_for(crossfade, rollout, tmp_path):
    charts = tmp_path / "charts"
    ran = crossfade("import", rollout, "--charts", str(charts), "--write-charts", "-o", "json")

    assert ran.data["charts"] == [str(charts / "colors/Chart.yaml"), str(charts / "colors/templates/deployment-colors.yaml")]  # fmt: skip
    written = tmp_path / "ours.yaml"
    written.write_text(ran.data["yaml"])
    assert parse(written.read_text(), "ours.yaml", tmp_path)[0].source.chart == str(
        charts / "colors"
    )


def test_no_chart_is_overwritten(crossfade, rollout, tmp_path):
    (tmp_path / "charts/colors").mkdir(parents=True)
    ran = crossfade("import", rollout, "--charts", str(tmp_path / "charts"), "--write-charts")

    assert ran.code == 5
    assert "exists already; nothing was written" in ran.err
    assert list((tmp_path / "charts/colors").iterdir()) == []


def test_files_may_come_from_standard_input(crossfade, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(ROLLOUT.encode())))

    assert "name: colors" in crossfade("import", "-").out


def test_a_file_without_anything_to_import_is_told(crossfade, tmp_path):
    path = tmp_path / "service.yaml"
    path.write_text("apiVersion: v1\nkind: Service\nmetadata: {name: a}\n")
    ran = crossfade("import", str(path))

    assert ran.code == 2
    assert "there is no Rollout of argoproj.io" in ran.err
