"""Commits with the key of an integration, whatever steps before have left in the clone."""

import os
import subprocess

import pytest

from crossfade.core.pipeline.context import context_of
from crossfade.core.pipeline.orders import work_of
from crossfade.core.pipeline.run import begin
from crossfade.core.pipeline.work import VOLUME
from crossfade.testing.fake_build import graph_from
from crossfade.testing.git_http import TOKEN, USER, git_http

OWN = ("-c", "user.name=ann", "-c", "user.email=a@b.c", "-c", "init.defaultBranch=main")


class Refused(Exception):
    """The step has failed."""


def git(folder, *words):
    command = ["git", *OWN, *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def origin(tmp_path):
    """A bare repository with one commit on main."""
    (tmp_path / "web").mkdir()
    git(tmp_path / "web", "init", "-q")
    (tmp_path / "web/version").write_text("1\n")
    git(tmp_path / "web", "add", ".")
    git(tmp_path / "web", "commit", "-q", "-m", "Begin")
    (tmp_path / "served").mkdir()
    git(tmp_path, "clone", "-q", "--bare", "web", "served/web.git")
    git(tmp_path / "served/web.git", "config", "http.receivepack", "true")
    return tmp_path / "served/web.git"


@pytest.fixture
def server(tmp_path, origin):
    with git_http(tmp_path / "served") as served:
        yield served


@pytest.fixture
def clone(tmp_path, origin, server):
    """A clone of it in a workspace, that a step has changed a file of."""
    folder = tmp_path / "volume/web"
    folder.parent.mkdir()
    git(folder.parent, "clone", "-q", str(origin), str(folder))
    git(folder, "remote", "set-url", "origin", f"{server.address}/web.git")
    (folder / "version").write_text("2\n")
    return folder


@pytest.fixture
def commit(tmp_path, server, clone):
    """Run a git-commit with the token of the server, and return what it prints."""
    tools, place = tmp_path / "tools", tmp_path / "run"
    tools.mkdir()
    place.mkdir()
    (tools / "cf_export").write_text('#!/bin/sh\necho "$1"\n')
    (tools / "cf_export").chmod(0o755)

    def go(**more):
        given = {"working_directory": "web", "commit_message": "Say 2", **more}
        graph = graph_from({"steps": {"s": {"type": "git-commit", "arguments": given}}})
        got = work_of(graph.units["s"].step, context_of(graph, begin({}), "s"))
        environment = {
            "PATH": f"{tools}:{os.environ['PATH']}",
            "HOME": str(tmp_path / "home"),
            "CF_EXPORT_FILE": str(place / "exports"),
            "GIT_TOKEN": TOKEN,
            "GIT_TOKEN_USER": USER,
            "GIT_SERVER": server.address,
        }
        script = tmp_path / "script"
        script.write_text(got.script.replace(VOLUME, str(tmp_path / "volume")))
        done = subprocess.run(
            ["/bin/sh", str(script)],
            cwd=tmp_path / "volume",
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise Refused(done.stdout + done.stderr)
        return done.stdout

    return go


def subjects(origin):
    return git(origin, "log", "--format=%s", "main").split("\n")[:-1]


def test_a_change_is_committed_in_the_clone_itself_and_pushed(commit, clone, origin):
    told = commit()

    assert subjects(origin) == ["Say 2", "Begin"]
    head = git(clone, "rev-parse", "main").strip()
    assert f"COMMITTED_REVISION={head}" in told
    assert git(clone, "status", "--porcelain", "--branch").startswith("## main")
    assert git(clone, "remote", "get-url", "origin").strip().endswith("/web.git")


NAMED = """
git config core.fsmonitor ../planted; git config core.hooksPath ../hooks
git config merge.x.driver ../planted; echo '* merge=x' > .gitattributes
git config core.sshCommand ../planted; git config core.askPass ../planted
git config credential.helper '!../planted'; git config http.proxy http://127.0.0.1:9
git config commit.gpgSign true; git config gpg.program ../planted
git config core.editor ../planted; git config commit.verbose true
git config diff.external ../planted; git config include.path ../../more
git config gc.auto 1; git config gc.recentObjectsHook ../planted
git config url.file:///nowhere.insteadOf http
mkdir -p ../../home/.config/git; cp ../more ../../home/.gitconfig
cp ../more ../../home/.config/git/config
"""
FILTER = "git config filter.x.clean ../planted; echo '* filter=x' > .git/info/attributes"
PLANTED = {
    "named": NAMED,
    "filter": FILTER,
    "worktree": "git config extensions.worktreeConfig true; cp ../more .git/config.worktree",
    "common": "cp -r .git ../moved; cat ../more >> ../moved/config; echo ../../moved > .git/commondir",
    "lines": """git config extensions.partialclone "$(printf 'x\ncore.fsmonitor ../planted')" """,
}


@pytest.mark.parametrize("planted", PLANTED.values(), ids=PLANTED)
def test_a_commit_runs_no_program_that_another_step_has_left(
    commit, clone, origin, tmp_path, planted
):
    program = clone.parent / "planted"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\ncat\n")
    program.chmod(0o755)
    (clone.parent / "more").write_text(f"[core]\nfsmonitor = {program}\nsshCommand = {program}\n")
    (clone.parent / "hooks").mkdir()
    for name in ("pre-commit", "post-commit", "pre-push", "reference-transaction", "pre-rebase"):
        (clone.parent / "hooks" / name).symlink_to(program)
    subprocess.run(["/bin/sh", "-ec", planted], cwd=clone, check=True)

    try:
        commit(add=["version"], rebase=True)
    except Refused as refused:
        assert planted == FILTER, refused  # noqa: PT017 - the others change nothing
    else:
        assert subjects(origin) == ["Say 2", "Begin"]
    assert not (tmp_path / "ran").exists()


def test_hooks_of_a_repository_of_this_machine_do_not_see_the_token(commit, clone, tmp_path):
    other = tmp_path / "volume/other.git"
    git(tmp_path, "clone", "-q", "--bare", str(clone), str(other))
    seen = tmp_path / "seen"
    hook = other / "hooks/pre-receive"
    hook.write_text(
        f"#!/bin/sh\ncat /proc/$$/environ /proc/[0-9]*/environ >{seen} 2>/dev/null\n:\n"
    )
    hook.chmod(0o755)

    commit(repo=str(other), base_branch="main")

    assert subjects(other) == ["Say 2", "Begin"]
    assert b"HOME=" in seen.read_bytes()
    assert TOKEN.encode() not in seen.read_bytes()


def test_files_that_a_filter_is_for_are_refused_and_not_committed_as_they_are(
    commit, clone, origin
):
    (clone / ".gitattributes").write_text("*.bin filter=lfs\n")
    (clone / "large.bin").write_text("large")

    with pytest.raises(Refused, match=r"large\.bin: filter: lfs: filters .* do not run here"):
        commit()
    assert subjects(origin) == ["Begin"]


@pytest.mark.parametrize(
    "how",
    ["mv .git ../moved; ln -s ../moved .git", "mv .git ../moved; echo gitdir: ../moved > .git"],
)
def test_a_clone_whose_files_of_git_are_elsewhere_is_refused(commit, clone, how):
    subprocess.run(["/bin/sh", "-ec", how], cwd=clone, check=True)

    with pytest.raises(Refused, match="is no folder"):
        commit()


def test_a_commit_goes_where_the_clone_is_from_though_it_is_asked_for_below_it(
    commit, clone, origin
):
    (clone / "deep/er").mkdir(parents=True)
    (clone / "deep/er/new").write_text("x")

    commit(working_directory="web/deep")

    assert git(origin, "show", "--format=", "--name-only", "main").split() == ["deep/er/new"]
