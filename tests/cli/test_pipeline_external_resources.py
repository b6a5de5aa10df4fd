"""Files of other repositories in the workspace of builds."""

import pytest

from crossfade.testing.git_folder import git


@pytest.fixture
def library(tmp_path):
    folder = tmp_path / "library"
    (folder / "src").mkdir(parents=True)
    git(tmp_path, "init", "-q", "-b", "main", str(folder))
    (folder / "src/run.sh").write_text("#!/bin/sh\necho brought\n")
    (folder / "src/run.sh").chmod(0o755)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "x")
    return folder


@pytest.fixture
def write(tmp_path, library):
    def pipeline(mode="sequential", source="src", command="./lib/run.sh"):
        path = tmp_path / "pipeline.yml"
        path.write_text(f"""version: '1.0'
kind: pipeline
metadata: {{name: shop/web}}
spec:
  externalResources:
  - {{type: git, source: {source}, context: github, destination: codefresh/volume/lib, isFolder: true,
     repo: 'file://{library}', revision: '${{{{REV}}}}'}}
  mode: {mode}
  steps:
    say: {{image: alpine, commands: ['{command}']}}
""")
        return str(path)

    return pipeline


@pytest.mark.parametrize("mode", ["sequential", "parallel"])
def test_files_and_folders_are_there_before_the_first_step_whatever_the_mode(
    crossfade, write, mode
):
    ran = crossfade("pipeline", "run", write(mode), "--var", "REV=main")

    assert ran.code == 0, ran.err
    assert "brought src at main to " in ran.out
    assert "| brought\n" in ran.out


def test_one_that_cannot_be_had_fails_the_build_with_what_git_says(crossfade, write):
    ran = crossfade("pipeline", "run", write(), "--var", "REV=gone")

    assert ran.code == 1
    assert "externalResources[0] | fatal: couldn't find remote ref gone" in ran.out
    assert "did not run: externalResources[0] is failure" in ran.out


def test_a_build_that_begins_again_at_what_failed_does_not_bring_it_twice(
    crossfade, write, tmp_path
):
    file = write(command="test -e ok && ./lib/run.sh")
    assert crossfade("pipeline", "run", file, "--var", "REV=main").code == 1
    volume = tmp_path / "state/pipelines/1/volume"
    (volume / "ok").touch()
    (volume / "lib/run.sh").write_text("#!/bin/sh\necho changed\n")

    assert "| changed\n" in crossfade("pipeline", "restart", "1").out
    assert "brought src" in crossfade("pipeline", "logs", "1", "externalResources[0]").out


def test_only_some_steps_still_find_them(crossfade, write):
    crossfade("pipeline", "apply", write())
    crossfade("pipeline", "start", "shop/web", "--only", "say", "--var", "REV=main")

    assert "| brought\n" in crossfade("pipeline", "resume", "1").out


def test_a_path_out_of_the_workspace_is_refused_before_anything_runs(crossfade, write):
    for command in ("run", "apply"):
        ran = crossfade("pipeline", command, write(source="../x"))
        assert ran.code == 2
        assert "spec.externalResources[0] cannot be brought" in ran.err
        assert "hint:" in ran.err
