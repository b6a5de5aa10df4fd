"""Clones that are brought up to date, whatever other steps have done to them meanwhile."""

import os
import shutil
import socket
import subprocess

import pytest

from crossfade.core.pipeline.cloning import SILENT_SECONDS
from crossfade.core.pipeline.context import context_of
from crossfade.core.pipeline.orders import work_of
from crossfade.core.pipeline.run import begin
from crossfade.core.pipeline.variables import Variable
from crossfade.core.pipeline.work import VOLUME
from crossfade.testing.fake_build import graph_from

OWN = ("-c", "user.name=ann", "-c", "user.email=a@b.c", "-c", "init.defaultBranch=main")


class Refused(Exception):
    """The step has failed."""


def git(folder, *words):
    command = ["git", *OWN, *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def origin(tmp_path):
    """A repository that says 1 in its file `version`."""
    folder = tmp_path / "web"
    folder.mkdir()
    git(folder, "init", "-q")
    git(folder, "config", "uploadpack.allowFilter", "true")
    said(folder, "1")
    return folder


def said(folder, text):
    (folder / "version").write_text(text)
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", f"Say {text}")


@pytest.fixture
def clone(tmp_path, origin):
    """Run a git-clone in a workspace, and return the folder of the clone."""
    tools, volume = tmp_path / "tools", tmp_path / "volume"
    tools.mkdir()
    volume.mkdir()
    (tools / "cf_export").write_text("#!/bin/sh\n")
    (tools / "cf_export").chmod(0o755)

    def go(**more):
        given = {"type": "git-clone", "repo": f"file://{origin}", "revision": "main", **more}
        graph = graph_from({"steps": {"s": given}})
        got = work_of(graph.units["s"].step, context_of(graph, begin({}), "s"))
        environment = {
            "PATH": f"{tools}:{os.environ['PATH']}",
            "HOME": str(tmp_path),
            "CF_EXPORT_FILE": str(tmp_path / "exports"),
        }
        script = got.script.replace(VOLUME, str(volume))
        script = script.replace(f"TIME={SILENT_SECONDS}", "TIME=1")
        words = ["/bin/sh", "-c", script]
        done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Refused(done.stderr)
        return volume / "web"

    return go


@pytest.mark.parametrize("more", [{}, {"exclude_blobs": True}, {"depth": 1}])
def test_a_clone_is_brought_up_to_date_however_it_was_made(clone, origin, more):
    folder = clone(**more)
    said(origin, "2")
    (folder / "left").write_text("by another step")

    clone(**more)

    assert (folder / "version").read_text() == "2"
    assert not (folder / "left").exists()
    assert git(folder, "status", "--porcelain") == ""
    assert git(folder, "remote", "get-url", "origin").strip() == f"file://{origin}"


def test_a_clone_of_another_place_takes_its_name(clone, origin, tmp_path):
    clone()
    moved = tmp_path / "other/web"
    moved.parent.mkdir()
    git(tmp_path, "clone", "-q", str(origin), str(moved))
    said(moved, "other")

    assert (clone(repo=f"file://{moved}") / "version").read_text() == "other"


@pytest.mark.parametrize(
    "planted",
    [
        "git config core.fsmonitor ../planted",
        "git config core.hooksPath ../hooks",
        "mkdir -p .git/hooks; cp ../planted .git/hooks/post-checkout",
        "git config filter.x.smudge ../planted; echo '* filter=x' > .git/info/attributes",
        "git config include.path ../../more",
        "git config extensions.worktreeConfig true; cp ../more .git/config.worktree",
        """git config extensions.partialclone "$(printf 'x\ncore.fsmonitor ../planted')" """,
        "git config core.fsmonitor ../planted; mv .git ../moved; ln -s ../moved .git",
        "git config core.fsmonitor ../planted; mv .git ../moved; echo gitdir: ../moved > .git",
        "git config core.fsmonitor ../planted; cp -r .git ../moved; echo ../../moved > .git/commondir",
    ],
)
def test_a_clone_runs_no_program_that_another_step_has_left(clone, origin, tmp_path, planted):
    folder = clone()
    said(origin, "2")
    program = folder.parent / "planted"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\ncat\n")
    program.chmod(0o755)
    (folder.parent / "more").write_text("[core]\nfsmonitor = ../planted\n")
    (folder.parent / "hooks").mkdir()
    (folder.parent / "hooks/post-checkout").symlink_to(program)
    subprocess.run(["/bin/sh", "-ec", planted], cwd=folder, check=True)

    clone()

    assert not (tmp_path / "ran").exists()
    assert (folder / "version").read_text() == "2"


MEANWHILE = """#!/bin/sh
for each in {volume}/web {volume}/*.part; do
  [ -d "$each/.git" ] || continue
  rm -rf "$each/.git/config" "$each/.git/commondir"
  cp {volume}/config "$each/.git/config"
  cp {volume}/config "$each/.git/config.worktree"
  mkdir -p "$each/.git/hooks" "$each/.git/info"
  cp {volume}/planted "$each/.git/hooks/post-checkout"
  echo '* filter=x' > "$each/.git/info/attributes"
done
exec {git} "$@"
"""
PLANTED = """[core]
repositoryformatversion = 1
fsmonitor = {0}
sshCommand = {0}
[extensions]
worktreeConfig = true
[credential]
helper = !{0}
[filter "x"]
smudge = {0}
[remote "origin"]
url = ext::{0}
uploadpack = {0}
"""


def test_a_step_that_plants_programs_at_every_moment_of_a_clone_has_none_run(
    clone, origin, tmp_path
):
    program = tmp_path / "volume/planted"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\ncat\n")
    program.chmod(0o755)
    (tmp_path / "volume/config").write_text(PLANTED.format(program))
    real = shutil.which("git")
    (tmp_path / "tools/git").write_text(MEANWHILE.format(volume=tmp_path / "volume", git=real))
    (tmp_path / "tools/git").chmod(0o755)

    folder = clone()
    assert (folder / "version").read_text() == "1"
    said(origin, "2")
    clone()

    assert (folder / "version").read_text() == "2"
    assert not (tmp_path / "ran").exists()


def test_a_configuration_that_is_a_link_elsewhere_is_not_written_through(clone, tmp_path):
    folder = clone()
    (tmp_path / "mine").write_text("[user]\nname = me\n")
    (folder / ".git/config").unlink()
    (folder / ".git/config").symlink_to(tmp_path / "mine")

    clone()

    assert (tmp_path / "mine").read_text() == "[user]\nname = me\n"
    assert not (folder / ".git/config").is_symlink()


def test_a_server_that_falls_silent_is_not_waited_for(clone):
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        pytest.raises(Refused, match="too slow"),
    ):
        clone(repo=f"http://127.0.0.1:{server.getsockname()[1]}/team/web.git")


