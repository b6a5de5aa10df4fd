"""`crossfade pipeline prune`, and what goes without being asked for."""

import json
import os

import pytest


@pytest.fixture
def run(crossfade, tmp_path):
    """Run a pipeline whose one step keeps a file."""

    def go(text):
        file = tmp_path / "codefresh.yml"
        file.write_text(f"""version: '1.0'
steps:
  make:
    image: alpine
    commands: ['mkdir -p deps', 'printf %s "{text}" > out.txt', 'echo dep > deps/one']
    environment: [CROSSFADE_ARTIFACTS=out.txt, CROSSFADE_CACHE=deps]
""")
        ran = crossfade("pipeline", "run", str(file))
        assert ran.code == 0, ran.err
        return ran

    return go


def old(tmp_path, days=40):
    """Have everything been kept so many days ago."""
    folder = tmp_path / "state/pipelines"
    paths = [*folder.glob("*/kept/*.json"), *folder.glob("caches/*.json"), folder / "kept.lock"]
    for path in paths:
        at = path.stat().st_mtime - days * 86400
        os.utime(path, (at, at))


def paths(crossfade, build):
    listed = crossfade("pipeline", "artifacts", build, "--output", "json")
    return [each["path"] for each in json.loads(listed.out)], listed.err


def test_a_dry_run_says_what_would_go_and_leaves_it(crossfade, run, tmp_path):
    run("first")
    run("second")
    old(tmp_path)

    ran = crossfade("pipeline", "prune", "--dry-run", "--output", "json")

    assert ran.code == 0, ran.err
    data = json.loads(ran.out)
    assert [(each["kind"], each["run"]) for each in data["forgotten"]] == [
        ("artifacts", "1"),
        ("cache", ""),
    ]
    assert (data["bytes"], data["dryRun"]) == (len("first") + len("dep\n"), True)
    assert paths(crossfade, "1")[0] == ["out.txt"]


def test_what_is_old_goes_but_not_from_the_newest_build(crossfade, run, tmp_path):
    run("first")
    run("second")
    old(tmp_path)

    ran = crossfade("pipeline", "prune")

    assert "artifacts" in ran.out
    assert "older than 30 days" in ran.out
    assert ran.out.splitlines()[-1] == "forgotten: 2, 9 bytes"
    listed, said = paths(crossfade, "1")
    assert listed == []
    assert "artifacts of make were forgotten: older than 30 days" in said
    assert paths(crossfade, "2")[0] == ["out.txt"]
    assert crossfade("pipeline", "prune").out == "forgotten: 0, 0 bytes\n"


def test_limits_of_the_command_go_before_settings(crossfade, run, monkeypatch):
    run("first")
    monkeypatch.setenv("CROSSFADE_KEEP_GIB", "0")

    assert crossfade("pipeline", "prune", "--keep-gib", "1").out == "forgotten: 0, 0 bytes\n"
    assert "more than 0 GiB are kept" in crossfade("pipeline", "prune").out


def test_a_build_without_its_workspace_is_not_restarted(crossfade, run, tmp_path):
    run("first")
    run("second")

    ran = crossfade("pipeline", "prune", "--keep-gib", "0", "--output", "json")

    kinds = [(each["kind"], each["run"]) for each in json.loads(ran.out)["forgotten"]]
    assert ("workspace", "1") in kinds
    assert ("workspace", "2") not in kinds, "it is the newest"
    assert not (tmp_path / "state/pipelines/1/volume").exists()
    again = crossfade("pipeline", "restart", "1", "--from-step", "make")
    assert again.code != 0
    assert "the workspace of build 1 was forgotten" in again.err
    assert crossfade("pipeline", "logs", "1").code == 0
    assert crossfade("pipeline", "restart", "2", "--from-step", "make").code == 0


def test_without_a_hub_the_next_build_after_a_day_tidies_up(crossfade, run, tmp_path):
    run("first")
    old(tmp_path)

    run("second")

    assert paths(crossfade, "1")[0] == []
    old(tmp_path, days=0.5)
    run("third")
    assert paths(crossfade, "2")[0] == ["out.txt"]


def test_a_damaged_list_fails_no_build_and_is_named(crossfade, run, tmp_path):
    run("first")
    (index,) = (tmp_path / "state/pipelines/1/kept").iterdir()
    index.write_text("{")
    old(tmp_path)

    assert "a list of artifacts cannot be read" in run("second").err
    ran = crossfade("pipeline", "prune")
    assert ran.code == 2
    assert str(index) in ran.err
    assert "hint: mend the file" in ran.err


@pytest.mark.parametrize("name", ["CROSSFADE_KEEP_DAYS", "CROSSFADE_KEEP_GIB"])
@pytest.mark.parametrize("value", ["many", "-1", "nan", "1e9"])
def test_a_limit_that_is_no_number_is_refused_by_name(crossfade, monkeypatch, name, value):
    monkeypatch.setenv(name, value)

    ran = crossfade("pipeline", "list")

    assert ran.code == 2
    assert name in ran.err
