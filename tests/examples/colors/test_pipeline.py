"""The pipeline of the example does what it says."""

import json
from pathlib import Path

from crossfade.cli.main import main

COLORS = Path(__file__).parents[3] / "examples/colors"


def test_the_pipeline_of_the_example_runs_on_this_machine(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CROSSFADE_HOME", str(tmp_path))
    file = str(COLORS / "codefresh.yml")

    assert main(["pipeline", "run", file, "--local-dir", str(COLORS), "--output", "json"]) == 0

    build = json.loads(capsys.readouterr().out)
    results = {name: each["result"] for name, each in build["steps"].items()}
    assert results["chart"] == results["program"] == results["smoke_test"] == "success"
    assert build["variables"]["CHART_VERSION"]


def test_the_pipeline_of_the_example_is_accepted_without_a_warning(capsys):
    assert main(["pipeline", "validate", str(COLORS / "codefresh.yml"), "--output", "json"]) == 0

    assert json.loads(capsys.readouterr().out)["warnings"] == []
