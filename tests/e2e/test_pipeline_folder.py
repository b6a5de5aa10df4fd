"""Files that others have written, run from a folder as they are."""

from pathlib import Path

import pytest

from crossfade.cli.main import main
from crossfade.testing.git_folder import git, two_branches


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("CROSSFADE_HOME", str(tmp_path / "home"))


def write(tmp_path: Path, steps: str) -> str:
    path = tmp_path / "codefresh.yml"
    path.write_text(f"version: '1.0'\nsteps:\n{steps}")
    return str(path)


@pytest.fixture
def repository(tmp_path) -> Path:
    return two_branches(tmp_path / "thing")


def test_a_step_sees_the_history_of_the_folder_and_what_is_not_committed(
    tmp_path, repository, capsys
):
    (repository / "file").write_text("changed")
    origin = ["remote", "add", "origin", "https://git.invalid/team/shop.git"]
    git(repository, *origin)
    marker = tmp_path / "ran"
    hook = repository / ".git/hooks/post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {marker}\n")
    hook.chmod(0o755)
    commands = "['git log --format=%s', 'git status --porcelain', 'git remote get-url origin']"
    file = write(tmp_path, f"  show: {{image: alpine, commands: {commands}}}\n")

    assert main(["pipeline", "run", file, "--local-dir", str(repository)]) == 0

    printed = capsys.readouterr().out
    assert " M file" in printed
    assert "git.invalid/team/shop.git" in printed
    assert not marker.exists()


def test_a_folder_stands_for_the_clone_that_the_file_makes_itself(tmp_path, repository, capsys):
    git(repository, "remote", "add", "origin", "https://git.invalid/team/shop.git")
    (repository / "not-committed").touch()
    file = write(
        tmp_path,
        """  checkout: {type: git-clone, repo: team/shop, revision: main}
  show: {image: alpine, working_directory: '${{CF_REPO_NAME}}', commands: [pwd, ls]}
""",
    )

    assert main(["pipeline", "run", file, "--local-dir", str(repository)]) == 0

    printed = capsys.readouterr().out
    assert "/codefresh/volume/shop" in printed
    assert "not-committed" in printed
    assert "main_clone" not in printed


def test_people_read_what_nothing_sets_before_a_step_misses_it(tmp_path, capsys):
    file = write(tmp_path, "  make: {type: build, image_name: '${{ACCOUNT}}/app'}\n")

    main(["pipeline", "run", file])

    told = capsys.readouterr()
    assert "nothing sets ACCOUNT (make, line 3): `--var NAME=VALUE`" in told.err
    assert "hint: `--var ACCOUNT=VALUE` says it" in told.out