def test_a_clone_is_not_made_where_a_link_leads_out_of_the_workspace(clone, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "volume/sub").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(Refused, match="leads out of it"):
        clone(working_directory="sub")

    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_clone_in_a_folder_of_the_workspace_is_made_there(clone, tmp_path):
    clone(working_directory="${{NOT_THERE}}/../a/b")

    assert list((tmp_path / "volume").rglob("web/version"))


def test_a_revision_that_looks_like_an_option_of_git_runs_no_program(clone, tmp_path):
    clone()

    with pytest.raises(Refused, match="refspec"):
        clone(revision=f"--upload-pack=touch {tmp_path}/ran; git-upload-pack")

    assert not (tmp_path / "ran").exists()


OF_AN_EVENT = {
    "CF_REPO_OWNER": "Acme",
    "CF_REPO_NAME": "web",
    "CF_REPO_CLONE_URL": "https://git.example.com/acme/web.git",
    "CF_GIT_INTEGRATION": "ours",
}


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ({"repo": "acme/web"}, "https://git.example.com/acme/web.git"),
        ({"repo": "acme/web", "git": "ours"}, "https://git.example.com/acme/web.git"),
        ({"repo": "acme/web", "git": "another"}, "https://git.example.com/acme/web.git"),
        ({"repo": "acme/web", "git": "gitlab"}, "https://gitlab.com/acme/web.git"),
        ({"repo": "acme/other"}, "https://github.com/acme/other.git"),
        ({"repo": "acme/other", "git": "gitlab-2"}, "https://gitlab.com/acme/other.git"),
        ({"repo": "ssh://git@h/acme/web"}, "ssh://git@h/acme/web"),
    ],
)
def test_the_repository_of_an_event_is_not_looked_for_on_somebody_elses_server(given, address):
    graph = graph_from({"steps": {"s": {"type": "git-clone", **given}}})
    begun = begin({name: Variable(name, value) for name, value in OF_AN_EVENT.items()})

    got = work_of(graph.units["s"].step, context_of(graph, begun, "s"))

    assert f"url={address}" in got.script
