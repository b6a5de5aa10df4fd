"""Files of workspaces: nothing leads out of them, nothing is seen by halves."""

import errno
import json
import os
import subprocess

import pytest

from crossfade.adapters.runners.pods import files
from crossfade.adapters.runners.pods.files import Tree, Volume


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "root").mkdir()
    return Tree(str(tmp_path / "root"))


def put(tree, path, data, mode=0o644):
    tree.write([[path, 0, len(data), mode]], data)


def test_files_folders_and_links_are_listed_with_what_tells_that_they_change(tree):
    put(tree, "deep/file", b"one", 0o755)
    tree.change([], [["empty", 0o700]], [["link", "deep/file"]])
    before = tree.listing()

    put(tree, "deep/file", b"two", 0o755)

    assert before["link"] == ["link", 0, 0, "deep/file"]
    assert before["empty"] == ["folder", 0o700, 0, ""]
    assert before["deep/file"][:3] == ["file", 0o755, 3]
    assert tree.listing()["deep/file"][3] != before["deep/file"][3]


def test_what_belongs_to_single_runs_and_what_is_half_written_is_not_listed(tree):
    put(tree, "env_vars_to_export", b"")
    put(tree, "sensitive/.kube/config", b"token")
    tree.write([["half", 0, 3, None]], b"abc")

    assert tree.listing() == {}


@pytest.mark.parametrize("path", ["../out", "/etc/passwd", "a/../../out", "link/out", "."])
def test_no_path_leads_out_of_the_workspace(tree, tmp_path, path):
    os.symlink(tmp_path, tmp_path / "root/link")

    with pytest.raises(ValueError, match="leads out"):
        put(tree, path, b"x")
    with pytest.raises(ValueError, match="leads out"):
        tree.read([[path, 0, 1]])


def test_a_link_in_the_place_of_a_file_is_replaced_and_not_followed(tree, tmp_path):
    (tmp_path / "victim").write_text("mine")
    tree.change([], [], [["file", str(tmp_path / "victim")]])

    assert tree.read([["file", 0, 4]]) == b"\0" * 4
    put(tree, "file", b"new")

    assert (tmp_path / "victim").read_text() == "mine"
    assert tree.read([["file", 0, 3]]) == b"new"


def test_a_server_goes_when_nobody_asks_and_stays_while_a_run_is_to_be_taken_in(tmp_path):
    volume = Volume(str(tmp_path))
    volume.answer("/begin", b'{"run": "r", "folders": ["a/b"]}')
    assert not volume.is_idle(0.0)

    volume.answer("/forget", b'{"run": "r"}')

    assert volume.is_idle(0.0)
    assert not volume.is_idle(60.0)
    assert (tmp_path / "volume/a/b").is_dir()


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".."])
def test_a_run_without_a_proper_name_is_refused(tmp_path, name):
    with pytest.raises(ValueError, match="name of no run"):
        Volume(str(tmp_path)).answer("/run", b'{"run": "%s"}' % name.encode())


def test_a_file_that_cannot_be_read_just_now_does_not_count_as_removed(tree, monkeypatch):
    put(tree, "deep/file", b"one")

    def busy(_):
        raise OSError(errno.EMFILE, "too many open files")

    monkeypatch.setattr(os, "scandir", busy)

    with pytest.raises(OSError, match="too many"):
        tree.listing()


def test_who_copies_a_read_only_folder_can_put_files_into_it(tree, tmp_path):
    put(tree, "modules/file", b"one", 0o000)
    (tmp_path / "root/modules").chmod(0o555)

    listing = tree.listing()

    assert listing["modules"][:2] == ["folder", 0o755]
    assert listing["modules/file"][:2] == ["file", 0o400]


@pytest.mark.parametrize("planted", ["rm", "mkfifo", "mkdir", "ln -s /etc/passwd"])
def test_a_run_that_spoils_the_files_it_tells_by_has_told_nothing(tmp_path, planted):
    volume = Volume(str(tmp_path))
    volume.answer("/begin", b'{"run": "r", "folders": []}')
    place = tmp_path / "runs/r/exports"
    place.unlink()
    if planted != "rm":
        subprocess.run([*planted.split(), str(place)], check=True)

    assert json.loads(volume.answer("/run", b'{"run": "r"}')) == {"exports": "", "masked": ""}


def test_only_so_many_exports_are_held_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_MOST_TOLD", 12)
    volume = Volume(str(tmp_path))
    volume.answer("/begin", b'{"run": "r", "folders": []}')
    (tmp_path / "runs/r/exports").write_text("A=12345\nB=12345\nC=1\n")

    assert json.loads(volume.answer("/run", b'{"run": "r"}'))["exports"] == "A=12345\n"
