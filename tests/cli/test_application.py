"""`crossfade apply`"""

import io

import pytest

FILE = """\
apiVersion: crossfade.dev/v1alpha1
kind: Application
metadata: {name: colors}
spec:
  source: {chart: chart}
  route: {host: colors.example.com, service: colors}
  placement: {clusters: {matchLabels: {tier: prod}}}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "chart").mkdir()
    (tmp_path / "chart/Chart.yaml").write_text("name: colors\n")
    (tmp_path / "crossfade.yaml").write_text(FILE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_an_application_is_created_then_unchanged_then_configured(crossfade, folder):
    first = crossfade("apply", "-f", "crossfade.yaml")
    second = crossfade("apply", "-f", "crossfade.yaml")
    (folder / "crossfade.yaml").write_text(FILE.replace("colors.example", "colours.example"))
    third = crossfade("apply", "-f", "crossfade.yaml", "-o", "json")

    assert first.out == "application colors created\n"
    assert second.out == "application colors unchanged\n"
    assert third.data == {
        "applications": [{"name": "colors", "change": "configured", "clusters": []}],
        "dry_run": False,
    }


def test_a_dry_run_changes_nothing(crossfade, folder):
    first = crossfade("apply", "-f", "crossfade.yaml", "--dry-run")
    crossfade("apply", "-f", "crossfade.yaml")
    second = crossfade("apply", "-f", "crossfade.yaml", "--dry-run")
    (folder / "crossfade.yaml").write_text(FILE.replace("colors.example", "colours.example"))
    third = crossfade("apply", "-f", "crossfade.yaml", "--dry-run")

    assert first.out == "application colors created (dry run)\n"
    assert second.out == "application colors unchanged (dry run)\n"
    assert third.out == "application colors configured (dry run)\n"
    assert crossfade("apply", "-f", "crossfade.yaml").out == "application colors configured\n"


def test_a_placement_that_no_cluster_fits_is_pointed_out(crossfade, folder):
    ran = crossfade("apply", "-f", "crossfade.yaml")

    assert ran.code == 0
    assert "no cluster of the fleet carries the labels that colors asks for" in ran.err


def test_a_wave_that_no_cluster_is_in_is_pointed_out(crossfade, folder, world):
    waves = "  rollout: {waves: [{clusters: [aws]}, {clusters: [asw]}]}\n"
    text = FILE.replace("  placement: {clusters: {matchLabels: {tier: prod}}}\n", waves)
    (folder / "crossfade.yaml").write_text(text.replace("name: colors", "name: shapes", 1))
    dry = crossfade("apply", "-f", "crossfade.yaml", "--dry-run")

    assert "note: shapes: wave 2 (asw) has none of the application's clusters" in dry.err


def test_one_bad_file_keeps_the_good_ones_out_too(crossfade, folder):
    (folder / "bad.yaml").write_text(FILE.replace("service:", "sevice:"))
    ran = crossfade("apply", "-f", "crossfade.yaml", "-f", "bad.yaml")

    assert ran.code == 2
    assert 'bad.yaml:6:37: spec.route.sevice: unknown key "sevice"' in ran.err
    assert 'did you mean "service"?' in ran.err
    assert crossfade("apply", "-f", "crossfade.yaml").out == "application colors created\n"


def test_a_file_can_come_from_standard_input(crossfade, folder, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(FILE.encode())))

    assert crossfade("apply", "-f", "-").out == "application colors created\n"


def test_bad_standard_input_is_named_so(crossfade, folder, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"a: [")))
    ran = crossfade("apply", "-f", "-")

    assert ran.code == 2
    assert "standard input:1:5: is not valid YAML" in ran.err
