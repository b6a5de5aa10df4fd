"""Test results and artifacts as people look for them after a build."""

import json

import pytest

from crossfade.cli.main import main

PIPELINE = """version: '1.0'
steps:
  unit:
    image: alpine
    fail_fast: false
    commands:
      - mkdir -p out
      - |
        cat > out/unit.xml <<'END'
        <testsuite name="shop"><testcase name="pays"/>
        <testcase name="refunds"><failure message="no money"/></testcase></testsuite>
        END
      - echo report > out/summary.txt
      - exit 1
    environment: [CROSSFADE_TESTS=out/*.xml, CROSSFADE_ARTIFACTS=out]
  later:
    image: alpine
    commands: [rm -r out]
"""


@pytest.fixture
def ran(tmp_path, monkeypatch, capsys):
    """Return what runs a command after a build, and gives what it printed."""
    monkeypatch.setenv("CROSSFADE_HOME", str(tmp_path / "home"))
    file = tmp_path / "codefresh.yml"
    file.write_text(PIPELINE)
    assert main(["pipeline", "run", str(file)]) == 0
    told = capsys.readouterr().err
    assert "unit  * 2 tests (1 failed); 2 artifacts kept" in told

    def call(*arguments: str) -> str:
        main(["pipeline", *arguments])
        return capsys.readouterr().out

    return call


def test_failed_tests_are_named_with_what_they_say(ran):
    assert "unit: shop: refunds: failed: no money" in ran("tests", "1")
    (row,) = json.loads(ran("tests", "1", "-o", "json"))
    assert (row["step"], row["passed"], row["failed"], len(row["tests"])) == ("unit", 1, 1, 2)


def test_artifacts_are_there_though_a_later_step_has_removed_them(ran, tmp_path):
    listed = json.loads(ran("artifacts", "1", "--to", str(tmp_path / "got"), "-o", "json"))

    assert [each["path"] for each in listed] == ["out/summary.txt", "out/unit.xml"]
    assert (tmp_path / "got/out/summary.txt").read_text() == "report\n"


def test_artifacts_are_never_written_over_other_files(ran, tmp_path, capsys):
    (tmp_path / "mine").write_text("x")

    ran("artifacts", "1", "--to", str(tmp_path))

    assert (tmp_path / "mine").read_text() == "x"
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_cached_spares_the_next_build_the_work(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CROSSFADE_HOME", str(tmp_path / "home"))
    file = tmp_path / "codefresh.yml"
    file.write_text("""version: '1.0'
steps:
  install:
    image: alpine
    commands:
      - echo ${{LOCK}} > lock
  build:
    image: alpine
    commands:
      - if [ -e modules/done ]; then echo spared; else mkdir modules; touch modules/done; fi
    environment: [CROSSFADE_CACHE=modules, CROSSFADE_CACHE_KEY=lock]
""")
    outs = []
    for lock in ("1", "1", "2"):
        assert main(["pipeline", "run", str(file), "--var", f"LOCK={lock}"]) == 0
        outs.append(capsys.readouterr().out)

    assert ["| spared" in each for each in outs] == [False, True, False]
